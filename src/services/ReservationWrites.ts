import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { Slot as Time } from "../domain/OpeningHours.ts"
import type { NewReservation, Reservation, ReservationDecision } from "../domain/Reservation.ts"
import type { Service } from "../domain/ReservationDefinition.ts"
import { type Availability, held } from "./Availability.ts"
import { reservationColumns, StoredReservation, timesOf } from "./ReservationRows.ts"

const decode = Schema.decodeUnknownEffect(StoredReservation)

const overlapping = (
  sql: SqlClient.SqlClient,
  id: string,
  { endsAt, startsAt }: { readonly endsAt: string; readonly startsAt: string }
) =>
  CurrentCustomer.use(({ customerId, orgId }) =>
    Effect.succeed(sql`
      EXISTS (SELECT 1 FROM reservations
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id <> ${id} AND status <> 'cancelled'
        AND starts_at < ${endsAt}::text::timestamptz AND ends_at > ${startsAt}::text::timestamptz)`)
  )

// What has been seen of the definition still holds, or there is no row; the trigger counts the spots.
export const insertReservation = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  id: string,
  { note = null, partySize = 1 }: NewReservation,
  seen: Availability,
  service: Service,
  slot: Time
) {
  const { customerId, orgId } = yield* CurrentCustomer
  const times = timesOf(slot, seen, seen.now)
  const [row] = yield* sql`
    WITH allowed AS (
      SELECT title, timezone, location FROM reservation_definitions
      WHERE org_id = ${orgId} AND id = ${seen.id} AND active AND version = ${seen.version}
        AND NOT ${yield* overlapping(sql, id, times)}
        AND ${held(sql, { orgId, customerId, definitionId: seen.id, now: seen.now })} < max_per_customer
    ), numbered AS (
      INSERT INTO reservation_numbers AS counter (org_id, last) SELECT ${orgId}, 1001 FROM allowed
      ON CONFLICT (org_id) DO UPDATE SET last = counter.last + 1
      RETURNING last
    )
    INSERT INTO reservations (org_id, id, customer_id, number, definition_id, service, title, starts_at, ends_at,
      busy_until, timezone, party_size, status, note, location, cancel_until, remind_at)
    SELECT ${orgId}, ${id}, ${customerId}, last::text, ${seen.id}, ${service.name}, title,
      ${times.startsAt}::text::timestamptz, ${times.endsAt}::text::timestamptz,
      ${times.busyUntil}::text::timestamptz, timezone, ${partySize}::int,
      ${seen.requiresConfirmation ? "pending" : "confirmed"}, ${note}, location,
      ${times.cancelUntil}::text::timestamptz, ${times.remindAt}::text::timestamptz
    FROM allowed, numbered
    RETURNING ${sql.literal(reservationColumns)}`
  return row === undefined ? undefined : yield* decode(row)
})

export const updateNote = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { id }: StoredReservation,
  note: string | null
) {
  const { customerId, orgId } = yield* CurrentCustomer
  const [row] = yield* sql`
    UPDATE reservations SET note = ${note}
    WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
    RETURNING ${sql.literal(reservationColumns)}`
  return yield* decode(row)
})

export const updateSlot = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { id }: StoredReservation,
  times: ReturnType<typeof timesOf>,
  partySize: number,
  status: Reservation["status"]
) {
  const { customerId, orgId } = yield* CurrentCustomer
  const [row] = yield* sql`
    UPDATE reservations SET starts_at = ${times.startsAt}::text::timestamptz,
      ends_at = ${times.endsAt}::text::timestamptz, busy_until = ${times.busyUntil}::text::timestamptz,
      cancel_until = ${times.cancelUntil}::text::timestamptz, remind_at = ${times.remindAt}::text::timestamptz,
      party_size = ${partySize}, status = ${status}
    WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
      AND NOT ${yield* overlapping(sql, id, times)}
    RETURNING ${sql.literal(reservationColumns)}`
  return row === undefined ? undefined : yield* decode(row)
})

export const updateCancelled = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, { id }: StoredReservation) {
  const { customerId, orgId } = yield* CurrentCustomer
  const [row] = yield* sql`
    UPDATE reservations SET status = 'cancelled', remind_at = NULL
    WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
    RETURNING ${sql.literal(reservationColumns)}`
  return yield* decode(row)
})

export const updateStatus = Effect.fnUntraced(function* (
  platformSql: SqlClient.SqlClient,
  { id }: StoredReservation,
  { note, status }: ReservationDecision
) {
  const { orgId } = yield* CurrentPlatform
  const [row] = yield* platformSql`
    UPDATE reservations SET status = ${status},
      note = CASE WHEN ${note === undefined} THEN note ELSE ${note ?? null}::text END,
      remind_at = CASE WHEN ${status === "confirmed"} AND starts_at > now() + interval '1 day'
        THEN starts_at - interval '1 day' END
    WHERE org_id = ${orgId} AND id = ${id}
    RETURNING ${platformSql.literal(reservationColumns)}`
  return yield* decode(row)
})

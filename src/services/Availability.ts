import { Clock, Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { dayAfter, dayOf, daysFrom, offeredOf, type Slot as Time } from "../domain/OpeningHours.ts"
import { liveStatuses } from "../domain/Reservation.ts"
import {
  type DefinitionId,
  DefinitionNotFound,
  ReservationDefinition,
  type Service
} from "../domain/ReservationDefinition.ts"
import { openOf, SlotUnavailable, type Taken } from "../domain/Slot.ts"

const Millis = Schema.Int

const Seen = Schema.Struct({
  ...ReservationDefinition.fields,
  taken: Schema.Array(Schema.Struct({ from: Millis, to: Millis, spots: Schema.Int })),
  own: Schema.Array(Schema.Struct({ id: Schema.String, from: Millis, to: Millis })),
  held: Schema.Int
})
const decode = Schema.decodeUnknownEffect(Seen)

/** A definition at one moment, with what is taken of it on some days, and by the customer's own reservations of any. */
export type Availability = typeof Seen.Type & { readonly now: number; readonly days: ReadonlyArray<string> }

const live = liveStatuses.map((status) => `'${status}'`).join()

/** How many count against `maxPerCustomer`: one that was cancelled still does for a day, lest slots be held in turns. */
export const held = (
  sql: SqlClient.SqlClient,
  { customerId, definitionId, now, orgId }: Asked & { now: number }
) => sql`
  (SELECT count(*)::int FROM reservations
  WHERE org_id = ${orgId} AND customer_id = ${customerId} AND definition_id = ${definitionId}
    AND starts_at > ${new Date(now).toISOString()}::text::timestamptz
    AND (status IN (${sql.literal(live)}) OR status = 'cancelled' AND updated_at > now() - interval '1 day'))`

interface Asked {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly definitionId: DefinitionId
}

/** One statement, however many days. */
export const look = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, asked: Asked, days: ReadonlyArray<string>) {
  const { customerId, definitionId, orgId } = asked
  const now = yield* Clock.currentTimeMillis
  // Whatever the zone, which is only about to be read, its days lie between.
  const from = `${dayAfter(days[0]!, -1)}T00:00:00Z`
  const to = `${dayAfter(days.at(-1)!, 2)}T00:00:00Z`
  const [row] = yield* sql`
    SELECT *,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('from', (extract(epoch FROM starts_at) * 1000)::bigint,
        'to', (extract(epoch FROM busy_until) * 1000)::bigint, 'spots', taken) ORDER BY starts_at), '[]')
      FROM reservation_occupancy
      WHERE org_id = ${orgId} AND definition_id = ${definitionId}
        AND busy_until > ${from}::text::timestamptz AND starts_at < ${to}::text::timestamptz) AS taken,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('from', (extract(epoch FROM starts_at) * 1000)::bigint,
        'to', (extract(epoch FROM ends_at) * 1000)::bigint, 'id', id)), '[]')
      FROM reservations
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND status <> 'cancelled'
        AND ends_at > ${from}::text::timestamptz AND starts_at < ${to}::text::timestamptz) AS own,
      ${held(sql, { ...asked, now })} AS held
    FROM reservation_definitions WHERE org_id = ${orgId} AND id = ${definitionId} AND active`
  if (row === undefined) return yield* new DefinitionNotFound()
  return { ...(yield* decode(row)), now, days } as Availability
})

/** The days that may have a slot beginning at this instant, wherever the business is, and the week on either side. */
export const daysAround = (start: Date): ReadonlyArray<string> => {
  // A day more than the last of the year 9999 has a name that Postgres does not read.
  const day = new Date(Math.min(start.getTime(), Date.UTC(2999, 0))).toISOString().slice(0, 10)
  return daysFrom(dayAfter(day, -8), dayAfter(day, 8))
}

export const serviceOf = ({ services }: Pick<Availability, "services">, name: string | undefined) => {
  const service = name === undefined ? services[0] : services.find((service) => service.name === name)
  if (service !== undefined) return Effect.succeed(service)
  const message = `Expected one of ${services.map(({ name }) => JSON.stringify(name)).join(", ")}`
  return Effect.fail(new InvalidRequest({ errors: [{ pointer: "/body/service", message }] }))
}

/** The slot that begins at this instant, if it is offered. Clocks put back at midnight show the day before once more. */
export const slotAt = (seen: Availability, service: Service, start: Date): Time | undefined => {
  if (start.getTime() > seen.now + (seen.horizonDays + 2) * 86_400_000) return undefined
  const day = dayOf(start.getTime(), seen.timezone)
  return offeredOf(seen, service, daysFrom(dayAfter(day, -1), dayAfter(day)), seen.now).find(
    (slot) => slot.start === start.getTime()
  )
}

/** What is seen by somebody whose own reservation has gone. */
export const without = (
  seen: Availability,
  {
    busyUntil,
    id,
    partySize,
    start
  }: { readonly id: string; readonly partySize: number } & Record<"busyUntil" | "start", Date>
): Availability => ({
  ...seen,
  own: seen.own.filter((own) => own.id !== id),
  taken: seen.taken.map((taken): Taken => {
    const isSame = taken.from === start.getTime() && taken.to === busyUntil.getTime()
    return isSame ? { ...taken, spots: taken.spots - partySize } : taken
  })
})

export const hasRoom = (seen: Availability, slot: Time, partySize: number): boolean =>
  openOf([slot], seen.spots, seen.taken, seen.own, partySize).length > 0

/** That a slot is gone, and which are nearest to it. */
export const gone = (seen: Availability, service: Service, start: number, partySize: number) => {
  const open = openOf(offeredOf(seen, service, seen.days, seen.now), seen.spots, seen.taken, seen.own, partySize)
  const far = (slot: { readonly start: Date }) => Math.abs(slot.start.getTime() - start)
  const alternatives = open
    .filter((slot) => far(slot) > 0)
    .sort((a, b) => far(a) - far(b))
    .slice(0, 5)
  const isOwn = seen.own.some(({ from, to }) => from <= start && start < to)
  return new SlotUnavailable({
    alternatives,
    ...(isOwn ? { detail: "You have another reservation at that time." } : {})
  })
}

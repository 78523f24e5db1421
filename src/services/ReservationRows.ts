import { Clock, Effect, Schema } from "effect"
import { type SqlClient, SqlError, type Statement } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { Slot as Time } from "../domain/OpeningHours.ts"
import {
  actionsAt,
  liveStatuses,
  PlatformReservation,
  type PlatformReservationsQuery,
  ReservationNotFound,
  reservationSorts
} from "../domain/Reservation.ts"
import type { ReservationDefinition } from "../domain/ReservationDefinition.ts"
import { Timestamp } from "../domain/Timestamp.ts"
import { paginate } from "./Paging.ts"

const { availableActions: _, unavailableActions: __, ...facts } = PlatformReservation.fields

/** A reservation as its row says, which knows no clock. */
export const StoredReservation = Schema.Struct({ ...facts, busyUntil: Timestamp, cancelUntil: Timestamp })
export type StoredReservation = typeof StoredReservation.Type

export const reservationColumns = `
  id, number, definition_id, service, title, starts_at AS start, ends_at AS "end", busy_until, timezone, party_size,
  status, note, location, cancel_until, customer_id, version, created_at, updated_at`

export const shown = ({ busyUntil: _, cancelUntil, ...reservation }: StoredReservation, now: number) => ({
  ...reservation,
  ...actionsAt({ ...reservation, cancelUntil }, now)
})

/** As the customer sees it, who knows whose it is. */
export const shownToOwner = (reservation: StoredReservation, now: number) => {
  const { customerId: _, ...shownReservation } = shown(reservation, now)
  return shownReservation
}

const column = {
  ...(Object.fromEntries(
    Object.keys(reservationSorts).map((field) => [
      field,
      `reservations.${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
    ])
  ) as Record<keyof typeof reservationSorts, `reservations.${string}`>),
  number: "reservations.number::bigint",
  start: "reservations.starts_at",
  end: "reservations.ends_at"
} as const

const sorts = Object.fromEntries(
  Object.entries(reservationSorts).map(([field, type]) => [
    field,
    { type, column: column[field as keyof typeof reservationSorts] }
  ])
) as Record<
  keyof typeof reservationSorts,
  { type: (typeof reservationSorts)[keyof typeof reservationSorts]; column: `reservations.${string}` }
>

const columns = (sql: SqlClient.SqlClient) => sql.literal(reservationColumns)
const decode = Schema.decodeUnknownEffect(StoredReservation)

export const selectMine = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, numberOrId: string) {
  const { customerId, orgId } = yield* CurrentCustomer
  const [row] = yield* sql`
    SELECT ${columns(sql)} FROM reservations
    WHERE org_id = ${orgId} AND customer_id = ${customerId} AND (id = ${numberOrId} OR number = ${numberOrId})`
  return row === undefined ? yield* new ReservationNotFound() : yield* decode(row)
})

export const selectOurs = Effect.fnUntraced(function* (platformSql: SqlClient.SqlClient, numberOrId: string) {
  const { orgId } = yield* CurrentPlatform
  const [row] = yield* platformSql`
    SELECT ${columns(platformSql)} FROM reservations
    WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})`
  return row === undefined ? yield* new ReservationNotFound() : yield* decode(row)
})

/** One page of the reservations that are `whose`, the customer or org first. */
export const selectReservations = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  query: PlatformReservationsQuery,
  whose: Statement.Fragment
) {
  const now = yield* Clock.currentTimeMillis
  const at = sql`${new Date(now).toISOString()}::text::timestamptz`
  const filters = [whose]
  if (query.status !== undefined) filters.push(sql.in("status", query.status))
  if (query.customerId !== undefined) filters.push(sql`customer_id = ${query.customerId}`)
  if (query.definitionId !== undefined) filters.push(sql`definition_id = ${query.definitionId}`)
  if (query.when === "upcoming") filters.push(sql`ends_at > ${at}`, sql.in("status", liveStatuses))
  if (query.when === "past") filters.push(sql`ends_at <= ${at}`)
  const page = yield* paginate({
    sql,
    query,
    sorts,
    byDefault: "start",
    item: StoredReservation,
    columns: columns(sql),
    from: sql`reservations WHERE ${sql.and(filters)}`
  })
  return { page, now }
})

/** The columns that follow from the slot, by the definition's rules of today. */
export const timesOf = (
  { end, start, busyUntil }: Time,
  { cancelNoticeMinutes }: Pick<ReservationDefinition, "cancelNoticeMinutes">,
  now: number
) => {
  const remindAt = start - 86_400_000
  return {
    startsAt: new Date(start).toISOString(),
    endsAt: new Date(end).toISOString(),
    busyUntil: new Date(busyUntil).toISOString(),
    cancelUntil: new Date(start - cancelNoticeMinutes * 60_000).toISOString(),
    remindAt: remindAt > now ? new Date(remindAt).toISOString() : null
  }
}

/** The database has counted, and there are not as many spots. */
export const isFull = (error: unknown): error is SqlError.SqlError & { readonly reason: SqlError.ConstraintError } =>
  SqlError.isSqlError(error) &&
  error.reason._tag === "ConstraintError" &&
  (error.reason.cause as { readonly code?: unknown } | undefined)?.code === "23P01"

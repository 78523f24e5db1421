import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { dayBegins, isDay } from "../domain/Moment.ts"

/** Filters for `from` and `to`. A day needs the customer's zone, which is one more round trip; instants go without. */
export const within = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  column: string,
  { from, to }: { readonly from?: string; readonly to?: string }
) {
  const zone = [from, to].some((bound) => bound !== undefined && isDay(bound)) ? yield* zoneOf(sql) : "UTC"
  const at = sql.literal(column)
  const filters = []
  if (from !== undefined) filters.push(sql`${at} >= ${isDay(from) ? dayBegins(from, zone) : new Date(from)}`)
  if (to !== undefined) {
    filters.push(isDay(to) ? sql`${at} < ${dayBegins(to, zone, 1)}` : sql`${at} <= ${new Date(to)}`)
  }
  return filters
})

const zoneOf = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const { customerId, orgId } = yield* CurrentCustomer
  const [profile] = yield* sql<{ readonly timezone: string | null }>`
    SELECT timezone FROM customers WHERE org_id = ${orgId} AND id = ${customerId}`
  return profile?.timezone ?? "UTC"
}, Effect.orDie)

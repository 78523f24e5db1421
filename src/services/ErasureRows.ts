import { Clock, Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { Blocker, Erasure, Receipt } from "../domain/Erasure.ts"
import { openStatuses } from "../domain/Order.ts"
import { liveStatuses } from "../domain/Reservation.ts"

const decodeBlockers = Schema.decodeUnknownEffect(Schema.Array(Blocker))
const decodeReceipts = Schema.decodeUnknownEffect(Schema.Array(Receipt))
const { blockers: _, receipts: __, ...facts } = Erasure.fields
const decodeFacts = Schema.decodeUnknownEffect(Schema.Struct(facts))

const none = {
  status: "none" as const,
  requestedBy: null,
  requestedAt: null,
  erasesAt: null,
  startedAt: null,
  finishedAt: null
}

/** What is known of a customer's erasure, to whoever `sql` lets see it. */
export const erasureRows = (sql: SqlClient.SqlClient) => {
  /** What is still to come between the org and the customer. */
  const blockersOf = Effect.fnUntraced(function* (orgId: string, customerId: string) {
    const now = new Date(yield* Clock.currentTimeMillis)
    const rows = yield* sql`
      (SELECT 'reservation' AS type, id, 'Reservation ' || number || ': ' || title AS detail FROM reservations
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND ${sql.in("status", liveStatuses)} AND ends_at > ${now}
        ORDER BY starts_at LIMIT 20)
      UNION ALL
      (SELECT 'order', id, 'Order ' || number || ': ' || status FROM orders
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND ${sql.in("status", openStatuses)}
        ORDER BY placed_at LIMIT 20)
      UNION ALL
      (SELECT 'wallet', NULL, 'The wallet holds ' || currency || ' in minor units: ' || balance FROM wallets
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND balance > 0)`
    return yield* decodeBlockers(rows)
  }, Effect.orDie)

  const erasureOf = Effect.fnUntraced(function* (orgId: string, customerId: string) {
    const [row] = yield* sql`
      SELECT CASE WHEN finished_at IS NOT NULL THEN 'finished' WHEN started_at IS NOT NULL THEN 'running'
          WHEN erases_at IS NOT NULL THEN 'scheduled' ELSE 'awaiting_code' END AS status,
        requested_by, requested_at, erases_at, started_at, finished_at
      FROM erasures WHERE org_id = ${orgId} AND customer_id = ${customerId}`
    const receipts = yield* sql`
      SELECT system, attempts, done_at, last_error FROM erasure_receipts
      WHERE org_id = ${orgId} AND customer_id = ${customerId} ORDER BY done_at NULLS LAST, system`
    const known = row === undefined ? none : yield* decodeFacts(row)
    return {
      ...known,
      blockers: yield* blockersOf(orgId, customerId),
      receipts: yield* decodeReceipts(receipts)
    }
  }, Effect.orDie)

  return { blockersOf, erasureOf }
}

import { Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { transaction } from "./Database.ts"
import type { NewDelivery } from "./Deliveries.ts"
import type { DeliveryQueue, Try } from "./DeliveryQueue.ts"

/** A try that is this worker's alone until its lease is over. */
export interface Claimed {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly id: string
  readonly claim: string
  readonly message: NewDelivery["message"]
  readonly sealedCode: string | null
  /** Tries that were begun, this one included. */
  readonly attempts: number
  /** Tries that have come to an end. */
  readonly finished: number
  readonly isExpired: boolean
  /** Seconds until it is of no use. */
  readonly expiresIn: number | null
}

/** What has become of a try; `queued` is tried again after the pause. */
export type Outcome = {
  readonly reason: string | null
  readonly detail: string | null
} & (
  | { readonly state: "sent" | "failed" | "skipped" }
  | { readonly state: "queued"; readonly pause: Duration.Duration }
)

/** The ledger of deliveries as workers keep it. */
export const deliveryRows = (
  sql: SqlClient.SqlClient,
  queue: Pick<DeliveryQueue["Service"], "offer">,
  lease: Duration.Input
) => {
  const seconds = Duration.toSeconds(Duration.fromInputUnsafe(lease))

  const claim = Effect.fnUntraced(function* ({ customerId, finished, id, orgId }: Try, claim: string) {
    const [claimed] = yield* sql<Claimed>`
      UPDATE deliveries SET attempts = attempts + 1, claim = ${claim},
        claimed_until = now() + make_interval(secs => ${seconds}::float), updated_at = now()
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
        AND state = 'queued' AND finished = ${finished} AND (claimed_until IS NULL OR claimed_until < now())
      RETURNING org_id, customer_id, id, claim, attempts, finished, sealed_code,
        message || jsonb_build_object('channel', channel) AS message,
        coalesce(expires_at <= now(), false) AS is_expired,
        extract(epoch FROM expires_at - now())::float AS expires_in`
    return claimed
  }, Effect.orDie)

  /** Whether a try that could not be claimed is another worker's, which may yet die. */
  const isElsewhere = ({ customerId, finished, id, orgId }: Try) =>
    sql`
      SELECT 1 FROM deliveries
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
        AND state = 'queued' AND finished = ${finished}`.pipe(
      Effect.orDie,
      Effect.map((rows) => rows.length > 0)
    )

  /** The code goes with the state that needs it, and what it said once it has been sent. */
  const end = ({ claim, customerId, id, orgId }: Claimed, { detail, reason, state }: Outcome) => sql`
    UPDATE deliveries SET finished = finished + 1, state = ${state}, reason = ${reason}, detail = ${detail},
      claim = NULL, claimed_until = NULL, next_try_at = NULL, sealed_code = NULL, updated_at = now(),
      sent_at = CASE WHEN ${state} = 'sent' THEN now() END,
      message = CASE WHEN ${state} = 'failed' THEN message END
    WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} AND claim = ${claim}`

  const postpone = (
    { claim, customerId, finished, id, orgId }: Claimed,
    { detail, reason }: Outcome,
    pause: Duration.Duration
  ) =>
    Effect.gen(function* () {
      const postponed = yield* sql`
        UPDATE deliveries SET finished = finished + 1, reason = ${reason}, detail = ${detail},
          claim = NULL, claimed_until = NULL, updated_at = now(),
          next_try_at = now() + make_interval(secs => ${Duration.toSeconds(pause)}::float)
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} AND claim = ${claim}
        RETURNING id`
      if (postponed.length > 0) yield* queue.offer(sql, { orgId, customerId, id, finished: finished + 1 }, pause)
    }).pipe(transaction(sql))

  const settle = (claimed: Claimed, outcome: Outcome) =>
    Effect.asVoid(
      Effect.orDie(outcome.state === "queued" ? postpone(claimed, outcome, outcome.pause) : end(claimed, outcome))
    )

  return { claim, isElsewhere, settle }
}

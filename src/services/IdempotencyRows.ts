import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { IdempotencyInProgress, IdempotencyKeyReused } from "../domain/Idempotency.ts"

/** One write as its caller named it. `fingerprint` tells whether another request carries the same key. */
export interface Named {
  readonly method: string
  readonly route: string
  readonly key: string
  readonly fingerprint: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface KeyedWrite<E, R> {
  /**
   * A write that calls a provider, or whose failures leave traces, keeps no transaction open meanwhile: it commits its
   * own steps, each of which bears repeating, since a crash before the answer is stored means that it runs again.
   */
  readonly callsOut: boolean
  readonly run: Effect.Effect<Answer, E, R>
  readonly failed: (error: E) => Effect.Effect<Answer>
  readonly keep: (answer: Answer) => boolean
}

/** Whose keys: a customer's own, or those of an org's platform, whose customer is `*`. */
export interface Owner {
  readonly sql: SqlClient.SqlClient
  readonly orgId: string
  readonly customerId: string
}

/** What binds others under a key: an answer, or the claim of one that still runs, which has no status. */
export interface Held {
  readonly fingerprint: string
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Whether what is held binds nobody any more: its day is over, or whoever claimed it for this request is dead. */
export const isFree = (fingerprint: string) => `(
  held.created_at < now() - interval '24 hours'
  OR (held.status IS NULL AND held.claimed_until < now() AND held.fingerprint = ${fingerprint}))`

const selectHeld = (at: Owner, { key, method, route }: Named) => at.sql<Held>`
  SELECT fingerprint, status, headers, body FROM idempotency_keys
  WHERE org_id = ${at.orgId} AND customer_id = ${at.customerId}
    AND method = ${method} AND route = ${route} AND key = ${key}`

/** What somebody is told whose key is held. */
export const answerOf = Effect.fnUntraced(function* (held: Held, named: Named) {
  if (held.fingerprint !== named.fingerprint) return yield* new IdempotencyKeyReused()
  if (held.status === null) return yield* new IdempotencyInProgress({ retryAfter: 1 })
  return { answer: { status: held.status, headers: held.headers, body: held.body } satisfies Answer, replayed: true }
})

export const replay = Effect.fnUntraced(function* (at: Owner, named: Named) {
  const [held] = yield* Effect.orDie(selectHeld(at, named))
  return yield* held === undefined ? new IdempotencyInProgress({ retryAfter: 1 }) : answerOf(held, named)
})

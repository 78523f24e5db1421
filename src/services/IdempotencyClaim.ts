import { Effect, Fiber } from "effect"
import { SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import { IdempotencyInProgress } from "../domain/Idempotency.ts"
import { CommitsForCertain } from "./Database.ts"
import { type Answer, isFree, type KeyedWrite, type Named, type Owner, replay } from "./IdempotencyRows.ts"

/** A claim whose process died is free again after this long. */
const lease = "60 seconds"

const claimKey = (at: Owner, { fingerprint, key, method, route }: Named, claim: string) => at.sql`
  INSERT INTO idempotency_keys AS held (org_id, customer_id, method, route, key, fingerprint, claim, claimed_until)
  VALUES (${at.orgId}, ${at.customerId}, ${method}, ${route}, ${key}, ${fingerprint}, ${claim},
    now() + ${lease}::text::interval)
  ON CONFLICT (org_id, customer_id, method, route, key) DO UPDATE SET
    fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
    status = NULL, headers = NULL, body = NULL, created_at = now()
  WHERE ${at.sql.literal(isFree("excluded.fingerprint"))}
  RETURNING key`

const storeAnswer = (at: Owner, { key, method, route }: Named, claim: string, answer: Answer) => at.sql`
  UPDATE idempotency_keys
  SET status = ${answer.status}, headers = ${JSON.stringify(answer.headers)}::text::jsonb, body = ${answer.body}
  WHERE org_id = ${at.orgId} AND customer_id = ${at.customerId}
    AND method = ${method} AND route = ${route} AND key = ${key} AND claim = ${claim}
  RETURNING key`

const releaseClaim = (at: Owner, { key, method, route }: Named, claim: string) =>
  Effect.orDie(at.sql`
    DELETE FROM idempotency_keys
    WHERE org_id = ${at.orgId} AND customer_id = ${at.customerId}
      AND method = ${method} AND route = ${route} AND key = ${key} AND claim = ${claim} AND status IS NULL`)

/** Waited for a moment only: where a write failed because the database hangs, so does this. */
const giveUp = (at: Owner, named: Named, claim: string) =>
  releaseClaim(at, named, claim).pipe(
    Effect.forkDetach,
    Effect.flatMap((releasing) => Effect.timeoutOption(Fiber.await(releasing), "1 second"))
  )

const isLost = ({ reason }: SqlError.SqlError) => reason._tag === "ConnectionError"

const runAndStore = <E, R>(at: Owner, named: Named, claim: string, write: KeyedWrite<E, R>) =>
  Effect.gen(function* () {
    const answer = yield* write.run.pipe(
      Effect.provideService(CommitsForCertain, true),
      Effect.catch((error) => (SqlError.isSqlError(error) ? Effect.die(error) : write.failed(error)))
    )
    if (!write.keep(answer)) return yield* Effect.as(releaseClaim(at, named, claim), answer)
    const stored = yield* storeAnswer(at, named, claim, answer).pipe(
      // Alone, it may be said twice.
      Effect.retry({ while: isLost, times: 2 }),
      Effect.orDie
    )
    // Another process took the claim over after the lease ran out, and its answer is the one that counts.
    if (stored.length === 0) return yield* new IdempotencyInProgress({ retryAfter: 1 })
    return answer
  }).pipe(Effect.onError(() => giveUp(at, named, claim)))

/** Claims the key for a while, runs the write, which commits its own steps, and stores its answer. */
export const underClaim = Effect.fnUntraced(function* <E, R>(at: Owner, named: Named, write: KeyedWrite<E, R>) {
  const claim = randomUUID()
  const claimed = yield* Effect.orDie(claimKey(at, named, claim)).pipe(Effect.onError(() => giveUp(at, named, claim)))
  if (claimed.length === 0) return yield* replay(at, named)
  return { answer: yield* runAndStore(at, named, claim, write), replayed: false }
})

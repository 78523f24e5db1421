import { Data, Effect, Schedule } from "effect"
import { SqlError } from "effect/sql"
import { hash } from "node:crypto"
import { IdempotencyInProgress } from "../domain/Idempotency.ts"
import { transaction } from "./Database.ts"
import {
  type Answer,
  answerOf,
  type Held,
  isFree,
  type KeyedWrite,
  type Named,
  type Owner,
  replay
} from "./IdempotencyRows.ts"

/** All that makes a key what it is, as the number of a lock. By a hash that nobody can aim at the lock of another. */
const lockOf = ({ customerId, orgId }: Owner, { key, method, route }: Named) =>
  hash("sha256", JSON.stringify([orgId, customerId, method, route, key]), "buffer")
    .readBigInt64BE()
    .toString()

/** Without anything held, all of it is null. */
type Found = Held | { readonly [column in keyof Held]: null }

const lockAndSelectHeld = (at: Owner, named: Named) => at.sql<Found & { readonly locked: boolean }>`
  SELECT pg_try_advisory_xact_lock(${lockOf(at, named)}::text::bigint) AS locked,
    held.fingerprint, held.status, held.headers, held.body
  FROM (SELECT ${named.fingerprint}::text AS fingerprint) AS asked
  LEFT JOIN idempotency_keys AS held ON held.org_id = ${at.orgId} AND held.customer_id = ${at.customerId}
    AND held.method = ${named.method} AND held.route = ${named.route} AND held.key = ${named.key}
    AND NOT ${at.sql.literal(isFree("asked.fingerprint"))}`

const isUnlocked = (at: Owner, named: Named) => at.sql<{ readonly unlocked: boolean }>`
  SELECT pg_try_advisory_xact_lock(${lockOf(at, named)}::text::bigint) AS unlocked`

/** No claim, which would be somebody's who runs. */
const insertAnswer = (at: Owner, { fingerprint, key, method, route }: Named, answer: Answer) => at.sql`
  INSERT INTO idempotency_keys AS held (
    org_id, customer_id, method, route, key, fingerprint, claim, claimed_until, status, headers, body
  )
  VALUES (${at.orgId}, ${at.customerId}, ${method}, ${route}, ${key}, ${fingerprint}, '', now(),
    ${answer.status}, ${JSON.stringify(answer.headers)}::text::jsonb, ${answer.body})
  ON CONFLICT (org_id, customer_id, method, route, key) DO UPDATE SET
    fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
    status = excluded.status, headers = excluded.headers, body = excluded.body, created_at = excluded.created_at
  WHERE ${at.sql.literal(isFree("excluded.fingerprint"))}
  RETURNING key`

const store = Effect.fnUntraced(function* (at: Owner, named: Named, answer: Answer) {
  const stored = yield* Effect.orDie(insertAnswer(at, named, answer))
  if (stored.length === 0) return yield* new Overtaken()
  return { answer, replayed: false }
})

/**
 * A connection that was lost keeps its transaction, and the lock, until Postgres notices. Waited for a moment only, so that
 * whoever is told to repeat finds the key free, or the answer.
 */
const ended = (at: Owner, named: Named) =>
  isUnlocked(at, named).pipe(
    Effect.repeat({ until: ([row]) => row?.unlocked === true, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOption("1 second"),
    Effect.ignore
  )

/**
 * Runs the write in one transaction that ends with its answer: whoever dies on the way leaves nothing behind.
 *
 * The lock turns away who comes meanwhile. It proves nothing: it is taken by the statement that looks what is held, which
 * sees the rows of a moment before, and claims of writes that call out know no lock. What proves is the primary key: no
 * INSERT passes an answer or a live claim that is committed, and one that is not yet it waits for. So of two that ran, the
 * later one stores nothing, is rolled back, and answers what the other has stored.
 */
export const underLock = <E, R>(at: Owner, named: Named, write: KeyedWrite<E, R>) =>
  Effect.gen(function* () {
    const found = (yield* Effect.orDie(lockAndSelectHeld(at, named)))[0]!
    if (found.fingerprint !== null) return yield* answerOf(found, named)
    if (!found.locked) return yield* new IdempotencyInProgress({ retryAfter: 1 })
    const answer = yield* Effect.catch(write.run, (error) =>
      SqlError.isSqlError(error)
        ? Effect.die(error)
        : Effect.flatMap(write.failed(error), (answer) => new Undone({ answer }))
    )
    if (!write.keep(answer)) return yield* new Undone({ answer })
    return yield* store(at, named, answer)
  }).pipe(
    transaction(at.sql),
    Effect.catchTag("SqlError", Effect.die),
    Effect.tapDefect(() => ended(at, named)),
    // What a failed write did is gone, so its answer stands alone.
    Effect.catchTag("Undone", ({ answer }) =>
      write.keep(answer) ? store(at, named, answer) : Effect.succeed({ answer, replayed: false })
    ),
    Effect.catchTag("Overtaken", () => replay(at, named))
  )

/** Leaves the transaction, so that of the write nothing stays but its answer. */
class Undone extends Data.TaggedError("Undone")<{ readonly answer: Answer }> {}

/** Somebody else has stored an answer under the key meanwhile, or claimed it. */
class Overtaken extends Data.TaggedError("Overtaken")<{}> {}

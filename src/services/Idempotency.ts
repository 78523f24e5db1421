import { Context, Data, Effect, Fiber, identity, Layer, Schedule } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { IdempotencyInProgress, IdempotencyKeyReused } from "../domain/Idempotency.ts"
import { CommitsForCertain, CustomerSql, PlatformSql, transaction } from "./Database.ts"

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

/** A claim whose process died is free again after this long; nothing of it was committed. */
const lease = "60 seconds"

export class Idempotency extends Context.Service<
  Idempotency,
  {
    /**
     * Runs a write once for its key: claim, run, store. Its effects and its stored answer commit together or not at all,
     * so a crash leaves either both or neither. Keys belong to org, customer, method and route, and live for 24 h.
     *
     * What a failed write did is undone before `failed` words its answer. `keep` says which answers are replayed; a write
     * whose answer is not kept has changed nothing.
     */
    readonly once: <E, R>(
      named: Named,
      write: Write<E, R>
    ) => Effect.Effect<
      { readonly answer: Answer; readonly replayed: boolean },
      IdempotencyInProgress | IdempotencyKeyReused,
      R
    >
  }
>()("portico/services/Idempotency") {
  static readonly layer = Layer.effect(
    Idempotency,
    Effect.gen(function* () {
      const customerSql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const sql = yield* SqlClient.SqlClient

      /** Whose keys: a customer's own, or those of an org's platform. */
      const owner = Effect.contextWith((context: Context.Context<never>) => {
        const customer = Context.getOrUndefined(context, CurrentCustomer)
        if (customer !== undefined) return Effect.succeed({ sql: customerSql, ...customer })
        const platform = Context.getOrUndefined(context, CurrentPlatform)
        if (platform !== undefined) return Effect.succeed({ sql: platformSql, ...platform, customerId: "*" })
        return Effect.die(new Error("An idempotency key without a customer or a platform"))
      })

      const claimKey = (at: Owner, { fingerprint, key, method, route }: Named, claim: string) => at.sql`
        INSERT INTO idempotency_keys AS held (org_id, customer_id, method, route, key, fingerprint, claim, claimed_until)
        VALUES (${at.orgId}, ${at.customerId}, ${method}, ${route}, ${key}, ${fingerprint}, ${claim},
          now() + ${lease}::text::interval)
        ON CONFLICT (org_id, customer_id, method, route, key) DO UPDATE SET
          fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
          status = NULL, headers = NULL, body = NULL, created_at = now()
        WHERE held.created_at < now() - interval '24 hours'
          OR (held.status IS NULL AND held.claimed_until < now() AND held.fingerprint = excluded.fingerprint)
        RETURNING key`

      const selectHeld = (at: Owner, { key, method, route }: Named) => at.sql<Held>`
        SELECT fingerprint, status, headers, body FROM idempotency_keys
        WHERE org_id = ${at.orgId} AND customer_id = ${at.customerId}
          AND method = ${method} AND route = ${route} AND key = ${key}`

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

      const replay = Effect.fnUntraced(function* (at: Owner, named: Named) {
        const [held] = yield* Effect.orDie(selectHeld(at, named))
        if (held === undefined) return yield* new IdempotencyInProgress({ retryAfter: 1 })
        if (held.fingerprint !== named.fingerprint) return yield* new IdempotencyKeyReused()
        if (held.status === null) return yield* new IdempotencyInProgress({ retryAfter: 1 })
        return { answer: { status: held.status, headers: held.headers, body: held.body }, replayed: true }
      })

      const runAndStore = <E, R>(at: Owner, named: Named, claim: string, write: Write<E, R>) => {
        const inOne: <A, E2, R2>(effect: Effect.Effect<A, E2, R2>) => Effect.Effect<A, E2 | SqlError.SqlError, R2> =
          write.callsOut ? identity : transaction(at.sql)
        const run: Effect.Effect<Answer, E | SqlError.SqlError, R> = write.callsOut
          ? Effect.provideService(write.run, CommitsForCertain, true)
          : at.sql.withTransaction(write.run)
        const store = (answer: Answer) => {
          const stored = storeAnswer(at, named, claim, answer)
          // Alone, it may be said twice; within a transaction it is lost with all the rest.
          return Effect.orDie(write.callsOut ? Effect.retry(stored, { while: isLost, times: 2 }) : stored)
        }
        return inOne(
          Effect.gen(function* () {
            const answer = yield* Effect.catch(run, (error) =>
              SqlError.isSqlError(error) ? Effect.die(error) : write.failed(error)
            )
            if (!write.keep(answer)) return yield* new NotKept({ answer })
            const stored = yield* store(answer)
            // Another process took the claim over after the lease ran out: what this one did must not happen twice.
            if (stored.length === 0) return yield* new IdempotencyInProgress({ retryAfter: 1 })
            return answer
          })
        ).pipe(
          Effect.catchTag("SqlError", Effect.die),
          Effect.catchTag("NotKept", ({ answer }) => Effect.as(releaseClaim(at, named, claim), answer)),
          Effect.onError(() => giveUp(at, named, claim))
        )
      }

      const once = Effect.fnUntraced(function* <E, R>(named: Named, write: Write<E, R>) {
        const at = yield* owner
        const claim = randomUUID()
        const claimed = yield* Effect.orDie(claimKey(at, named, claim)).pipe(
          Effect.onError(() => giveUp(at, named, claim))
        )
        if (claimed.length === 0) return yield* replay(at, named)
        return { answer: yield* runAndStore(at, named, claim, write), replayed: false }
      })

      yield* sql`DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`.pipe(
        Effect.ignore,
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )

      return Idempotency.of({ once })
    })
  )
}

const isLost = ({ reason }: SqlError.SqlError) => reason._tag === "ConnectionError"

type Owner = { readonly sql: SqlClient.SqlClient; readonly orgId: string; readonly customerId: string }

type Held = {
  readonly fingerprint: string
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

type Write<E, R> = {
  /**
   * A write that calls a provider, or whose failures leave traces, keeps no transaction open meanwhile: it commits its
   * own steps, each of which bears repeating, since a crash before the answer is stored means that it runs again.
   */
  readonly callsOut: boolean
  readonly run: Effect.Effect<Answer, E, R>
  readonly failed: (error: E) => Effect.Effect<Answer>
  readonly keep: (answer: Answer) => boolean
}

/** Leaves the transaction, so that what would not be replayed does not stay either. */
class NotKept extends Data.TaggedError("NotKept")<{ readonly answer: Answer }> {}

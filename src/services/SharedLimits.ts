import { Context, Effect, Layer, Schedule, Semaphore } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { RateLimited } from "../domain/RateLimited.ts"

export interface SharedLimit {
  readonly orgId: string
  /** What is counted, as `autocomplete`. */
  readonly name: string
  /** Whose count it is: a customer, or a hash of an address. */
  readonly key: string
  readonly limit: number
  readonly seconds: number
}

/**
 * Limits that hold over all replicas: those that guard codes, money and paid look-ups. One write each, so not for reads.
 *
 * Counts on a connection of its own: what was used up stays used up when the request's transaction is rolled back. Not
 * to be called inside of one, where the embedded database, which has one session, would wait for it for ever.
 */
export class SharedLimits extends Context.Service<
  SharedLimits,
  { readonly use: (limit: SharedLimit) => Effect.Effect<{ readonly remaining: number }, RateLimited> }
>()("portico/services/SharedLimits") {
  static readonly layer = Layer.effect(
    SharedLimits,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const count = ({ key, limit, name, orgId, seconds }: SharedLimit) => sql<{ readonly used: number }>`
        INSERT INTO shared_limits AS held (org_id, name, key, used, ends_at)
        VALUES (${orgId}, ${name}, ${key}, 1, now() + make_interval(secs => ${seconds}::int))
        ON CONFLICT (org_id, name, key) DO UPDATE SET
          used = CASE WHEN held.ends_at <= now() THEN 1 ELSE held.used + 1 END,
          ends_at = CASE WHEN held.ends_at <= now() THEN excluded.ends_at ELSE held.ends_at END
        WHERE held.ends_at <= now() OR held.used < ${limit}
        RETURNING used`

      const secondsLeft = ({ key, name, orgId }: SharedLimit) => sql<{ readonly left: number }>`
        SELECT greatest(1, ceil(extract(epoch FROM ends_at - now())))::int AS left
        FROM shared_limits WHERE org_id = ${orgId} AND name = ${name} AND key = ${key}`

      yield* sql`DELETE FROM shared_limits WHERE ends_at < now()`.pipe(
        Effect.ignore,
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )

      // Hundreds that wait for the owner's few connections would be at work for seconds on finding that none opens.
      const turns = Semaphore.makeUnsafe(16)
      // The owner's statements have no limit of their own, as migrations need none.
      const soon = <A>(statement: Effect.Effect<A, SqlError.SqlError>) =>
        Effect.timeoutOrElse(turns.withPermit(Effect.orDie(statement)), {
          duration: "4 seconds",
          orElse: () =>
            Effect.die(new SqlError.SqlError({ reason: new SqlError.StatementTimeoutError({ cause: "count" }) }))
        })

      return SharedLimits.of({
        use: Effect.fn("SharedLimits.use")(function* (limit) {
          const [counted] = yield* soon(count(limit))
          if (counted !== undefined) return { remaining: limit.limit - counted.used }
          const [held] = yield* soon(secondsLeft(limit))
          return yield* new RateLimited({ retryAfter: held?.left ?? 1 })
        })
      })
    })
  )
}

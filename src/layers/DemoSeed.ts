import { PgClient, PgConnection } from "@effect/sql-pg"
import { Effect } from "effect"

/**
 * Runs what fills the demo while no other replica does. The lock is of a transaction on a connection of its own: what is
 * seeded has to be visible to all others, and must not be held up by what it waits for.
 */
export const alone = <A, E, R>(seed: Effect.Effect<A, E, R>) =>
  Effect.flatMap(PgClient.PgClient, ({ config }) =>
    // The embedded database serves no other process, and gives nobody a turn while a transaction is open.
    config.url === undefined
      ? seed
      : Effect.scoped(
          Effect.gen(function* () {
            const session = yield* PgConnection.make(config)
            yield* session.query("BEGIN")
            yield* session.query("SELECT pg_advisory_xact_lock(hashtext('portico/demo'))")
            return yield* seed
          })
        )
  )

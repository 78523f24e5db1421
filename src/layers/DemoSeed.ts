import { PgClient, PgConnection } from "@effect/sql-pg"
import { Effect } from "effect"

/**
 * Runs what fills the demo while no other replica does. On a connection of its own, which holds no transaction open: what
 * is seeded has to be visible to the connections that go on from there.
 */
export const alone = <A, E, R>(seed: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { config } = yield* PgClient.PgClient
      const session = yield* PgConnection.make(config)
      yield* session.query("SELECT pg_advisory_lock(hashtext('portico/demo'))")
      return yield* seed
    })
  )

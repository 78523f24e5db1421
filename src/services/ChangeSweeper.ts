import { Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { transaction } from "./Database.ts"

const atOnce = 5000

/** Forgets changes that are older than the operator keeps them. */
export class ChangeSweeper extends Context.Service<
  ChangeSweeper,
  {
    /** How many entries it took out. */
    readonly sweep: Effect.Effect<number>
  }
>()("portico/services/ChangeSweeper") {
  static readonly layerWith = (options: { readonly days: number }) =>
    Layer.effect(
      ChangeSweeper,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient

        // The newest entry that is gone stands in the counter from the same moment on: a reader misses none unknowingly.
        const sweepSome = sql<{ readonly count: number }>`
          WITH old AS (
            SELECT org_id, customer_id, sequence FROM customer_changes
            WHERE at < now() - make_interval(days => ${options.days}::int) LIMIT ${atOnce}
          ), gone AS (
            DELETE FROM customer_changes AS changes USING (
              SELECT org_id, customer_id, max(sequence) AS sequence FROM old GROUP BY org_id, customer_id
            ) AS newest
            WHERE changes.org_id = newest.org_id AND changes.customer_id = newest.customer_id
              AND changes.sequence <= newest.sequence
            RETURNING changes.org_id, changes.customer_id, changes.sequence
          ), forgotten AS (
            UPDATE customer_change_counters AS counter SET forgotten = greatest(counter.forgotten, newest.sequence)
            FROM (SELECT org_id, customer_id, max(sequence) AS sequence FROM gone GROUP BY org_id, customer_id) AS newest
            WHERE counter.org_id = newest.org_id AND counter.customer_id = newest.customer_id
          )
          SELECT count(*)::int AS count FROM gone`

        const sweep: Effect.Effect<number> = Effect.gen(function* () {
          const [{ count } = { count: 0 }] = yield* transaction(sql)(sweepSome)
          return count < atOnce ? count : count + (yield* sweep)
        }).pipe(Effect.orDie)

        // Not at once: a command that is over in a moment has no business here.
        yield* sweep.pipe(
          Effect.catchCause((cause) => Effect.logWarning("The sweeper of changes failed", cause)),
          Effect.repeat(Schedule.spaced("1 hour")),
          Effect.delay("20 seconds"),
          Effect.forkScoped
        )

        return ChangeSweeper.of({ sweep })
      })
    )
}

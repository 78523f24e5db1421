import { Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { Storage } from "./Storage.ts"

const atOnce = 100

/** Removes objects that no file names: of uploads that died half way, and of files that were deleted. */
export class FileSweeper extends Context.Service<
  FileSweeper,
  {
    /** Removes what is due; answers how many objects went. One that storage keeps is tried again, ever less often. */
    readonly sweep: Effect.Effect<number>
  }
>()("portico/services/FileSweeper") {
  static readonly layer = Layer.effect(
    FileSweeper,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const storage = yield* Storage

      // From here on no upload can make a file of it any more, and no other replica sees it for a while.
      const claimDue = sql<{ readonly orgId: string; readonly customerId: string; readonly id: string }>`
        UPDATE file_leftovers SET tries = tries + 1, due_at = now() + least(interval '1 day', interval '1 minute' * 2 ^ least(tries, 12))
        WHERE (org_id, customer_id, id) IN (
          SELECT org_id, customer_id, id FROM file_leftovers WHERE due_at <= now()
          ORDER BY due_at LIMIT ${atOnce} FOR UPDATE SKIP LOCKED)
        RETURNING org_id, customer_id, id`

      const deleteLeftover = (orgId: string, customerId: string, id: string) => sql`
        DELETE FROM file_leftovers WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`

      const sweep: Effect.Effect<number> = Effect.gen(function* () {
        const due = yield* claimDue
        const gone = yield* Effect.forEach(
          due,
          ({ customerId, id, orgId }) =>
            storage.remove(id).pipe(
              Effect.andThen(deleteLeftover(orgId, customerId, id)),
              Effect.as(1),
              Effect.catchTag(["IntegrationNotConfigured", "ProviderError", "ProviderUnavailable"], (error) =>
                Effect.as(Effect.logWarning("An object could not be removed from storage", error), 0)
              )
            ),
          { concurrency: 4 }
        )
        const swept = gone.reduce((sum, one) => sum + one, 0)
        return due.length < atOnce ? swept : swept + (yield* sweep)
      }).pipe(Effect.orDie)

      // Not at once: a command that is over in a moment has no business here.
      yield* sweep.pipe(
        Effect.catchCause((cause) => Effect.logWarning("The sweeper of storage failed", cause)),
        Effect.repeat(Schedule.spaced("30 seconds")),
        Effect.delay("10 seconds"),
        Effect.forkScoped
      )

      return FileSweeper.of({ sweep })
    })
  )
}

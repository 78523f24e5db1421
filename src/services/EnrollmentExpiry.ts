import { Clock, Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { transaction } from "./Database.ts"
import { insertSteps, isOver, type WrittenEnrollment } from "./EnrollmentRows.ts"

const atOnce = 100

/** Writes down that enrollments are over. They answer so, and change no price, from the moment itself. */
export class EnrollmentExpiry extends Context.Service<
  EnrollmentExpiry,
  {
    /** Expires what is due; answers how many that were. */
    readonly sweep: Effect.Effect<number>
  }
>()("portico/services/EnrollmentExpiry") {
  static readonly layer = Layer.effect(
    EnrollmentExpiry,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const expireDue = (now: Date) => sql<WrittenEnrollment & { readonly expiresAt: Date }>`
        UPDATE enrollments SET status = 'expired'
        WHERE (org_id, id) IN (
          SELECT org_id, id FROM enrollments WHERE ${isOver(sql, now)}
          ORDER BY expires_at LIMIT ${atOnce} FOR UPDATE SKIP LOCKED)
        RETURNING org_id, customer_id, id, expires_at`

      const expireSome = Effect.gen(function* () {
        const due = yield* expireDue(new Date(yield* Clock.currentTimeMillis))
        yield* Effect.forEach(due, (enrollment) =>
          insertSteps(sql, enrollment, [{ status: "expired", at: enrollment.expiresAt, by: "system" }])
        )
        return due.length
      }).pipe(transaction(sql))

      const sweep: Effect.Effect<number> = Effect.gen(function* () {
        const expired = yield* expireSome
        return expired < atOnce ? expired : expired + (yield* sweep)
      }).pipe(Effect.orDie)

      // Not at once: a command that is over in a moment has no business here.
      yield* sweep.pipe(
        Effect.catchCause((cause) => Effect.logWarning("The sweeper of enrollments failed", cause)),
        Effect.repeat(Schedule.spaced("30 seconds")),
        Effect.delay("15 seconds"),
        Effect.forkScoped
      )

      return EnrollmentExpiry.of({ sweep })
    })
  )
}

import { Clock, Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { OrgId } from "../domain/Ids.ts"
import { PlatformSql, transaction } from "./Database.ts"
import { aboutEnrollment, insertSteps, isOver, type WrittenEnrollment } from "./EnrollmentRows.ts"
import { Notices } from "./Notices.ts"

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
      const ownerSql = yield* SqlClient.SqlClient
      const sql = yield* PlatformSql
      const notices = yield* Notices

      const selectOrgs = (now: Date) => ownerSql<{ readonly orgId: OrgId }>`
        SELECT DISTINCT org_id FROM enrollments WHERE ${isOver(ownerSql, now)} ORDER BY org_id`

      // In the order of customers, as whoever else writes to many of them.
      const expireDue = (now: Date) =>
        CurrentPlatform.use(
          ({ orgId }) => sql<Expired>`
            WITH expired AS (
              UPDATE enrollments SET status = 'expired'
              WHERE org_id = ${orgId} AND id IN (
                SELECT id FROM enrollments WHERE org_id = ${orgId} AND ${isOver(sql, now)}
                ORDER BY customer_id, id LIMIT ${atOnce} FOR UPDATE SKIP LOCKED)
              RETURNING org_id, customer_id, id, number, status, benefit_id, expires_at)
            SELECT expired.*, title AS name
            FROM expired JOIN benefits ON benefits.org_id = expired.org_id AND benefits.id = benefit_id
            ORDER BY customer_id, expired.id`
        )

      const expireSome = Effect.gen(function* () {
        const due = yield* expireDue(new Date(yield* Clock.currentTimeMillis))
        for (const enrollment of due) {
          yield* insertSteps(sql, enrollment, [{ status: "expired", at: enrollment.expiresAt, by: "system" }])
          yield* notices.tell({ ...aboutEnrollment(enrollment), template: "benefitExpired" })
        }
        return due.length
      }).pipe(transaction(sql))

      const expireIn = (orgId: OrgId): Effect.Effect<number> =>
        expireSome.pipe(
          Effect.provideService(CurrentPlatform, { orgId }),
          Effect.orDie,
          Effect.flatMap((expired) =>
            expired < atOnce ? Effect.succeed(expired) : Effect.map(expireIn(orgId), (more) => expired + more)
          )
        )

      const sweep = Effect.gen(function* () {
        const orgs = yield* selectOrgs(new Date(yield* Clock.currentTimeMillis))
        const expired = yield* Effect.forEach(orgs, ({ orgId }) => expireIn(orgId))
        return expired.reduce((sum, count) => sum + count, 0)
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

interface Expired extends WrittenEnrollment {
  readonly number: string
  readonly name: string
  readonly status: "expired"
  readonly expiresAt: Date
}

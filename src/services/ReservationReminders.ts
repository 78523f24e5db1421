import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { OrgId } from "../domain/Ids.ts"
import { PlatformSql, transaction } from "./Database.ts"
import { Notices } from "./Notices.ts"
import { noticeOf } from "./ReservationNotices.ts"
import { reservationColumns, StoredReservation } from "./ReservationRows.ts"

const atOnce = 100

/** Reminds customers of reservations a day ahead, once for each time that one begins at. */
export class ReservationReminders extends Context.Service<
  ReservationReminders,
  {
    /** Answers how many reservations there were to remind of. */
    readonly tellDue: Effect.Effect<number>
    /** Does so every minute. */
    readonly work: Effect.Effect<never>
  }
>()("portico/services/ReservationReminders") {
  static readonly layer = Layer.effect(
    ReservationReminders,
    Effect.gen(function* () {
      const ownerSql = yield* SqlClient.SqlClient
      const sql = yield* PlatformSql
      const notices = yield* Notices
      const decode = Schema.decodeUnknownEffect(Schema.Array(StoredReservation))

      // `remind_at` is a day before the start, so that what has begun is not looked at. Pending ones are still to be told
      // of by the staff.
      const isDue = (now: Date) => sql`
        remind_at <= ${now}::timestamptz AND remind_at > ${now}::timestamptz - interval '1 day'
        AND starts_at > ${now}::timestamptz AND status IN ('confirmed', 'rescheduled')
        AND NOT EXISTS (
          SELECT 1 FROM reservation_reminders AS told WHERE told.org_id = reservations.org_id
            AND told.customer_id = reservations.customer_id AND reservation_id = reservations.id
            AND told.starts_at = reservations.starts_at)`

      const selectOrgs = (now: Date) => ownerSql<{ readonly id: OrgId }>`
        SELECT id FROM orgs WHERE EXISTS (SELECT 1 FROM reservations WHERE org_id = orgs.id AND ${isDue(now)})
        ORDER BY id`

      // Whoever moves or cancels one of them now waits until it has been told of, or has it to themselves.
      const claim = Effect.fnUntraced(function* (now: Date) {
        const { orgId } = yield* CurrentPlatform
        const due = yield* decode(
          yield* sql`
            SELECT ${sql.literal(reservationColumns)} FROM reservations
            WHERE org_id = ${orgId} AND ${isDue(now)}
            ORDER BY customer_id, id LIMIT ${atOnce} FOR UPDATE SKIP LOCKED`
        )
        const ids = `{${due.map(({ id }) => id).join()}}`
        const claimed = yield* sql<{ readonly id: string }>`
          INSERT INTO reservation_reminders (org_id, customer_id, reservation_id, starts_at)
          SELECT org_id, customer_id, id, starts_at FROM reservations
          WHERE org_id = ${orgId} AND id = ANY (${ids}::text::text[])
          ON CONFLICT DO NOTHING
          RETURNING reservation_id AS id`
        const mine = new Set(claimed.map(({ id }) => id))
        return { seen: due.length, due: due.filter(({ id }) => mine.has(id)) }
      })

      const tellBatch = Effect.gen(function* () {
        const { due, seen } = yield* claim(new Date(yield* Clock.currentTimeMillis))
        for (const reservation of due) yield* notices.tell(noticeOf("reservationReminder", reservation))
        return { told: due.length, more: seen === atOnce }
      }).pipe(transaction(sql), Effect.orDie)

      const tellOrg = (orgId: OrgId): Effect.Effect<number> =>
        tellBatch.pipe(
          Effect.provideService(CurrentPlatform, { orgId }),
          Effect.flatMap(({ more, told }) =>
            more ? Effect.map(tellOrg(orgId), (others) => told + others) : Effect.succeed(told)
          )
        )

      const tellDue = Effect.gen(function* () {
        const orgs = yield* selectOrgs(new Date(yield* Clock.currentTimeMillis))
        const told = yield* Effect.forEach(orgs, ({ id }) => tellOrg(id))
        return told.reduce((sum, count) => sum + count, 0)
      }).pipe(Effect.orDie, Effect.withSpan("ReservationReminders.tellDue"))

      const work = tellDue.pipe(
        Effect.catchCause((cause) => Effect.logWarning("Reminding of reservations failed", cause)),
        Effect.delay("1 minute"),
        Effect.forever
      )

      return ReservationReminders.of({ tellDue, work })
    })
  )
}

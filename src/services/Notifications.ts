import { Context, Effect, Layer, Schema } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import {
  Notification,
  NotificationNotFound,
  notificationSorts,
  type NotificationsPage,
  type NotificationsQuery
} from "../domain/Notification.ts"
import { CustomerSql } from "./Database.ts"
import { paginate } from "./Paging.ts"

export const notificationColumns = "id, type, title, body, data, link, read_at IS NOT NULL AS read, read_at, created_at"

/** What a customer's list holds. How it gets there: `Notices` and `Broadcasts`. */
export class Notifications extends Context.Service<
  Notifications,
  {
    /** Newest first, unless the query sorts otherwise. */
    readonly list: (query: NotificationsQuery) => Effect.Effect<NotificationsPage, InvalidRequest, CurrentCustomer>
    /** Repeats change nothing. */
    readonly read: (id: string) => Effect.Effect<Notification, NotificationNotFound, CurrentCustomer>
    /** All that are there; answers how many are unread, which those are that came meanwhile. */
    readonly readAll: Effect.Effect<{ readonly unread: number }, never, CurrentCustomer>
  }
>()("portico/services/Notifications") {
  static readonly layer = Layer.effect(
    Notifications,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const decode = Schema.decodeUnknownEffect(Notification)
      const columns = sql.literal(notificationColumns)

      const countUnread = CurrentCustomer.use(({ customerId, orgId }) =>
        Effect.map(
          sql<{ readonly unread: number }>`
            SELECT count(*)::int AS unread FROM notifications
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND in_app AND read_at IS NULL`,
          ([row]) => row!.unread
        )
      )

      const list = Effect.fn("Notifications.list")(
        function* (query: NotificationsQuery) {
          const { customerId, orgId } = yield* CurrentCustomer
          const filters = [sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`, sql`in_app`]
          if (query.read !== undefined) filters.push(query.read ? sql`read_at IS NOT NULL` : sql`read_at IS NULL`)
          const page = paginate({
            sql,
            query,
            sorts: {
              createdAt: { type: notificationSorts.createdAt, column: "notifications.created_at" },
              type: { type: notificationSorts.type, column: "notifications.type" },
              title: { type: notificationSorts.title, column: "notifications.title" },
              id: { type: notificationSorts.id, column: "notifications.id" }
            },
            byDefault: "createdAt",
            item: Notification,
            columns,
            from: sql`notifications WHERE ${sql.and(filters)}`
          })
          const [found, unread] = yield* Effect.all([page, countUnread], { concurrency: 2 })
          return { ...found, unread }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const read = Effect.fn("Notifications.read")(function* (id: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          UPDATE notifications SET read_at = coalesce(read_at, now())
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} AND in_app
          RETURNING ${columns}`.pipe(Effect.orDie)
        return row === undefined ? yield* new NotificationNotFound() : yield* Effect.orDie(decode(row))
      })

      const readAll = CurrentCustomer.use(({ customerId, orgId }) =>
        Effect.andThen(
          sql`
            UPDATE notifications SET read_at = now()
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND in_app AND read_at IS NULL`,
          Effect.map(countUnread, (unread) => ({ unread }))
        )
      ).pipe(Effect.orDie, Effect.withSpan("Notifications.readAll"))

      return Notifications.of({ list, read, readAll })
    })
  )
}

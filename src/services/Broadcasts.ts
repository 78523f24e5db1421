import { Context, Effect, Layer, Queue, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import {
  type Broadcast,
  type BroadcastQuery,
  Delivery,
  DeliveryState,
  deliverySorts,
  type NewBroadcast
} from "../domain/Broadcast.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import type { OrgId } from "../domain/Ids.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import { type Channel, type NotificationData, NotificationNotFound } from "../domain/Notification.ts"
import { PlatformSql, transaction } from "./Database.ts"
import { Deliveries } from "./Deliveries.ts"
import { selectRecipients, tellRecipients } from "./NotificationRows.ts"
import { paginate } from "./Paging.ts"

/** How many customers one transaction tells. */
const atOnce = 500

/** What the platform tells many customers at once: recorded in one statement, told in the background, batch by batch. */
export class Broadcasts extends Context.Service<
  Broadcasts,
  {
    /** To all of them, or to nobody: an unknown customer among those named refuses the whole. */
    readonly accept: (
      broadcast: NewBroadcast
    ) => Effect.Effect<{ readonly id: string }, CustomerNotFound, CurrentPlatform>
    /** What has become of it, with one page of its deliveries, oldest first. */
    readonly find: (
      id: string,
      query: BroadcastQuery
    ) => Effect.Effect<Broadcast, NotificationNotFound | InvalidRequest, CurrentPlatform>
    /** Tells the next batch of each open broadcast, whichever org's; answers how many customers that were. */
    readonly tellNext: Effect.Effect<number>
    /** Does so whenever there is something to tell. */
    readonly work: Effect.Effect<never>
  }
>()("portico/services/Broadcasts") {
  static readonly layer = Layer.effect(
    Broadcasts,
    Effect.gen(function* () {
      const ownerSql = yield* SqlClient.SqlClient
      const sql = yield* PlatformSql
      const deliveries = yield* Deliveries
      const random = yield* SecureRandom.SecureRandom
      const accepted = yield* Queue.sliding<void>(1)
      const decodeCounts = Schema.decodeUnknownEffect(
        Schema.Array(Schema.Struct({ state: DeliveryState, count: Schema.Int }))
      )

      const accept = Effect.fn("Broadcasts.accept")(
        function* ({ customerIds, ...broadcast }: NewBroadcast) {
          const { orgId } = yield* CurrentPlatform
          const { body, channels, data = {}, link = null, title, type } = broadcast
          const id = yield* random.uuidV7()
          const audience = customerIds === "all" ? null : JSON.stringify([...new Set(customerIds)])
          const rows = yield* sql`
            INSERT INTO broadcasts (org_id, id, type, title, body, data, link, channels, audience, total)
            SELECT ${orgId}, ${id}, ${type}, ${title}, ${body}, ${JSON.stringify(data)}::text::jsonb, ${link}::text,
              ${channels === undefined ? null : JSON.stringify(channels)}::text::jsonb, audience, there
            FROM (SELECT ${audience}::text::jsonb AS audience) AS named, LATERAL (
              SELECT count(*)::int AS there FROM customers
              WHERE org_id = ${orgId} AND erased_at IS NULL
                AND (audience IS NULL OR id IN (SELECT jsonb_array_elements_text(audience)))) AS found
            WHERE audience IS NULL OR there = jsonb_array_length(audience)
            RETURNING id`
          if (rows.length === 0) return yield* new CustomerNotFound()
          yield* sql.afterCommit(Effect.asVoid(Queue.offer(accepted, undefined)))
          return { id }
        },
        Effect.catchTag("SqlError", Effect.die)
      )

      const selectBroadcast = Effect.fnUntraced(function* (id: string, locked: boolean) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* sql<Row>`
          SELECT id, type, title, body, data, link, channels, audience IS NULL AS to_all, total, told, told_to, created_at,
            finished_at
          FROM broadcasts WHERE org_id = ${orgId} AND id = ${id}
          ${sql.literal(locked ? "AND finished_at IS NULL FOR UPDATE SKIP LOCKED" : "")}`
        return row
      })

      /** The lock keeps other replicas out until the batch and its mark are there, or neither. */
      const tellBatch = Effect.fn("Broadcasts.tellBatch")(
        function* (id: string) {
          const { orgId } = yield* CurrentPlatform
          const broadcast = yield* selectBroadcast(id, true)
          if (broadcast === undefined) return 0
          // By the key, in its order: without statistics, which the embedded database never gathers, all that is left
          // would be sorted for each batch.
          yield* sql`SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)`
          const named = sql`(
            SELECT jsonb_array_elements_text(audience) FROM broadcasts WHERE org_id = ${orgId} AND id = ${id})`
          const meant = broadcast.toAll
            ? sql`customers.created_at <= ${broadcast.createdAt}`
            : sql`customers.id IN ${named}`
          const recipients = yield* selectRecipients(
            sql,
            orgId,
            sql`customers.id > ${broadcast.toldTo} AND ${meant} ORDER BY customers.id LIMIT ${atOnce}`
          )
          yield* tellRecipients(sql, deliveries, orgId, recipients, () => broadcast, id)
          yield* sql`
            UPDATE broadcasts SET told = told + ${recipients.length}, told_to = ${recipients.at(-1)?.customerId ?? broadcast.toldTo},
              finished_at = CASE WHEN ${recipients.length < atOnce} THEN now() END
            WHERE org_id = ${orgId} AND id = ${id}`
          return recipients.length
        },
        transaction(sql),
        Effect.orDie
      )

      const tellNext = Effect.gen(function* () {
        const open = yield* ownerSql<{ readonly orgId: OrgId; readonly id: string }>`
          SELECT org_id, id FROM broadcasts WHERE finished_at IS NULL ORDER BY created_at, id`
        const told = yield* Effect.forEach(open, ({ id, orgId }) =>
          tellBatch(id).pipe(
            Effect.provideService(CurrentPlatform, { orgId }),
            // One that fails keeps no other waiting, and is tried again with the next ones.
            Effect.catchCause((cause) =>
              Effect.as(Effect.logWarning("Telling customers of a broadcast failed", cause), 0)
            )
          )
        )
        return told.reduce((sum, count) => sum + count, 0)
      }).pipe(Effect.orDie)

      const find = Effect.fn("Broadcasts.find")(
        function* (id: string, query: BroadcastQuery) {
          const { orgId } = yield* CurrentPlatform
          const row = yield* selectBroadcast(id, false)
          if (row === undefined) return yield* new NotificationNotFound()
          const all = sql.literal(deliveriesOf)
          const told = sql`(
            SELECT org_id, customer_id, id, in_app, withheld, created_at FROM notifications
            WHERE org_id = ${orgId} AND broadcast_id = ${id})`
          const filters = [sql`true`]
          if (query.state !== undefined) filters.push(sql`state = ${query.state}`)
          if (query.channel !== undefined) filters.push(sql`channel = ${query.channel}`)
          const { data, ...page } = yield* paginate({
            sql,
            query: { st: "asc", ...query },
            sorts: {
              createdAt: { type: deliverySorts.createdAt, column: "known.created_at" },
              customerId: { type: deliverySorts.customerId, column: "known.customer_id" },
              channel: { type: deliverySorts.channel, column: "known.channel" },
              state: { type: deliverySorts.state, column: "known.state" },
              id: { type: deliverySorts.id, column: "known.id" }
            },
            byDefault: "createdAt",
            item: Delivery,
            columns: sql.literal("id, customer_id, channel, state, reason, attempts, created_at, updated_at"),
            from: sql`(WITH told AS MATERIALIZED ${told} ${all}) AS known WHERE ${sql.and(filters)}`
          })
          const counted = yield* Effect.flatMap(
            sql`SELECT state, count(*)::int AS count FROM (WITH told AS MATERIALIZED ${told} ${all}) AS known GROUP BY state`,
            decodeCounts
          )
          const counts = { queued: 0, sent: 0, delivered: 0, failed: 0, skipped: 0 }
          for (const { count, state } of counted) counts[state] = count
          const { toAll: _, told: reached, toldTo: __, total: asked, ...broadcast } = row
          return { ...broadcast, customers: { total: asked, told: reached }, counts, deliveries: data, ...page }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      // One that another process has accepted, or died over, is found within a few seconds.
      const work = Queue.take(accepted).pipe(
        Effect.timeoutOption("5 seconds"),
        Effect.andThen(Effect.repeat(tellNext, { while: (told) => told > 0 })),
        Effect.catchCause((cause) => Effect.logWarning("Telling customers of broadcasts failed", cause)),
        Effect.forever
      )

      return Broadcasts.of({ accept, find, tellNext, work })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

interface Row {
  readonly id: string
  readonly type: string
  readonly title: string
  readonly body: string
  readonly data: NotificationData
  readonly link: string | null
  readonly channels: ReadonlyArray<Channel> | null
  readonly total: number
  readonly told: number
  readonly toldTo: string
  readonly toAll: boolean
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

/** What is in the customers' lists, what was withheld, and what has left or is about to leave. */
const deliveriesOf = `
  SELECT org_id, customer_id, id || ':inApp' AS id, 'inApp' AS channel, 'delivered' AS state, NULL AS reason, 0 AS attempts,
    created_at, created_at AS updated_at
  FROM told WHERE in_app
  UNION ALL
  SELECT org_id, customer_id, id || ':' || key, key, 'skipped', value, 0, created_at, created_at
  FROM told, jsonb_each_text(withheld)
  UNION ALL
  SELECT deliveries.org_id, deliveries.customer_id, deliveries.id, channel, state, reason, attempts,
    deliveries.created_at, updated_at
  FROM told JOIN deliveries ON deliveries.org_id = told.org_id AND deliveries.notification_id = told.id`

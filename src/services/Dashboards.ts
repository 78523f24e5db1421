import { Context, Effect, Layer, Schema } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { Dashboard } from "../domain/Dashboard.ts"
import { openStatuses } from "../domain/Order.ts"
import { liveStatuses } from "../domain/Reservation.ts"
import { activities, titleOf } from "./ChangeSections.ts"
import { AccountTags } from "./AccountTags.ts"
import { tagOf, tagsOf } from "./ChangeTags.ts"
import { CustomerSql } from "./Database.ts"
import * as RecentlyUsed from "./RecentlyUsed.ts"

export class Dashboards extends Context.Service<
  Dashboards,
  {
    /** As JSON; without it where the reader has this one already. */
    readonly read: (
      ifNoneMatch?: string
    ) => Effect.Effect<{ readonly tag: string; readonly json: string | null }, never, CurrentCustomer>
  }
>()("portico/services/Dashboards") {
  static readonly layer = Layer.effect(
    Dashboards,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const tags = yield* AccountTags
      const tag = sql.literal(tagOf("counter"))
      const title = sql.literal(titleOf("latest"))
      const live = sql.literal(`'{${liveStatuses.join()}}'::text[]`)
      const open = sql.literal(`'{${openStatuses.join()}}'::text[]`)
      const decode = Schema.decodeUnknownEffect(Lasting)
      const encode = Schema.encodeEffect(Schema.fromJsonString(Lasting))
      // Most look again before anything has changed. Postgres is asked whether it has, which is less to ask than all of it.
      const remembered = RecentlyUsed.make<{ readonly tag: string; readonly json: string }>(5_000)

      // One statement: one round trip, and one snapshot.
      const select = ({ customerId, orgId }: CurrentCustomer["Service"]) => {
        const mine = sql`org_id = ${orgId} AND customer_id = ${customerId}`
        return sql<Found>`
          SELECT tag, now() AS as_of, jsonb_build_object(
            'orders', (
              SELECT jsonb_build_object('total', count(*), 'open', count(*) FILTER (WHERE status = ANY (${open})))
              FROM orders WHERE ${mine}),
            'tickets', (
              SELECT jsonb_build_object('pending', count(*)) FROM tickets WHERE ${mine} AND status = 'pending'),
            'messages', (
              SELECT jsonb_build_object('unread', count(*))
              FROM messages WHERE ${mine} AND read_at IS NULL AND from_kind <> 'customer'),
            'notifications', (
              SELECT jsonb_build_object('unread', count(*))
              FROM notifications WHERE ${mine} AND in_app AND read_at IS NULL),
            'reservations', (
              SELECT jsonb_build_object('upcoming', count(*))
              FROM reservations WHERE ${mine} AND ends_at > now() AND status = ANY (${live})),
            'wallet', jsonb_build_object('balance', (
              SELECT jsonb_build_object('amount', balance, 'currency', currency) FROM wallets WHERE ${mine})),
            'recentActivity', (
              SELECT coalesce(jsonb_agg(jsonb_build_object('type', type, 'id', id, 'title', ${title}, 'at', at)
                ORDER BY sequence DESC), '[]')
              FROM (
                SELECT * FROM (
                  SELECT DISTINCT ON (type, id) * FROM (
                    SELECT * FROM customer_changes WHERE ${mine} ORDER BY sequence DESC LIMIT 100
                  ) AS newest
                  WHERE type = ANY (${sql.literal(activities)}) ORDER BY type, id, sequence DESC
                ) AS each_once
                ORDER BY sequence DESC LIMIT 10
              ) AS latest)
          ) AS dashboard
          FROM (SELECT ${tag} AS tag FROM customer_change_counters AS counter WHERE ${mine}) AS tagged`
      }

      const readAnew = Effect.fn("Dashboards.read")(function* (current: CurrentCustomer["Service"], key: string) {
        const [{ asOf, dashboard, tag }] = (yield* select(current)) as [Found]
        const json = yield* encode(yield* decode(dashboard))
        remembered.set(key, { tag, json })
        return { tag, json: asOfNow(json, asOf) }
      }, Effect.orDie)

      const read = Effect.fnUntraced(function* (ifNoneMatch?: string) {
        const current = yield* CurrentCustomer
        const key = JSON.stringify([current.orgId, current.customerId])
        const asked = tagsOf(ifNoneMatch)
        const known = remembered.get(key)
        if (known === undefined && asked.length === 0) return yield* readAnew(current, key)
        const { asOf, tag } = yield* tags.current
        if (asked.includes(tag)) return { tag, json: null }
        return known?.tag === tag ? { tag, json: asOfNow(known.json, asOf) } : yield* readAnew(current, key)
      })

      return Dashboards.of({ read })
    })
  )
}

type Found = { readonly tag: string; readonly asOf: Date; readonly dashboard: unknown }

const { asOf: _, ...lasting } = Dashboard.fields
const Lasting = Schema.toCodecJson(Schema.Struct(lasting))

const asOfNow = (json: string, asOf: Date) => `${json.slice(0, -1)},"asOf":${JSON.stringify(asOf)}}`

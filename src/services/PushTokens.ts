import { Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { createHash } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import {
  mostDevices,
  type NewPushToken,
  providerOf,
  PushToken,
  PushTokenNotFound,
  pushTokenSorts,
  type PushTokensQuery
} from "../domain/PushToken.ts"
import { CustomerSql, transaction } from "./Database.ts"
import { paginate } from "./Paging.ts"

// So short a token would be given away by its end.
export const pushTokenColumns = `
  id, '••••' || CASE WHEN length(token) >= 16 THEN right(token, 4) ELSE '' END AS token, platform, provider,
  device_id, app_version, last_seen_at`

/** The devices on which customers want to be reached. */
export class PushTokens extends Context.Service<
  PushTokens,
  {
    /** Last seen first, unless the query sorts otherwise. */
    readonly list: (query: PushTokensQuery) => Effect.Effect<Page<PushToken>, InvalidRequest, CurrentCustomer>
    /**
     * `added` is false when this customer had registered this token already. Whoever registers a token owns it: another
     * customer of the org loses it in the same moment. A device's new token takes the place of its old one.
     */
    readonly register: (
      token: NewPushToken
    ) => Effect.Effect<{ readonly token: PushToken; readonly added: boolean }, never, CurrentCustomer>
    readonly remove: (id: string) => Effect.Effect<void, PushTokenNotFound, CurrentCustomer>
  }
>()("portico/services/PushTokens") {
  static readonly layer = Layer.effect(
    PushTokens,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const random = yield* SecureRandom.SecureRandom
      const decode = Schema.decodeUnknownEffect(PushToken)
      const columns = sql.literal(pushTokenColumns)

      const list = Effect.fn("PushTokens.list")(function* (query: PushTokensQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        return yield* paginate({
          sql,
          query,
          sorts: {
            lastSeenAt: { type: pushTokenSorts.lastSeenAt, column: "push_tokens.last_seen_at" },
            platform: { type: pushTokenSorts.platform, column: "push_tokens.platform" },
            id: { type: pushTokenSorts.id, column: "push_tokens.id" }
          },
          byDefault: "lastSeenAt",
          item: PushToken,
          columns,
          from: sql`push_tokens WHERE org_id = ${orgId} AND customer_id = ${customerId}`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      const upsertToken = Effect.fnUntraced(function* (token: NewPushToken, hash: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const { appVersion = null, deviceId = null, platform } = token
        const [row] = yield* sql<{ readonly added: boolean }>`
          INSERT INTO push_tokens AS held (
            org_id, customer_id, id, token, token_hash, platform, provider, device_id, app_version, last_seen_at
          )
          VALUES (${orgId}, ${customerId}, ${yield* random.uuidV7()}, ${token.token}, ${hash}, ${platform},
            ${providerOf(token)}, ${deviceId}::text, ${appVersion}::text, clock_timestamp())
          ON CONFLICT (org_id, token_hash) DO UPDATE SET
            platform = excluded.platform, provider = excluded.provider,
            device_id = coalesce(excluded.device_id, held.device_id),
            app_version = coalesce(excluded.app_version, held.app_version), last_seen_at = excluded.last_seen_at
          RETURNING ${columns}, xmax = 0 AS added`
        return row!
      })

      const deleteOthers = Effect.fnUntraced(function* (hash: string, deviceId: string | undefined) {
        if (deviceId === undefined) return
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          DELETE FROM push_tokens
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND device_id = ${deviceId} AND token_hash <> ${hash}`
      })

      const deleteOldest = CurrentCustomer.use(
        ({ customerId, orgId }) => sql`
          DELETE FROM push_tokens WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id IN (
            SELECT id FROM push_tokens WHERE org_id = ${orgId} AND customer_id = ${customerId}
            ORDER BY last_seen_at DESC, id DESC OFFSET ${mostDevices})`
      )

      const register = Effect.fn("PushTokens.register")(
        function* (token: NewPushToken) {
          const { customerId, orgId } = yield* CurrentCustomer
          const hash = createHash("sha256").update(token.token).digest("hex")
          // Registrations of one customer wait here, and those of one token in the next line.
          yield* sql`SELECT id FROM customers WHERE org_id = ${orgId} AND id = ${customerId} FOR NO KEY UPDATE`
          yield* sql`SELECT take_push_token(${hash})`
          yield* deleteOthers(hash, token.deviceId)
          const { added, ...row } = yield* upsertToken(token, hash)
          yield* deleteOldest
          return { token: yield* decode(row), added }
        },
        // Two who swap their devices at the same moment may end up in each other's way.
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const remove = Effect.fn("PushTokens.remove")(function* (id: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const rows = yield* sql`
          DELETE FROM push_tokens
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} RETURNING id`.pipe(Effect.orDie)
        if (rows.length === 0) return yield* new PushTokenNotFound()
      })

      return PushTokens.of({ list, register, remove })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

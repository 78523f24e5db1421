import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { createHash, randomBytes } from "node:crypto"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { InvalidApiKey } from "../domain/Identity.ts"
import type { OrgId } from "../domain/Ids.ts"
import { PlatformSql } from "./Database.ts"

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
  readonly revokedAt: Date | null
}

/** Keys for the platform's side. Only their SHA-256 is stored: 256 random bits need no slow hash. */
export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /** A live key of this org; remembered for 5 s. */
    readonly verify: (orgId: OrgId, key: string) => Effect.Effect<CurrentPlatform["Service"], InvalidApiKey>
    /** For the operator: the key is shown this once. */
    readonly create: (orgId: OrgId, name: string) => Effect.Effect<{ readonly id: string; readonly key: string }>
    /** For the operator: sees to it that a key chosen elsewhere works, its org included. */
    readonly ensure: (orgId: OrgId, key: string) => Effect.Effect<void>
    readonly list: (orgId: OrgId) => Effect.Effect<ReadonlyArray<ApiKey>>
    /** Whether there was such a live key. */
    readonly revoke: (orgId: OrgId, id: string) => Effect.Effect<boolean>
  }
>()("portico/services/ApiKeys") {
  static readonly layer = Layer.effect(
    ApiKeys,
    Effect.gen(function* () {
      const platformSql = yield* PlatformSql
      const sql = yield* SqlClient.SqlClient
      const live = new Map<string, { readonly current: CurrentPlatform["Service"]; readonly until: number }>()

      const insert = (orgId: OrgId, name: string, key: string) => {
        const id = `key_${hashOf(key).slice(0, 16)}`
        return sql`
          INSERT INTO api_keys (org_id, id, name, hash) VALUES (${orgId}, ${id}, ${name}, ${hashOf(key)})
          ON CONFLICT DO NOTHING`.pipe(Effect.orDie, Effect.as({ id, key }))
      }

      const lookUp = Effect.fn("ApiKeys.verify")(function* (orgId: OrgId, hash: string) {
        const rows = yield* platformSql`
          SELECT 1 FROM api_keys WHERE org_id = ${orgId} AND hash = ${hash} AND revoked_at IS NULL`.pipe(
          Effect.provideService(CurrentPlatform, { orgId }),
          Effect.orDie
        )
        if (rows.length === 0) return yield* new InvalidApiKey()
        const current = { orgId }
        if (live.size >= 10_000) live.clear()
        live.set(`${orgId} ${hash}`, { current, until: (yield* Clock.currentTimeMillis) + 5_000 })
        return current
      })

      return ApiKeys.of({
        verify: (orgId, key) =>
          Clock.clockWith((clock) => {
            const hash = hashOf(key)
            const hit = live.get(`${orgId} ${hash}`)
            return hit !== undefined && hit.until > clock.currentTimeMillisUnsafe()
              ? Effect.succeed(hit.current)
              : lookUp(orgId, hash)
          }),
        create: (orgId, name) => insert(orgId, name, `pk_${randomBytes(32).toString("base64url")}`),
        ensure: (orgId, key) =>
          Effect.asVoid(
            Effect.andThen(
              Effect.orDie(sql`INSERT INTO orgs (id, name) VALUES (${orgId}, ${orgId}) ON CONFLICT DO NOTHING`),
              insert(orgId, "configured", key)
            )
          ),
        list: (orgId) =>
          Effect.orDie(sql<ApiKey>`
            SELECT id, name, created_at, revoked_at FROM api_keys WHERE org_id = ${orgId} ORDER BY created_at, id`),
        revoke: (orgId, id) =>
          sql`UPDATE api_keys SET revoked_at = now() WHERE org_id = ${orgId} AND id = ${id} AND revoked_at IS NULL RETURNING id`.pipe(
            Effect.orDie,
            Effect.map((rows) => rows.length > 0)
          )
      })
    })
  )
}

const hashOf = (key: string) => createHash("sha256").update(key).digest("hex")

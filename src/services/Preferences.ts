import { Context, Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import {
  type Chosen,
  completed,
  type NotificationPreferences,
  type PreferenceChanges
} from "../domain/NotificationPreferences.ts"
import { type IfMatch, VersionMismatch } from "../domain/Version.ts"
import { CustomerSql, transaction } from "./Database.ts"

/** What customers want to be told about, and how. */
export class Preferences extends Context.Service<
  Preferences,
  {
    readonly get: Effect.Effect<NotificationPreferences, never, CurrentCustomer>
    /** Merges channel by channel. */
    readonly change: (
      changes: PreferenceChanges,
      ifMatch?: typeof IfMatch.Type
    ) => Effect.Effect<NotificationPreferences, VersionMismatch, CurrentCustomer>
  }
>()("portico/services/Preferences") {
  static readonly layer = Layer.effect(
    Preferences,
    Effect.gen(function* () {
      const sql = yield* CustomerSql

      const get = select(sql).pipe(Effect.map(shown), Effect.orDie, Effect.withSpan("Preferences.get"))

      const change = Effect.fn("Preferences.change")(
        function* (changes: PreferenceChanges, ifMatch?: typeof IfMatch.Type) {
          const { customerId, orgId } = yield* CurrentCustomer
          // Two changes at once are merged one after the other, the first ones too, of which there is no row yet.
          yield* sql`SELECT id FROM customers WHERE org_id = ${orgId} AND id = ${customerId} FOR NO KEY UPDATE`
          const before = yield* select(sql)
          if (ifMatch?.includes(before?.version ?? 1) === false) return yield* new VersionMismatch()
          const own: Record<string, object> = { ...before?.types }
          for (const [topic, choice] of Object.entries(changes.types ?? {})) own[topic] = { ...own[topic], ...choice }
          const quiet = changes.quietHours === undefined ? quietHoursOf(before) : changes.quietHours
          // What was never changed has version 1 already, so the first change is the second version.
          yield* sql`
            INSERT INTO notification_preferences AS held (org_id, customer_id, types, quiet_start, quiet_end, version)
            VALUES (${orgId}, ${customerId}, ${JSON.stringify(own)}::text::jsonb, ${quiet?.start ?? null}::text,
              ${quiet?.end ?? null}::text, 2)
            ON CONFLICT (org_id, customer_id) DO UPDATE SET
              types = excluded.types, quiet_start = excluded.quiet_start, quiet_end = excluded.quiet_end`
          return shown(yield* select(sql))
        },
        transaction(sql),
        Effect.catchTag("SqlError", Effect.die)
      )

      return Preferences.of({ get, change })
    })
  )
}

interface Row {
  readonly types: Chosen
  readonly quietStart: string | null
  readonly quietEnd: string | null
  readonly version: number
  readonly updatedAt: Date
}

const select = (sql: SqlClient.SqlClient) =>
  CurrentCustomer.use(({ customerId, orgId }) =>
    Effect.map(
      sql<Row>`
        SELECT types, quiet_start, quiet_end, version, updated_at FROM notification_preferences
        WHERE org_id = ${orgId} AND customer_id = ${customerId}`,
      ([row]) => row
    )
  )

const quietHoursOf = (row: Row | undefined) =>
  row === undefined || row.quietStart === null || row.quietEnd === null
    ? null
    : { start: row.quietStart, end: row.quietEnd }

const shown = (row: Row | undefined): NotificationPreferences => ({
  types: completed(row?.types ?? {}),
  quietHours: quietHoursOf(row),
  version: row?.version ?? 1,
  updatedAt: row?.updatedAt ?? null
})

import { Context, Effect, Layer } from "effect"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { IntegrationNotConfigured } from "../domain/Integration.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import { OutboxMessage, type OutboxQuery } from "../domain/OutboxMessage.ts"
import type { Page } from "../domain/Page.ts"
import { PlatformSql } from "./Database.ts"
import { Mail } from "./Mail.ts"
import { paginate } from "./Paging.ts"
import { Push } from "./Push.ts"
import { Sms } from "./Sms.ts"

/** What local mode's stand-ins for mail, text messages and push were handed. */
export class Outbox extends Context.Service<
  Outbox,
  {
    /** Newest first, unless the query sorts otherwise. Fails where no channel has a stand-in, whatever was kept before. */
    readonly list: (
      query: OutboxQuery
    ) => Effect.Effect<Page<OutboxMessage>, IntegrationNotConfigured | InvalidRequest, CurrentPlatform>
  }
>()("portico/services/Outbox") {
  static readonly layer = Layer.effect(
    Outbox,
    Effect.gen(function* () {
      const sql = yield* PlatformSql
      const channels = [yield* Mail, yield* Sms, yield* Push]

      const list = Effect.fn("Outbox.list")(function* (query: OutboxQuery) {
        const { orgId } = yield* CurrentPlatform
        if (!channels.some(({ outbox }) => outbox === true)) return yield* new IntegrationNotConfigured()
        const ofCustomer = query.customerId === undefined ? sql`` : sql`AND customer_id = ${query.customerId}`
        return yield* paginate({
          sql,
          query,
          sorts: {
            channel: { type: "text", column: "outbox.channel" },
            createdAt: { type: "instant", column: "outbox.created_at" }
          },
          byDefault: "createdAt",
          item: OutboxMessage,
          columns: sql`id, customer_id, channel, recipient AS "to", subject, text, code, created_at`,
          from: sql`outbox WHERE org_id = ${orgId} ${ofCustomer}`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      return Outbox.of({ list })
    })
  )
}

import { Context, Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { OrgId } from "../domain/Ids.ts"
import { type Notice, topicOfTemplate } from "../domain/Notice.ts"
import { said } from "../domain/NoticeTexts.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"
import { Deliveries } from "./Deliveries.ts"
import { selectRecipients, tellRecipients } from "./NotificationRows.ts"

/**
 * Tells customers what has happened: in their list, and on the channels that their preferences allow, in the language of
 * their profile. Erased customers, and those who want to hear nothing of it, are told nothing.
 *
 * Belongs into the transaction of the write it tells of: both are there, or neither. Dies outside of one.
 */
export class Notices extends Context.Service<
  Notices,
  {
    /** Within a transaction of `PlatformSql`. */
    readonly tell: (notice: Notice) => Effect.Effect<void, never, CurrentPlatform>
    /** Within a transaction of `CustomerSql`: what customers do may be confirmed to themselves, and to nobody else. */
    readonly confirm: (notice: Notice) => Effect.Effect<void, never, CurrentCustomer>
  }
>()("portico/services/Notices") {
  static readonly layer = Layer.effect(
    Notices,
    Effect.gen(function* () {
      const customerSql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const deliveries = yield* Deliveries

      const write = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, orgId: OrgId, notice: Notice) {
        if ((yield* Effect.serviceOption(sql.transactionService))._tag === "None") {
          return yield* Effect.die(new Error("A notice outside of the transaction of what it tells of"))
        }
        const { customerId, data, link, template } = notice
        const recipients = yield* selectRecipients(sql, orgId, sql`customers.id = ${customerId}`)
        yield* tellRecipients(
          sql,
          deliveries,
          orgId,
          recipients,
          ({ language }) => {
            const [title, body] = said(notice, language)
            return { type: topicOfTemplate[template], title, body, data, link, channels: null }
          },
          null
        )
      })

      return Notices.of({
        tell: Effect.fn("Notices.tell")((notice) =>
          CurrentPlatform.use(({ orgId }) => write(platformSql, orgId, notice))
        ),
        confirm: Effect.fn("Notices.confirm")((notice) =>
          CurrentCustomer.use(({ customerId, orgId }) => write(customerSql, orgId, { ...notice, customerId }))
        )
      })
    })
  )
}

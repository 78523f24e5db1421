import { Context, Effect, Layer } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { tagOf } from "./ChangeTags.ts"
import { CustomerSql } from "./Database.ts"

/** Whether anything that a customer can see has changed, for much less than it takes to read it. */
export class AccountTags extends Context.Service<
  AccountTags,
  {
    /** Of the account as it is now: another one after each change. */
    readonly current: Effect.Effect<{ readonly tag: string; readonly asOf: Date }, never, CurrentCustomer>
  }
>()("portico/services/AccountTags") {
  static readonly layer = Layer.effect(
    AccountTags,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const tag = sql.literal(tagOf("counter"))

      const current = Effect.gen(function* () {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql<{ readonly tag: string; readonly asOf: Date }>`
          SELECT ${tag} AS tag, now() AS as_of
          FROM customer_change_counters AS counter WHERE org_id = ${orgId} AND customer_id = ${customerId}`
        return row!
      }).pipe(Effect.orDie)

      return AccountTags.of({ current })
    })
  )
}

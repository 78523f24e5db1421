import { Effect } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { CustomerId } from "../domain/Ids.ts"
import { CustomerSql } from "../services/Database.ts"
import { PaymentMethods } from "../services/PaymentMethods.ts"
import * as DemoAccounts from "./DemoAccounts.ts"
import * as StripeSettings from "./StripeSettings.ts"
import * as PayPalSettings from "./PayPalSettings.ts"

/** Gives ada a card and a PayPal account, once, where stand-ins keep them: a real provider's account is left alone. */
export const seed = Effect.gen(function* () {
  const sql = yield* CustomerSql
  const methods = yield* PaymentMethods
  const local = [(yield* StripeSettings.choose)._tag, (yield* PayPalSettings.choose)._tag]
  const known = yield* sql`SELECT 1 FROM payment_customers WHERE org_id = ${DemoAccounts.org} AND customer_id = 'ada'`
  if (known.length > 0 || local.some((choice) => choice !== "Local")) return
  yield* methods.add({ paymentMethodId: "pm_card_visa" })
  const setup = yield* methods.setup("paypal")
  if ("setupToken" in setup) yield* methods.add({ type: "paypal", setupToken: setup.setupToken })
}).pipe(
  Effect.provideService(CurrentCustomer, { orgId: DemoAccounts.org, customerId: "ada" as CustomerId }),
  Effect.orDie
)

import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { PaymentMethodId } from "../../src/domain/PaymentMethod.ts"
import * as PayPalVaultLocal from "../../src/layers/PayPalVaultLocal.ts"
import type { CardVault } from "../../src/services/CardVault.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { PaymentMethods } from "../../src/services/PaymentMethods.ts"
import { PaymentSettlement } from "../../src/services/PaymentSettlement.ts"
import { SharedLimits } from "../../src/services/SharedLimits.ts"
import { as, type Customer } from "./People.ts"

/** Payment methods whose cards this vault keeps, as a process of its own has them. */
export const paymentsAt = <E, R>(vault: Layer.Layer<CardVault, E, R>) =>
  Layer.fresh(
    PaymentMethods.layer.pipe(
      Layer.provideMerge(PaymentSettlement.layer),
      Layer.provide(Layer.fresh(Layer.mergeAll(vault, PayPalVaultLocal.layer, SharedLimits.layer)))
    )
  )

export const add = (paymentMethodId: string, setAsDefault?: boolean) =>
  PaymentMethods.use((methods) =>
    methods.add({ paymentMethodId, ...(setAsDefault === undefined ? {} : { setAsDefault }) })
  )
export const remove = (id: string) => PaymentMethods.use((methods) => methods.remove(PaymentMethodId.make(id)))
export const setDefault = (id: string) => PaymentMethods.use((methods) => methods.setDefault(PaymentMethodId.make(id)))

/** Sets PayPal up and approves it. */
export const addPayPal = Effect.gen(function* () {
  const methods = yield* PaymentMethods
  const setup = yield* methods.setup("paypal")
  const setupToken = "setupToken" in setup ? setup.setupToken : ""
  return { setupToken, ...(yield* methods.add({ type: "paypal", setupToken })) }
})

/** Each as its brand or account, the default one marked. */
export const shown = PaymentMethods.use((methods) =>
  Effect.map(methods.list({}), ({ data }) =>
    data.map(({ brand, email, isDefault }) => `${brand ?? email}${isDefault ? "*" : ""}`)
  )
)

export const idsOf = PaymentMethods.use((methods) =>
  Effect.map(methods.list({ ps: 200 }), ({ data }) => data.map(({ id }) => id))
)

/** What the local stand-in for Stripe holds of the current customer's, the default one marked. */
export const atLocalStripe = CurrentCustomer.use(({ customerId, orgId }) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{ readonly id: string; readonly isDefault: boolean }>`
      SELECT item.id, item.id IS NOT DISTINCT FROM vault.default_id AS is_default
      FROM local_vaults AS vault JOIN local_vault_items AS item ON item.vault_id = vault.id AND item.state = 'held'
      WHERE vault.org_id = ${orgId} AND vault.name = ${`stripe ${customerId}`}`
  )
)

/** Lets the time go by after which work of a provider's is looked into, for one customer. */
export const patienceEnds = (customer: Customer) =>
  CustomerSql.use(
    (sql) => sql`
      UPDATE payment_checks SET due_at = now()
      WHERE org_id = ${customer.orgId} AND customer_id = ${customer.customerId}`
  ).pipe(as(customer))

/** How many checks of the customer's are open. */
export const openChecks = (customer: Customer) =>
  CustomerSql.use(
    (sql) => sql`
      SELECT 1 FROM payment_checks WHERE org_id = ${customer.orgId} AND customer_id = ${customer.customerId}`
  ).pipe(
    as(customer),
    Effect.map((rows) => rows.length)
  )

/** Settles what is due, or waits until whoever was faster has. */
export const settled = (customer: Customer) =>
  Effect.andThen(
    PaymentSettlement.use(({ settleDue }) => settleDue),
    Effect.repeat(Effect.delay(openChecks(customer), "20 millis"), { until: (open) => open === 0, times: 100 })
  )

import { Context, Effect, Layer } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import {
  type ApprovalRequired,
  type CardDeclined,
  PaymentMethod,
  type PaymentMethodAddition,
  type PaymentMethodId,
  type PaymentMethodInUse,
  PaymentMethodNotFound,
  type PaymentMethodsQuery,
  type PaymentMethodType,
  type PaymentSetup
} from "../domain/PaymentMethod.ts"
import type { RateLimited } from "../domain/RateLimited.ts"
import { CardVault, type ProviderFailure } from "./CardVault.ts"
import { CustomerSql } from "./Database.ts"
import { paginate } from "./Paging.ts"
import { paymentAccounts } from "./PaymentAccounts.ts"
import { paymentMethodColumns, paymentRecords } from "./PaymentRecords.ts"
import { PaymentSettlement } from "./PaymentSettlement.ts"
import type { Provider } from "./PaymentVaults.ts"
import { PayPalVault } from "./PayPalVault.ts"
import { SharedLimits } from "./SharedLimits.ts"

type Refusal = InvalidRequest | PaymentMethodNotFound | CardDeclined | PaymentMethodInUse | ApprovalRequired

export class PaymentMethods extends Context.Service<
  PaymentMethods,
  {
    /** The default one first, then the newest, unless the query sorts otherwise. */
    readonly list: (query: PaymentMethodsQuery) => Effect.Effect<Page<PaymentMethod>, InvalidRequest, CurrentCustomer>
    /** `added` is false when it was there already. The first one becomes default. */
    readonly add: (
      addition: PaymentMethodAddition
    ) => Effect.Effect<
      { readonly method: PaymentMethod; readonly added: boolean },
      Refusal | RateLimited | ProviderFailure,
      CurrentCustomer
    >
    readonly setup: (type: PaymentMethodType) => Effect.Effect<PaymentSetup, ProviderFailure, CurrentCustomer>
    /** After the default one the newest of the rest becomes default. */
    readonly remove: (
      id: PaymentMethodId
    ) => Effect.Effect<void, PaymentMethodNotFound | ProviderFailure, CurrentCustomer>
    readonly setDefault: (
      id: PaymentMethodId
    ) => Effect.Effect<PaymentMethod, PaymentMethodNotFound | ProviderFailure, CurrentCustomer>
  }
>()("portico/services/PaymentMethods") {
  static readonly layer = Layer.effect(
    PaymentMethods,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const cards = yield* CardVault
      const payPal = yield* PayPalVault
      const settlement = yield* PaymentSettlement
      const limits = yield* SharedLimits
      const records = paymentRecords(sql)
      const accounts = paymentAccounts(sql, records, cards, payPal)

      /** What a provider may have done when nobody has heard of it any more is looked into later. */
      const checked = <A, E, R>(provider: Provider, ask: Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const check = yield* records.openCheck(provider)
          const close = records.closeChecks(provider, [check])
          const answer = yield* Effect.tapError(ask, (error) => (isUnclear(error) ? Effect.void : close))
          // It is done by now, whatever becomes of this: a check that stays open is made later.
          yield* Effect.ignoreCause(Effect.andThen(Effect.ignore(settlement.mirror), close), { log: "Warn" })
          return answer
        })

      const attempt = CurrentCustomer.use(({ customerId, orgId }) =>
        limits.use({ orgId, name: "payment-methods", key: customerId, limit: 60, seconds: 3600 })
      )

      const addCard = (cardId: string, asDefault: boolean) =>
        checked(
          "stripe",
          Effect.gen(function* () {
            const card = yield* accounts.inCardVault((vaultId) => cards.attach(vaultId, cardId))
            return { id: card.id, added: yield* records.put(card, asDefault) }
          })
        )

      const addPayPal = (setupToken: string, asDefault: boolean) =>
        checked(
          "paypal",
          Effect.gen(function* () {
            const account = yield* payPal.redeem(yield* accounts.approvedVault(setupToken), setupToken)
            return { id: account.id, added: yield* records.put(account, asDefault) }
          })
        )

      const found = Effect.fnUntraced(function* (id: string) {
        return (yield* records.find(id)) ?? (yield* new PaymentMethodNotFound())
      })

      const list = Effect.fn("PaymentMethods.list")(function* (query: PaymentMethodsQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        return yield* paginate({
          sql,
          query,
          sorts: {
            isDefault: {
              type: "text",
              column: `(payment_methods.is_default::int
                || to_char(payment_methods.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSMS'))`
            },
            createdAt: { type: "instant", column: "payment_methods.created_at" },
            type: { type: "text", column: "payment_methods.type" },
            id: { type: "text", column: "payment_methods.id" }
          },
          byDefault: "isDefault",
          item: PaymentMethod,
          columns: sql.literal(paymentMethodColumns),
          from: sql`payment_methods WHERE org_id = ${orgId} AND customer_id = ${customerId}`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      const add = Effect.fn("PaymentMethods.add")(function* (addition: PaymentMethodAddition) {
        const asDefault = addition.setAsDefault === true
        const known = "setupToken" in addition ? undefined : yield* records.find(addition.paymentMethodId)
        if (known !== undefined) {
          return { method: asDefault ? yield* setDefault(known.id) : known, added: false }
        }
        yield* attempt
        const { added, id } = yield* "setupToken" in addition
          ? addPayPal(addition.setupToken, asDefault)
          : addCard(addition.paymentMethodId, asDefault)
        return { method: yield* found(id), added }
      })

      const setup = Effect.fn("PaymentMethods.setup")(
        (type: PaymentMethodType): Effect.Effect<PaymentSetup, ProviderFailure, CurrentCustomer> =>
          type === "paypal"
            ? accounts.setupPayPal
            : Effect.map(accounts.inCardVault(cards.setup), (clientSecret) => ({ provider: "stripe", clientSecret }))
      )

      const remove = Effect.fn("PaymentMethods.remove")(function* (id: PaymentMethodId) {
        const { type } = yield* found(id)
        const provider = type === "card" ? "stripe" : "paypal"
        const vault = yield* records.vaultOf(provider)
        yield* checked(
          provider,
          Effect.gen(function* () {
            if (vault !== undefined) {
              yield* type === "card" ? cards.detach(vault.id, id) : payPal.remove(vault.id, id)
            }
            if (!(yield* records.take(id))) return yield* new PaymentMethodNotFound()
          })
        )
      })

      const setDefault = Effect.fn("PaymentMethods.setDefault")(function* (id: PaymentMethodId) {
        const method = yield* found(id)
        const vault = yield* records.vaultOf("stripe")
        if (method.isDefault && vault?.defaultVersion === vault?.defaultMirrored) return method
        yield* checked(
          "stripe",
          Effect.gen(function* () {
            if (vault !== undefined) yield* tellDefault(vault.id, method)
            yield* records.prefer(id)
          })
        )
        return yield* found(id)
      })

      // Stripe first: what it refuses to charge by default is not our default either.
      const tellDefault = (vaultId: string, { id, type }: PaymentMethod) =>
        cards.setDefault(vaultId, type === "card" ? id : null).pipe(
          Effect.catchTag("VaultGone", () =>
            Effect.andThen(
              records.forgetVault("stripe", vaultId),
              type === "card" ? new PaymentMethodNotFound() : Effect.void
            )
          ),
          Effect.tapErrorTag("PaymentMethodNotFound", () => Effect.ignore(settlement.settle("stripe", [])))
        )

      return PaymentMethods.of({ list, add, setup, remove, setDefault })
    })
  )
}

const isUnclear = (error: unknown) =>
  ["ProviderError", "ProviderUnavailable"].includes((error as { readonly _tag?: string })._tag ?? "")

import { Context, Effect, Layer } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { ProviderError } from "../domain/Integration.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import {
  type ApprovalRequired,
  type CardDeclined,
  PaymentMethod,
  type PaymentMethodAddition,
  type PaymentMethodId,
  PaymentMethodInUse,
  PaymentMethodNotFound,
  type PaymentMethodsQuery,
  type PaymentMethodType,
  type PaymentSetup
} from "../domain/PaymentMethod.ts"
import type { RateLimited } from "../domain/RateLimited.ts"
import { CardVault, type ProviderFailure, type VaultGone } from "./CardVault.ts"
import { CustomerSql } from "./Database.ts"
import { paginate } from "./Paging.ts"
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
      const opening = new Map<string, Effect.Effect<string, ProviderFailure, CurrentCustomer>>()

      const emailOf = CurrentCustomer.use(({ customerId, orgId }) =>
        sql<{ readonly email: string | null }>`
          SELECT email FROM customers WHERE org_id = ${orgId} AND id = ${customerId}`.pipe(
          Effect.orDie,
          Effect.map(([owner]) => owner?.email ?? null)
        )
      )

      // One at a time in this process; across processes the vault sees to it that there is only one.
      const openCardVault = (gone: string | null) =>
        CurrentCustomer.use((owner) =>
          Effect.gen(function* () {
            const known = yield* records.vaultOf("stripe")
            if (known !== undefined) return known.id
            const key = `${owner.orgId} ${owner.customerId}`
            const open = Effect.gen(function* () {
              const made = yield* cards.open({ ...owner, email: yield* emailOf, gone })
              const vault = yield* records.claimVault("stripe", made)
              return vault === undefined ? yield* new ProviderError() : vault.id
            })
            const shared =
              opening.get(key) ??
              (yield* Effect.cached(
                Effect.ensuring(
                  open,
                  Effect.sync(() => opening.delete(key))
                )
              ))
            opening.set(key, shared)
            return yield* shared
          })
        )

      /** Once more with a new vault, if the customer's is gone. */
      const inCardVault = <A, E>(use: (vaultId: string) => Effect.Effect<A, E | VaultGone, CurrentCustomer>) =>
        Effect.gen(function* () {
          const first = yield* openCardVault(null)
          return yield* Effect.catchIf(use(first), isGone, () =>
            records.forgetVault("stripe", first).pipe(
              Effect.andThen(openCardVault(first)),
              Effect.flatMap(use),
              Effect.catchIf(isGone, () => new ProviderError())
            )
          )
        })

      /** What a provider may have done when nobody has heard of it any more is looked into later. */
      const checked = <A, E, R>(provider: Provider, ask: Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const check = yield* records.openCheck(provider)
          const close = records.closeChecks(provider, [check])
          const answer = yield* Effect.tapError(ask, (error) => (isUnclear(error) ? Effect.void : close))
          yield* Effect.ignore(settlement.mirror)
          yield* close
          return answer
        })

      const attempt = CurrentCustomer.use(({ customerId, orgId }) =>
        limits.use({ orgId, name: "payment-methods", key: customerId, limit: 60, seconds: 3600 })
      )

      const addCard = (cardId: string, asDefault: boolean) =>
        checked(
          "stripe",
          Effect.gen(function* () {
            const card = yield* inCardVault((vaultId) => cards.attach(vaultId, cardId))
            return { id: card.id, added: yield* records.put(card, asDefault) }
          })
        )

      const payPalVaultOf = Effect.fnUntraced(function* (setupToken: string) {
        const theirs = yield* payPal.vaultOf(setupToken)
        const ours = (yield* records.vaultOf("paypal")) ?? (yield* records.claimVault("paypal", theirs))
        return ours?.id === theirs ? theirs : yield* new PaymentMethodInUse()
      })

      const addPayPal = (setupToken: string, asDefault: boolean) =>
        checked(
          "paypal",
          Effect.gen(function* () {
            const account = yield* payPal.redeem(yield* payPalVaultOf(setupToken), setupToken)
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

      const setupPayPal: Effect.Effect<PaymentSetup, ProviderFailure, CurrentCustomer> = Effect.gen(function* () {
        const owner = yield* CurrentCustomer
        const known = yield* records.vaultOf("paypal")
        const begun = yield* payPal.setup({ ...owner, vaultId: known?.id ?? null }).pipe(
          Effect.catchTag("VaultGone", () =>
            Effect.andThen(
              records.forgetVault("paypal", known?.id ?? ""),
              Effect.catchTag(payPal.setup({ ...owner, vaultId: null }), "VaultGone", () => new ProviderError())
            )
          )
        )
        const vault = yield* records.claimVault("paypal", begun.vaultId)
        // Somebody was faster with a vault of their own, so this approval would be for the wrong one.
        if (vault?.id !== begun.vaultId) return yield* vault === undefined ? new ProviderError() : setupPayPal
        return { provider: "paypal" as const, setupToken: begun.setupToken, approvalUrl: begun.approvalUrl }
      })

      const setup = Effect.fn("PaymentMethods.setup")(
        (type: PaymentMethodType): Effect.Effect<PaymentSetup, ProviderFailure, CurrentCustomer> =>
          type === "paypal"
            ? setupPayPal
            : Effect.map(inCardVault(cards.setup), (clientSecret) => ({ provider: "stripe", clientSecret }))
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
            if (vault !== undefined) yield* records.mirrored(vault.defaultVersion + 1)
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

const isGone = (error: unknown): error is VaultGone => (error as { readonly _tag?: string })._tag === "VaultGone"

const isUnclear = (error: unknown) =>
  ["ProviderError", "ProviderUnavailable"].includes((error as { readonly _tag?: string })._tag ?? "")

import { Clock, DateTime, Effect, Layer } from "effect"
import { CardDeclined, PaymentMethodInUse, PaymentMethodNotFound } from "../domain/PaymentMethod.ts"
import type { StripeEvent } from "../domain/StripeEvent.ts"
import { type Card, CardVault, VaultGone } from "../services/CardVault.ts"
import { localVault, randomId } from "./LocalVault.ts"
import * as TestCards from "./TestCards.ts"

type Facts = Omit<Card, "id">

/**
 * Cards without a Stripe account: takes the test ids that Stripe's test mode takes, and declines what that declines.
 * Unlike there, an id stands for one card of a customer's however often it is sent.
 */
export const layer = Layer.effect(
  CardVault,
  Effect.gen(function* () {
    const vaults = yield* localVault

    const existing = (vaultId: string) =>
      Effect.flatMap(vaults.vault(vaultId), (vault) => (vault === undefined ? new VaultGone() : Effect.succeed(vault)))

    const attach = Effect.fn("CardVaultLocal.attach")(function* (vaultId: string, cardId: string) {
      yield* existing(vaultId)
      const test = TestCards.find(cardId, DateTime.toDateUtc(yield* DateTime.now))
      if (typeof test === "string") return yield* new CardDeclined({ detail: test })
      if (test === undefined) yield* vaults.hold(vaultId, cardId)
      else yield* vaults.make(vaultId, { id: randomId("pm_"), origin: cardId, state: "held", facts: test })
      const item = yield* vaults.item(test === undefined ? { id: cardId } : { origin: cardId, in: vaultId })
      if (item === undefined || item.state !== "held") return yield* new PaymentMethodNotFound()
      if (item.vaultId !== vaultId) return yield* new PaymentMethodInUse()
      return { id: item.id, ...(item.facts as Facts) }
    })

    const setDefault = Effect.fn("CardVaultLocal.setDefault")(function* (vaultId: string, cardId: string | null) {
      if (yield* vaults.setDefault(vaultId, cardId)) return
      yield* existing(vaultId)
      return yield* new PaymentMethodNotFound()
    })

    const learn = Effect.fn("CardVaultLocal.learn")(function* ({ data: { object }, type, ...event }: StripeEvent) {
      const created = event.created ?? Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const { card, id, invoice_settings } = object
      if (id === undefined) return
      if (type === "payment_method.detached") yield* vaults.learn(id, created, "removed")
      else if (card !== undefined) {
        const { brand, exp_month: expMonth, exp_year: expYear, last4 } = card
        yield* vaults.learn(id, created, { brand, last4, expMonth, expYear })
      } else if (invoice_settings !== undefined) {
        yield* vaults.learnDefault(id, created, invoice_settings.default_payment_method)
      }
    })

    return CardVault.of({
      open: ({ customerId, orgId }) => vaults.open(orgId, `stripe ${customerId}`, randomId("cus_")),
      attach,
      detach: vaults.remove,
      list: (vaultId) =>
        Effect.andThen(
          existing(vaultId),
          Effect.map(vaults.items(vaultId), (items) => items.map(({ facts, id }) => ({ id, ...(facts as Facts) })))
        ),
      defaultOf: (vaultId) => Effect.map(existing(vaultId), ({ defaultId }) => defaultId),
      setDefault,
      setup: (vaultId) => Effect.map(existing(vaultId), () => `${randomId("seti_")}_secret_${randomId("")}`),
      forget: vaults.forget,
      learn
    })
  })
)

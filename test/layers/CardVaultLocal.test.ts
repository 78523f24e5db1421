import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import type { StripeEvent } from "../../src/domain/StripeEvent.ts"
import * as CardVaultLocal from "../../src/layers/CardVaultLocal.ts"
import { CardVault } from "../../src/services/CardVault.ts"
import { nextNumber } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const event = (type: string, created: number, object: StripeEvent["data"]["object"]): StripeEvent => ({
  id: `evt_${nextNumber()}`,
  type,
  created,
  data: { object }
})

const card = (exp_year: number) => ({ brand: "visa", last4: "4242", exp_month: 6, exp_year })

/** A vault with a visa, its default, and an amex. */
const vaultWithCards = Effect.gen(function* () {
  const cards = yield* CardVault
  const customerId = CustomerId.make(`customer-${nextNumber()}`)
  const vaultId = yield* cards.open({ orgId: OrgId.make("acme"), customerId, email: null, gone: null })
  const visa = yield* cards.attach(vaultId, "pm_card_visa")
  const amex = yield* cards.attach(vaultId, "pm_card_amex")
  yield* cards.setDefault(vaultId, visa.id)
  return { cards, vaultId, visa, amex }
})

layer(CardVaultLocal.layer.pipe(Layer.provideMerge(TestDatabase.layer)), { excludeTestServices: true })(
  "The local stand-in for Stripe",
  (it) => {
    it.effect("learns from events what has become of a card, whichever comes last", () =>
      Effect.gen(function* () {
        const { amex, cards, vaultId, visa } = yield* vaultWithCards

        yield* cards.learn(event("payment_method.updated", 1_795_438_000_000, { id: visa.id, card: card(2040) }))
        yield* cards.learn(event("payment_method.automatically_updated", 100, { id: visa.id, card: card(2031) }))
        yield* cards.learn(event("payment_method.detached", 50, { id: amex.id, card: card(2031) }))

        assert.deepStrictEqual(yield* cards.list(vaultId), [{ ...visa, expMonth: 6, expYear: 2040 }])
      })
    )

    it.effect("learns which card is the default, and none that is not there", () =>
      Effect.gen(function* () {
        const { amex, cards, vaultId, visa } = yield* vaultWithCards
        const says = (created: number, id: string | null) =>
          cards.learn(
            event("customer.updated", created, { id: vaultId, invoice_settings: { default_payment_method: id } })
          )

        yield* says(200, amex.id)
        yield* says(100, visa.id)
        yield* says(300, "pm_of_somebody_else")
        const after = yield* cards.defaultOf(vaultId)
        yield* cards.learn(event("payment_method.detached", 400, { id: amex.id }))

        assert.deepStrictEqual([after, yield* cards.defaultOf(vaultId)], [amex.id, null])
      })
    )

    it.effect("has nothing to learn about what it does not know", () =>
      Effect.gen(function* () {
        const { cards, vaultId } = yield* vaultWithCards
        const before = yield* cards.list(vaultId)

        yield* cards.learn(event("payment_method.updated", 1, { id: "pm_unknown", card: card(2040) }))
        yield* cards.learn(event("payment_method.updated", 1, {}))

        assert.deepStrictEqual(yield* cards.list(vaultId), before)
      })
    )
  }
)

import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as CardVaultLocal from "../../src/layers/CardVaultLocal.ts"
import * as CardVaultStripe from "../../src/layers/CardVaultStripe.ts"
import { randomId } from "../../src/layers/LocalVault.ts"
import { CardVault, type VaultOwner } from "../../src/services/CardVault.ts"
import { nextNumber } from "../support/People.ts"
import * as StripeStandIn from "../support/StripeStandIn.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

/** Makes a card that is nobody's yet, as Stripe Elements does, and says its id. */
class Elements extends Context.Service<Elements, Effect.Effect<string>>()("Elements") {}

const stripe = Layer.unwrap(
  Effect.map(StripeStandIn.listen(), (site) =>
    Layer.merge(
      CardVaultStripe.layer({ secretKey: Redacted.make(StripeStandIn.key), baseUrl: new URL(site.baseUrl) }),
      Layer.succeed(
        Elements,
        Effect.sync(() => site.mint().id)
      )
    )
  )
)

const local = Layer.merge(
  CardVaultLocal.layer,
  Layer.effect(
    Elements,
    Effect.map(SqlClient.SqlClient, (sql) =>
      Effect.gen(function* () {
        const id = randomId("pm_")
        const facts = { brand: "visa", last4: "4242", expMonth: 12, expYear: 2030 }
        yield* sql`
          INSERT INTO local_vault_items (org_id, id, origin, state, facts)
          VALUES ('anywhere', ${id}, ${id}, 'free', ${JSON.stringify(facts)}::text::jsonb)`
        return id
      }).pipe(Effect.orDie)
    )
  )
)

const owner = (more: Partial<VaultOwner> = {}): VaultOwner => ({
  orgId: OrgId.make("acme"),
  customerId: CustomerId.make(`customer-${nextNumber()}`),
  email: "ada@acme.example",
  gone: null,
  ...more
})

const parallel = { concurrency: "unbounded" } as const

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  for (const [name, vault] of [
    ["Stripe, over the wire", stripe],
    ["the local stand-in", local]
  ] as const) {
    describe(`A customer's cards at ${name}`, () => {
      it.layer(vault)((it) => {
        it.effect("have one vault, however often and from how many places it is asked for at once", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const ada = owner()

            const ids = yield* Effect.all(
              Array.from({ length: 20 }, () => cards.open(ada)),
              parallel
            )
            const other = yield* cards.open(owner())

            assert.strictEqual(new Set(ids).size, 1)
            assert.match(ids[0]!, /^cus_/)
            assert.notStrictEqual(other, ids[0])
          })
        )

        it.effect("are put in, stay when they are put in again, and are taken out for good", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const vaultId = yield* cards.open(owner())

            const card = yield* cards.attach(vaultId, yield* yield* Elements)
            const again = yield* cards.attach(vaultId, card.id)
            const listed = yield* cards.list(vaultId)
            yield* cards.detach(vaultId, card.id)
            yield* cards.detach(vaultId, card.id)
            const usedUp = yield* Effect.flip(cards.attach(vaultId, card.id))

            assert.deepInclude(card, { brand: "visa", last4: "4242", expMonth: 12, expYear: 2030 })
            assert.deepStrictEqual([again, listed], [card, [card]])
            assert.deepStrictEqual(yield* cards.list(vaultId), [])
            assert.strictEqual(usedUp._tag, "PaymentMethodNotFound")
          })
        )

        it.effect("are forgotten with their vault, and nobody else's", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const [vaultId, other] = [yield* cards.open(owner()), yield* cards.open(owner())]
            const card = yield* cards.attach(vaultId, yield* yield* Elements)
            const kept = yield* cards.attach(other, yield* yield* Elements)

            yield* cards.forget(vaultId)
            yield* cards.forget(vaultId)

            assert.strictEqual((yield* Effect.flip(cards.list(vaultId)))._tag, "VaultGone")
            assert.strictEqual((yield* Effect.flip(cards.attach(other, card.id)))._tag, "PaymentMethodNotFound")
            assert.deepStrictEqual(yield* cards.list(other), [kept])
          })
        )

        it.effect("can be Stripe's test cards", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const vaultId = yield* cards.open(owner())

            const amex = yield* cards.attach(vaultId, "pm_card_amex")

            assert.deepInclude(amex, { brand: "amex", last4: "0005" })
            assert.match(amex.id, /^pm_[A-Za-z]{24}$/)
          })
        )

        it.effect("are declined in the provider's words", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const vaultId = yield* cards.open(owner())

            const reasons = yield* Effect.forEach(
              ["pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedExpiredCard"],
              (id) => Effect.flip(cards.attach(vaultId, id))
            )

            assert.deepStrictEqual(
              reasons.map((error) => [error._tag, "detail" in error && error.detail]),
              [
                ["CardDeclined", "Your card has insufficient funds."],
                ["CardDeclined", "Your card has expired."]
              ]
            )
            assert.deepStrictEqual(yield* cards.list(vaultId), [])
          })
        )

        it.effect("that nobody has ever heard of are not found", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const vaultId = yield* cards.open(owner())

            for (const id of ["pm_never", "pm_card_paper"]) {
              assert.strictEqual((yield* Effect.flip(cards.attach(vaultId, id)))._tag, "PaymentMethodNotFound")
            }
            yield* cards.detach(vaultId, "pm_never")
          })
        )

        it.effect("of somebody else are in use, and stay where they are whatever is asked", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const [hers, mine] = [yield* cards.open(owner()), yield* cards.open(owner())]
            const card = yield* cards.attach(hers, yield* yield* Elements)

            const taken = yield* Effect.flip(cards.attach(mine, card.id))
            const preferred = yield* Effect.flip(cards.setDefault(mine, card.id))
            yield* cards.detach(mine, card.id)

            assert.deepStrictEqual([taken._tag, preferred._tag], ["PaymentMethodInUse", "PaymentMethodNotFound"])
            assert.deepStrictEqual(yield* cards.list(hers), [card])
          })
        )

        it.effect("have one owner when two ask for the same one at once", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const vaults = [yield* cards.open(owner()), yield* cards.open(owner())]
            const id = yield* yield* Elements

            const outcomes = yield* Effect.forEach(
              [...vaults, ...vaults],
              (vault) => Effect.result(cards.attach(vault, id)),
              parallel
            )

            const held = (yield* Effect.forEach(vaults, cards.list)).map((all) => all.length)
            assert.sameMembers(held, [0, 1])
            assert.deepStrictEqual(
              outcomes.map((outcome) => (outcome._tag === "Success" ? "held" : outcome.failure._tag)).sort(),
              ["PaymentMethodInUse", "PaymentMethodInUse", "held", "held"]
            )
          })
        )

        it.effect("have a default, which goes with the card that it is", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault
            const vaultId = yield* cards.open(owner())
            const card = yield* cards.attach(vaultId, "pm_card_visa")

            const before = yield* cards.defaultOf(vaultId)
            yield* cards.setDefault(vaultId, card.id)
            const after = yield* cards.defaultOf(vaultId)
            yield* cards.setDefault(vaultId, null)
            const cleared = yield* cards.defaultOf(vaultId)
            yield* cards.setDefault(vaultId, card.id)
            yield* cards.detach(vaultId, card.id)

            assert.deepStrictEqual([before, after, cleared], [null, card.id, null])
            assert.isNull(yield* cards.defaultOf(vaultId))
            assert.match(yield* cards.setup(vaultId), /^seti_.+_secret_/)
          })
        )

        it.effect("are gone with a vault that is gone", () =>
          Effect.gen(function* () {
            const cards = yield* CardVault

            const errors = yield* Effect.all([
              Effect.flip(cards.attach("cus_gone", yield* yield* Elements)),
              Effect.flip(cards.list("cus_gone")),
              Effect.flip(cards.defaultOf("cus_gone")),
              Effect.flip(cards.setDefault("cus_gone", null)),
              Effect.flip(cards.setup("cus_gone"))
            ])

            assert.deepStrictEqual(new Set(errors.map(({ _tag }) => _tag)), new Set(["VaultGone"]))
          })
        )
      })
    })
  }
})

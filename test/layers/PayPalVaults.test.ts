import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as PayPalVaultLocal from "../../src/layers/PayPalVaultLocal.ts"
import * as PayPalVaultV3 from "../../src/layers/PayPalVaultV3.ts"
import { PayPalVault } from "../../src/services/PayPalVault.ts"
import * as PayPalStandIn from "../support/PayPalStandIn.ts"
import { nextNumber } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

/** What the payer does at PayPal. */
class Payer extends Context.Service<Payer, (setupToken: string) => void>()("Payer") {}

const v3 = Layer.unwrap(
  Effect.map(PayPalStandIn.listen(), (site) =>
    Layer.merge(
      PayPalVaultV3.layer({
        clientId: Redacted.make(PayPalStandIn.clientId),
        clientSecret: Redacted.make(PayPalStandIn.clientSecret),
        baseUrl: new URL(site.baseUrl),
        returnUrl: "https://portal.example.com/"
      }).pipe(Layer.provide(FetchHttpClient.layer)),
      Layer.succeed(Payer, (setupToken) => site.approve(setupToken))
    )
  )
)
const local = Layer.merge(
  PayPalVaultLocal.layer,
  Layer.succeed(Payer, () => {})
)

const owner = (vaultId: string | null = null) => ({
  orgId: OrgId.make("acme"),
  customerId: CustomerId.make(`customer-${nextNumber()}`),
  vaultId
})

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  for (const [name, vault] of [
    ["PayPal, over the wire", v3],
    ["the local stand-in", local]
  ] as const) {
    describe(`A customer's accounts at ${name}`, () => {
      it.layer(vault)((it) => {
        it.effect("are approved, made, made the same again, and taken out", () =>
          Effect.gen(function* () {
            const payPal = yield* PayPalVault
            const { approvalUrl, setupToken, vaultId } = yield* payPal.setup(owner())
            ;(yield* Payer)(setupToken)

            const account = yield* payPal.redeem(vaultId, setupToken)
            const again = yield* payPal.redeem(vaultId, setupToken)
            const listed = yield* payPal.list(vaultId)
            yield* payPal.remove(vaultId, account.id)
            yield* payPal.remove(vaultId, account.id)

            assert.match(approvalUrl, new RegExp(`^https://.*${setupToken}$`))
            assert.strictEqual(yield* payPal.vaultOf(setupToken).pipe(Effect.orElseSucceed(() => vaultId)), vaultId)
            assert.match(account.email ?? "", /@.+\.(?:com|example)$/)
            assert.deepStrictEqual([again, listed], [account, [account]])
            assert.deepStrictEqual(yield* payPal.list(vaultId), [])
          })
        )

        it.effect("are forgotten all together", () =>
          Effect.gen(function* () {
            const payPal = yield* PayPalVault
            const { setupToken, vaultId } = yield* payPal.setup(owner())
            ;(yield* Payer)(setupToken)
            yield* payPal.redeem(vaultId, setupToken)

            yield* payPal.forget(vaultId)
            yield* payPal.forget(vaultId)

            const left = yield* payPal.list(vaultId).pipe(Effect.catchTag("VaultGone", () => Effect.succeed([])))
            assert.deepStrictEqual(left, [])
          })
        )

        it.effect("are all in one vault, more of them than a page holds", () =>
          Effect.gen(function* () {
            const payPal = yield* PayPalVault
            const first = yield* payPal.setup(owner())
            const others = yield* Effect.replicateEffect(payPal.setup(owner(first.vaultId)), 11)
            for (const { setupToken, vaultId } of [first, ...others]) {
              ;(yield* Payer)(setupToken)
              assert.strictEqual(vaultId, first.vaultId)
              yield* payPal.redeem(vaultId, setupToken)
            }

            const listed = yield* payPal.list(first.vaultId)

            assert.strictEqual(new Set(listed.map(({ id }) => id)).size, 12)
          })
        )

        it.effect("of somebody else stay where they are, and approvals that nobody gave are not found", () =>
          Effect.gen(function* () {
            const payPal = yield* PayPalVault
            const hers = yield* payPal.setup(owner())
            const mine = yield* payPal.setup(owner())
            ;(yield* Payer)(hers.setupToken)
            const account = yield* payPal.redeem(hers.vaultId, hers.setupToken)

            yield* payPal.remove(mine.vaultId, account.id)
            const [unknown, unredeemable] = yield* Effect.all([
              Effect.flip(payPal.vaultOf("nothing")),
              Effect.flip(payPal.redeem(mine.vaultId, "nothing"))
            ])

            assert.notStrictEqual(hers.vaultId, mine.vaultId)
            assert.deepStrictEqual(yield* payPal.list(hers.vaultId), [account])
            assert.deepStrictEqual(
              [unknown._tag, unredeemable._tag],
              ["PaymentMethodNotFound", "PaymentMethodNotFound"]
            )
          })
        )
      })
    })
  }
})

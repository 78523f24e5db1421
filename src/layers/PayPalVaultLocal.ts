import { Effect, Layer } from "effect"
import { PaymentMethodNotFound } from "../domain/PaymentMethod.ts"
import { VaultGone } from "../services/CardVault.ts"
import { PayPalVault } from "../services/PayPalVault.ts"
import { localVault, randomId } from "./LocalVault.ts"
import * as PayPalSettings from "./PayPalSettings.ts"

interface Facts {
  readonly email: string
}

/** PayPal without an account there, and with payers who approve everything. */
export const layer = Layer.effect(
  PayPalVault,
  Effect.gen(function* () {
    const vaults = yield* localVault
    const returnUrl = yield* PayPalSettings.returnUrl

    const setup: PayPalVault["Service"]["setup"] = Effect.fn("PayPalVaultLocal.setup")(function* (owner) {
      const { customerId, orgId } = owner
      const vaultId = owner.vaultId ?? (yield* vaults.open(orgId, `paypal ${customerId}`, randomId("local")))
      if ((yield* vaults.vault(vaultId)) === undefined) return yield* new VaultGone()
      const setupToken = randomId("")
      const facts: Facts = { email: `${customerId}@paypal.example` }
      yield* vaults.make(vaultId, { id: randomId(""), origin: setupToken, state: "free", facts })
      const approvalUrl = new URL(returnUrl)
      approvalUrl.searchParams.set("approval_token_id", setupToken)
      return { setupToken, approvalUrl: approvalUrl.href, vaultId }
    })

    const approved = Effect.fnUntraced(function* (setupToken: string) {
      const item = yield* vaults.item({ origin: setupToken })
      return item === undefined || item.vaultId === null || setupToken.startsWith("pm_")
        ? yield* new PaymentMethodNotFound()
        : { ...item, vaultId: item.vaultId }
    })

    return PayPalVault.of({
      setup,
      vaultOf: (setupToken) => Effect.map(approved(setupToken), ({ vaultId }) => vaultId),
      redeem: Effect.fn("PayPalVaultLocal.redeem")(function* (vaultId, setupToken) {
        const item = yield* approved(setupToken)
        if (item.vaultId !== vaultId) return yield* new PaymentMethodNotFound()
        yield* vaults.hold(vaultId, item.id)
        return { id: item.id, email: (item.facts as Facts).email }
      }),
      list: Effect.fn("PayPalVaultLocal.list")(function* (vaultId) {
        if ((yield* vaults.vault(vaultId)) === undefined) return yield* new VaultGone()
        return (yield* vaults.items(vaultId)).map(({ facts, id }) => ({ id, email: (facts as Facts).email }))
      }),
      remove: vaults.remove,
      forget: vaults.forget
    })
  })
)

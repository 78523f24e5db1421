import { Effect, Layer } from "effect"
import { IntegrationNotConfigured } from "../domain/Integration.ts"
import { PayPalVault } from "../services/PayPalVault.ts"

const off = () => Effect.fail(new IntegrationNotConfigured())

/** No PayPal, because the operator said so. */
export const layer = Layer.succeed(PayPalVault, {
  setup: off,
  vaultOf: off,
  redeem: off,
  list: off,
  remove: off,
  forget: off
})

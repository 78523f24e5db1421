import { Effect, Layer } from "effect"
import { IntegrationNotConfigured } from "../domain/Integration.ts"
import { CardVault } from "../services/CardVault.ts"

const off = () => Effect.fail(new IntegrationNotConfigured())

/** No cards, because the operator said so. */
export const layer = Layer.succeed(CardVault, {
  open: off,
  attach: off,
  detach: off,
  list: off,
  defaultOf: off,
  setDefault: off,
  setup: off,
  forget: off,
  learn: () => Effect.void
})

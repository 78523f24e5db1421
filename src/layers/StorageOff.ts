import { Effect, Layer } from "effect"
import { IntegrationNotConfigured } from "../domain/Integration.ts"
import { Storage } from "../services/Storage.ts"

/** The operator wants no files. */
export const layer = Layer.succeed(
  Storage,
  Storage.of({
    put: () => Effect.fail(new IntegrationNotConfigured()),
    get: () => Effect.fail(new IntegrationNotConfigured()),
    remove: () => Effect.fail(new IntegrationNotConfigured())
  })
)

import { Effect, Layer } from "effect"
import { ProvidersLocal } from "../../src/layers/Providers.ts"
import { Services } from "../../src/layers/Services.ts"
import * as QuietConsole from "./QuietConsole.ts"
import * as TestDatabase from "./TestDatabase.ts"
import * as TestStorage from "./TestStorage.ts"

/** Our own services on a database without rows. */
export const layer = Services.pipe(
  Layer.provide(ProvidersLocal.pipe(Layer.provide(QuietConsole.layer))),
  Layer.provideMerge(TestStorage.layer),
  Layer.provideMerge(TestDatabase.layer)
)

/** What keeps strangers out: row security, and where that is off for once, each statement by itself. */
export const guards = [
  ["row security", Effect.void],
  ["the statements alone", TestDatabase.withoutPolicies]
] as const

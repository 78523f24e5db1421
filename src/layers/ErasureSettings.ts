import { Config, Effect, Layer } from "effect"
import { Erasures } from "../services/Erasures.ts"

/** How many days customers have to think better of it. */
export const graceDays = Config.Int("ERASURE_GRACE_DAYS").pipe(Config.withDefault(14))

export const layer = Layer.unwrap(Effect.map(graceDays, (graceDays) => Erasures.layerWith({ graceDays })))

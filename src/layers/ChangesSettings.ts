import { Config, Layer, Effect } from "effect"
import { ChangeSweeper } from "../services/ChangeSweeper.ts"

/** How many days back a cursor may be. */
export const days = Config.Int("CHANGES_RETENTION_DAYS").pipe(Config.withDefault(30))

export const Sweeper = Layer.unwrap(Effect.map(days, (days) => ChangeSweeper.layerWith({ days })))

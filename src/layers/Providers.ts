import { Effect, Layer } from "effect"
import type { HttpClient } from "effect/http"
import type { Config } from "effect"
import type { Places } from "../services/Places.ts"
import * as PlacesGoogle from "./PlacesGoogle.ts"
import * as PlacesLocal from "./PlacesLocal.ts"
import * as PlacesOff from "./PlacesOff.ts"
import * as PlacesSettings from "./PlacesSettings.ts"

const places = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<Layer.Layer<Places, never, HttpClient.HttpClient>, Config.ConfigError> {
    const settings = yield* PlacesSettings.settings
    if (settings._tag === "Google") return PlacesGoogle.layer(settings)
    return settings._tag === "Local" ? PlacesLocal.layer : PlacesOff.layer
  })
)

/** What others do for us, each by whom the configuration says. */
export const Providers = Layer.mergeAll(places)

/** Nobody does anything: for the command line, which asks for nothing of theirs. */
export const ProvidersOff = Layer.mergeAll(PlacesOff.layer)

import { Config, Effect } from "effect"
import { choice, origin, refuse } from "./ProviderSettings.ts"

/** `GOOGLE_PLACES_API_KEY`, or `PLACES=off`. */
export const choose = choice("PLACES", ["GOOGLE_PLACES_API_KEY"])

export const baseUrl = origin("GOOGLE_PLACES_BASE_URL", "https://places.googleapis.com")

/** `PLACES_DAILY_LIMIT`: look-ups a day that each org may make. */
export const dailyLimit = Config.String("PLACES_DAILY_LIMIT").pipe(
  Config.withDefault("10000"),
  Config.mapEffect((limit) =>
    /^[1-9]\d{0,8}$/.test(limit)
      ? Effect.succeed(Number(limit))
      : refuse("PLACES_DAILY_LIMIT: expected a number of look-ups a day from 1")
  )
)

/** All of it, to be checked before anything starts. */
export const settings = { places: choose, placesBaseUrl: baseUrl, placesDailyLimit: dailyLimit }

import { Config, ConfigProvider, Effect, Option, Redacted } from "effect"

export type PlacesSettings =
  | { readonly _tag: "Off" }
  | { readonly _tag: "Local" }
  | {
      readonly _tag: "Google"
      readonly apiKey: Redacted.Redacted
      readonly baseUrl: string
      readonly dailyLimit: number
    }

const text = (name: string, fallback: string) =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((value) => value.trim() || fallback)
  )

/** With a key Google answers, without one a file of made-up places, and in production that has to be said: nobody. */
export const settings: Config.Config<PlacesSettings> = Config.all({
  apiKey: Config.option(Config.Redacted("GOOGLE_PLACES_API_KEY")),
  baseUrl: text("GOOGLE_PLACES_BASE_URL", "https://places.googleapis.com"),
  dailyLimit: text("PLACES_DAILY_LIMIT", "10000"),
  places: text("PLACES", "on"),
  appEnv: text("APP_ENV", "local")
}).pipe(
  Config.mapEffect(({ apiKey, appEnv, baseUrl, dailyLimit, places }) => {
    const production = appEnv === "production"
    const url = URL.parse(baseUrl)
    const problems = [
      !["on", "off"].includes(places) && "PLACES: expected off, or nothing",
      production && places !== "off" && Option.isNone(apiKey) && "GOOGLE_PLACES_API_KEY: required, or PLACES=off",
      !(url?.protocol === "https:" || (url?.protocol === "http:" && !production)) &&
        `GOOGLE_PLACES_BASE_URL: expected an ${production ? "https" : "http or https"} URL`,
      !/^[1-9]\d{0,8}$/.test(dailyLimit) && "PLACES_DAILY_LIMIT: expected a number of look-ups a day from 1"
    ].filter((problem) => problem !== false)
    if (problems.length > 0) {
      return Effect.fail(new Config.ConfigError(new ConfigProvider.SourceError({ message: problems.join("\n") })))
    }
    if (places === "off") return Effect.succeed<PlacesSettings>({ _tag: "Off" })
    return Effect.succeed<PlacesSettings>(
      Option.match(apiKey, {
        onNone: () => ({ _tag: "Local" }),
        onSome: (apiKey) => ({
          _tag: "Google",
          apiKey,
          baseUrl: baseUrl.replace(/\/+$/, ""),
          dailyLimit: Number(dailyLimit)
        })
      })
    )
  })
)

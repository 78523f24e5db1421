import { Config, Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { refuse } from "./ProviderSettings.ts"

const text = (name: string) =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((value) => value.trim())
  )

/** `CODES_SECRET`: what codes are sealed and hashed with, the same on all replicas. */
export const secret = Config.all({
  appEnv: text("APP_ENV"),
  secret: text("CODES_SECRET"),
  localSecret: text("AUTH_JWT_SECRET")
}).pipe(
  Config.mapEffect(({ appEnv, localSecret, secret }) => {
    if (secret !== "" && secret.length < 32) return refuse("CODES_SECRET: expected 32 characters or more")
    if (secret === "" && appEnv === "production") return refuse("CODES_SECRET: required in production")
    // Local mode has a secret already; where it has none, its codes need not outlive it.
    return Effect.succeed(Redacted.make(secret || localSecret || randomBytes(32).toString("base64url")))
  })
)

/** `SMS_DAILY_LIMIT`: codes a day that each org may have sent by SMS. */
export const smsDailyLimit = Config.String("SMS_DAILY_LIMIT").pipe(
  Config.withDefault("1000"),
  Config.mapEffect((limit) =>
    /^\d{1,9}$/.test(limit.trim())
      ? Effect.succeed(Number(limit))
      : refuse("SMS_DAILY_LIMIT: expected a number of messages a day")
  )
)

/** `SMS_COUNTRIES`: where codes may be sent by SMS; everywhere when empty. */
export const smsCountries = Config.String("SMS_COUNTRIES").pipe(
  Config.withDefault(""),
  Config.mapEffect((value) => {
    const countries = value.split(",").flatMap((country) => country.trim() || [])
    return countries.every((country) => /^[A-Z]{2}$/.test(country))
      ? Effect.succeed(new Set(countries))
      : refuse("SMS_COUNTRIES: expected ISO 3166-1 codes such as GB,US")
  })
)

/** All of it, to be checked before anything starts. */
export const settings = { codesSecret: secret, smsDailyLimit, smsCountries }

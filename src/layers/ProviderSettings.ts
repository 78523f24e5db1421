import { Config, ConfigProvider, Effect, Redacted } from "effect"

/** A live provider's credentials, the stand-in of local mode, or nothing at all, because the operator said so. */
export type Choice<Name extends string> =
  | { readonly _tag: "Live"; readonly credentials: Readonly<Record<Name, Redacted.Redacted>> }
  | { readonly _tag: "Local" }
  | { readonly _tag: "Off" }

// Deployment tools pass a variable that nobody filled in as an empty string.
export const text = (name: string) =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((value) => value.trim())
  )

export const refuse = (...problems: ReadonlyArray<string>): Effect.Effect<never, Config.ConfigError> =>
  Effect.fail(new Config.ConfigError(new ConfigProvider.SourceError({ message: problems.join("\n") })))

/**
 * Which adapter a provider gets. With its credentials the live one; without them the stand-in in local mode, and in
 * production none, which has to be said: `STRIPE=off`. Nothing falls back to a stand-in silently.
 */
export const choice = <const Name extends string>(
  provider: string,
  names: ReadonlyArray<Name>
): Config.Config<Choice<Name>> =>
  Config.all({
    word: text(provider),
    appEnv: text("APP_ENV"),
    given: Config.all(names.map((name) => text(name)))
  }).pipe(
    Config.mapEffect(({ appEnv, given, word }): Effect.Effect<Choice<Name>, Config.ConfigError> => {
      if (word === "off") return Effect.succeed({ _tag: "Off" as const })
      if (word !== "") return refuse(`${provider}: expected off, or nothing`)
      const missing = names.filter((_, index) => given[index] === "")
      if (missing.length === 0) {
        const credentials = Object.fromEntries(names.map((name, index) => [name, Redacted.make(given[index]!)]))
        return Effect.succeed({ _tag: "Live" as const, credentials: credentials as Record<Name, Redacted.Redacted> })
      }
      if (missing.length < names.length) return refuse(...missing.map((name) => `${name}: required`))
      return appEnv === "production"
        ? refuse(`${names.join(", ")}: required in production, or ${provider}=off`)
        : Effect.succeed({ _tag: "Local" as const })
    })
  )

/** An http or https URL without a path; `fallback` when there is none. */
export const origin = (name: string, fallback: string): Config.Config<URL> =>
  text(name).pipe(
    Config.mapEffect((value) => {
      const url = URL.parse(value === "" ? fallback : value)
      return url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === ""
        ? Effect.succeed(url)
        : refuse(`${name}: expected an http or https URL without a path`)
    })
  )

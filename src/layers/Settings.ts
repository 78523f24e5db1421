import { Config, ConfigProvider, Data, Effect, Option, Redacted, Schema } from "effect"
import { OrgId } from "../domain/Ids.ts"
import * as PostgresUrl from "./PostgresUrl.ts"
import * as TokensSettings from "./TokensSettings.ts"

/** Every variable that is missing or wrong, a line each. Names, never values. */
export class WrongConfiguration extends Data.TaggedError("WrongConfiguration")<{
  readonly problems: ReadonlyArray<string>
}> {
  override get message() {
    return ["The configuration is not usable:", ...this.problems.map((problem) => `  ${problem}`)].join("\n")
  }
}

const refuse = (problem: string) =>
  Effect.fail(new Config.ConfigError(new ConfigProvider.SourceError({ message: problem })))

const checked = <A>(config: Config.Config<A>, holds: (value: A) => boolean, problem: string) =>
  Config.mapEffect(config, (value) => (holds(value) ? Effect.succeed(value) : refuse(problem)))

const appEnv = Config.Literals(["local", "production"], "APP_ENV").pipe(Config.withDefault("local" as const))

const origins = Config.String("CORS_ORIGINS").pipe(
  Config.withDefault(""),
  Config.map((value) =>
    value
      .split(",")
      .map((origin) => origin.trim())
      .filter((origin) => origin !== "")
  )
)

const platformApiKeys = Config.Redacted("PLATFORM_API_KEYS").pipe(
  Config.withDefault(Redacted.make("")),
  Config.map((value) =>
    Redacted.value(value)
      .split(",")
      .filter((pair) => pair.trim() !== "")
      .map((pair) => {
        const at = pair.indexOf(":")
        return { orgId: pair.slice(0, Math.max(at, 0)).trim() as OrgId, key: Redacted.make(pair.slice(at + 1).trim()) }
      })
  )
)

const fields = {
  appEnv,
  port: Config.Port("PORT").pipe(Config.withDefault(3000)),
  host: Config.option(Config.String("HOST")),
  dataDir: Config.String("DATA_DIR").pipe(Config.withDefault(".data")),
  rateLimit: checked(
    Config.Int("RATE_LIMIT").pipe(Config.withDefault(600)),
    (limit) => limit >= 1 && limit <= 1_000_000,
    "RATE_LIMIT: between 1 and 1000000 requests a minute are required"
  ),
  corsOrigins: checked(
    origins,
    (all) => all.every((origin) => URL.parse(origin)?.origin === origin),
    "CORS_ORIGINS: a list of origins such as https://portal.example.com is required"
  ),
  platformApiKeys: checked(
    platformApiKeys,
    (pairs) => pairs.every(({ key, orgId }) => Schema.is(OrgId)(orgId) && Redacted.value(key).length >= 16),
    "PLATFORM_API_KEYS: org:key,org:key is required, with keys of 16 characters or more"
  ),
  logLevel: Config.LogLevel("LOG_LEVEL").pipe(Config.withDefault("Info" as const)),
  otlp: Config.option(Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT"))
}

const database = Config.all({ appEnv, url: Config.option(Config.Redacted("DATABASE_URL")) }).pipe(
  Config.mapEffect(({ appEnv, url }) => {
    if (Option.isSome(url)) return Effect.asVoid(PostgresUrl.parse(url.value))
    return appEnv === "production" ? refuse("DATABASE_URL: required in production") : Effect.void
  })
)

const pool = (name: string) =>
  checked(
    Config.option(Config.Int(name)),
    Option.match({ onNone: () => true, onSome: (n) => n >= 1 && n <= 1000 }),
    `${name}: between 1 and 1000 connections are required`
  )

type Values = { readonly [Name in keyof typeof fields]: Config.Success<(typeof fields)[Name]> }
export type Settings = Omit<Values, "host"> & { readonly host: string }

/** Reads the whole environment at once, so that one start names everything that is wrong with it. */
export const load = Effect.gen(function* () {
  const problems: Array<string> = []
  const read = Effect.fnUntraced(function* <A>(config: Config.Config<A>) {
    return yield* Effect.gen(function* () {
      return yield* config
    }).pipe(Effect.catchTag("ConfigError", (error) => Effect.sync(() => void problems.push(...linesOf(error)))))
  })

  const values: Record<string, unknown> = {}
  for (const [name, config] of Object.entries(fields)) values[name] = yield* read(config as Config.Config<unknown>)
  yield* read(database)
  yield* read(TokensSettings.settings)
  for (const name of ["DATABASE_POOL", "DATABASE_PLATFORM_POOL", "DATABASE_OWNER_POOL"]) yield* read(pool(name))
  if (problems.length > 0) return yield* new WrongConfiguration({ problems: [...new Set(problems)] })
  const settings = values as Values
  const host = Option.getOrElse(settings.host, () => (settings.appEnv === "production" ? "0.0.0.0" : "127.0.0.1"))
  return { ...settings, host } satisfies Settings
})

/** `NAME: what is expected`, without the value that stood there. */
const linesOf = (error: Config.ConfigError): ReadonlyArray<string> => {
  if (error.cause._tag === "SourceError") return error.cause.message.split("\n")
  const name = /at \["([A-Z_]+)"\]/.exec(error.message)?.[1] ?? "?"
  return [
    `${name}: ${(error.message.split("\n")[0] ?? "not usable").replace(/, (?:got|actual) .*/, "").replace(/^SchemaError\(/, "")}`
  ]
}

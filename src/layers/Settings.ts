import { Config, ConfigProvider, Data, Effect, Option, Redacted, Schema } from "effect"
import { accessSync, constants, mkdirSync } from "node:fs"
import { OrgId } from "../domain/Ids.ts"
import * as MailSettings from "./MailSettings.ts"
import * as CodesSettings from "./CodesSettings.ts"
import * as ChangesSettings from "./ChangesSettings.ts"
import * as ErasureSettings from "./ErasureSettings.ts"
import * as PayPalSettings from "./PayPalSettings.ts"
import * as PlacesSettings from "./PlacesSettings.ts"
import * as PostgresUrl from "./PostgresUrl.ts"
import * as PushSettings from "./PushSettings.ts"
import * as SmsSettings from "./SmsSettings.ts"
import * as StorageSettings from "./StorageSettings.ts"
import * as StripeSettings from "./StripeSettings.ts"
import * as TokensSettings from "./TokensSettings.ts"

/** Every variable that is missing or wrong, a line each. Names, never values. */
export class WrongConfiguration extends Data.TaggedError("WrongConfiguration")<{
  readonly problems: ReadonlyArray<string>
}> {
  override get message() {
    return ["The configuration is not usable:", ...this.problems.map((problem) => `  ${problem}`)].join("\n")
  }
}

const problem = (message: string) => new Config.ConfigError(new ConfigProvider.SourceError({ message }))

/** Says `NAME: what is expected` of whatever is wrong with a value, in place of words that may quote it. */
const expecting = <A>(
  name: string,
  expected: string,
  config: Config.Config<A>,
  holds: (value: A) => boolean = () => true
): Config.Config<A> => {
  const refused = problem(`${name}: expected ${expected}`)
  return config.pipe(
    Config.mapEffect((value) => (holds(value) ? Effect.succeed(value) : Effect.fail(refused))),
    Config.orElse(() => Config.mapEffect(Config.succeed(undefined), () => Effect.fail(refused)))
  )
}

const list = (value: string) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")

const platformApiKeys = Config.Redacted("PLATFORM_API_KEYS").pipe(
  Config.withDefault(Redacted.make("")),
  Config.map((value) =>
    list(Redacted.value(value)).map((pair) => {
      const [, orgId, key] = /^(\S+?)\s*:\s*(\S+)$/.exec(pair) ?? ["", "", ""]
      return { orgId: orgId as OrgId, key: Redacted.make(key!) }
    })
  )
)

const dataDir = Config.String("DATA_DIR").pipe(Config.withDefault(".data"))
const production = Config.map(Config.option(Config.String("APP_ENV")), Option.contains("production"))

const values = {
  appEnv: expecting(
    "APP_ENV",
    "local or production",
    Config.Literals(["local", "production"], "APP_ENV").pipe(Config.withDefault("local" as const))
  ),
  port: expecting(
    "PORT",
    "a port from 1 to 65535",
    Config.Port("PORT").pipe(Config.withDefault(3000)),
    (port) => port > 0
  ),
  host: Config.option(Config.String("HOST")),
  dataDir: expecting(
    "DATA_DIR",
    "a folder that this process can write to",
    Config.all({ dataDir, production }),
    (all) => (all.production ? true : isWritable(all.dataDir))
  ).pipe(Config.map((all) => all.dataDir)),
  rateLimit: expecting(
    "RATE_LIMIT",
    "a number of requests a minute from 1 to 1000000",
    Config.Int("RATE_LIMIT").pipe(Config.withDefault(600)),
    (limit) => limit >= 1 && limit <= 1_000_000
  ),
  maxInFlight: expecting(
    "MAX_IN_FLIGHT",
    "a number of requests at once from 1 to 100000",
    Config.Int("MAX_IN_FLIGHT").pipe(Config.withDefault(400)),
    (most) => most >= 1 && most <= 100_000
  ),
  maxInFlightPerCustomer: expecting(
    "MAX_IN_FLIGHT_PER_CUSTOMER",
    "a number of requests at once from 1 to 100000",
    Config.Int("MAX_IN_FLIGHT_PER_CUSTOMER").pipe(Config.withDefault(50)),
    (most) => most >= 1 && most <= 100_000
  ),
  changesRetention: expecting(
    "CHANGES_RETENTION_DAYS",
    "a number of days from 1 to 3650",
    ChangesSettings.days,
    (days) => days >= 1 && days <= 3650
  ),
  erasureGrace: expecting(
    "ERASURE_GRACE_DAYS",
    "a number of days from 0 to 90",
    ErasureSettings.graceDays,
    (days) => days >= 0 && days <= 90
  ),
  corsOrigins: expecting(
    "CORS_ORIGINS",
    "a list of origins such as https://portal.example.com",
    Config.String("CORS_ORIGINS").pipe(Config.withDefault(""), Config.map(list)),
    (all) => all.every((origin) => URL.parse(origin)?.origin === origin)
  ),
  platformApiKeys: expecting(
    "PLATFORM_API_KEYS",
    "org:key,org:key with keys of 16 characters or more",
    platformApiKeys,
    (pairs) => pairs.every(({ key, orgId }) => Schema.is(OrgId)(orgId) && Redacted.value(key).length >= 16)
  ),
  logLevel: expecting(
    "LOG_LEVEL",
    "All, Trace, Debug, Info, Warn, Error, Fatal or None",
    Config.LogLevel("LOG_LEVEL").pipe(Config.withDefault("Info" as const))
  ),
  otlp: expecting(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "an http or https URL",
    Config.option(Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT")),
    (url) => Option.isNone(url) || /^https?:$/.test(url.value.protocol)
  )
}

const url = Config.all({ production, url: Config.option(Config.Redacted("DATABASE_URL")) }).pipe(
  Config.mapEffect(({ production, url }) => {
    if (Option.isSome(url)) return Effect.asVoid(PostgresUrl.parse(url.value))
    return production ? Effect.fail(problem("DATABASE_URL: required in production")) : Effect.void
  })
)

const pool = (name: string) =>
  expecting(
    name,
    "a number of connections from 1 to 1000",
    Config.option(Config.Int(name)),
    (size) => Option.isNone(size) || (size.value >= 1 && size.value <= 1000)
  )

/** What it takes to open the database. */
export const database = {
  url,
  folder: values.dataDir,
  customerPool: pool("DATABASE_POOL"),
  platformPool: pool("DATABASE_PLATFORM_POOL"),
  ownerPool: pool("DATABASE_OWNER_POOL")
}

type Read<Configs> = { readonly [Name in keyof Configs]: Configs[Name] extends Config.Config<infer A> ? A : never }

/** Reads several configs, so that one start names everything that is wrong with any of them. */
export const read = Effect.fnUntraced(function* <Configs extends Readonly<Record<string, Config.Config<unknown>>>>(
  configs: Configs
): Effect.fn.Return<Read<Configs>, WrongConfiguration> {
  const [found, problems] = yield* Effect.partition(Object.entries(configs), ([name, config]) =>
    Effect.map(config, (value) => [name, value] as const)
  )
  if (problems.length === 0) return Object.fromEntries(found) as Read<Configs>
  const lines = problems.flatMap(({ cause, message }) =>
    (cause._tag === "SourceError" ? cause.message : message).split("\n")
  )
  return yield* new WrongConfiguration({ problems: [...new Set(lines)] })
})

export type Settings = Omit<Read<typeof values>, "host"> & { readonly host: string }

/** All that the server is told by its environment, with what its layers will read by themselves checked beforehand. */
export const load: Effect.Effect<Settings, WrongConfiguration> = Effect.map(
  read({
    ...values,
    ...database,
    ...MailSettings.settings,
    ...CodesSettings.settings,
    ...PayPalSettings.settings,
    ...PlacesSettings.settings,
    ...PushSettings.settings,
    ...SmsSettings.settings,
    storage: StorageSettings.settings,
    ...StripeSettings.settings,
    tokens: TokensSettings.settings
  }),
  (settings) => ({
    ...settings,
    host: Option.getOrElse(settings.host, () => (settings.appEnv === "production" ? "0.0.0.0" : "127.0.0.1"))
  })
)

const isWritable = (folder: string) => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

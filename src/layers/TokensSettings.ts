import { Config, ConfigProvider, Effect, Redacted } from "effect"
import type { ClaimNames } from "../domain/TokenClaims.ts"

const asymmetric = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]

// Deployment tools pass a variable that nobody filled in as an empty string.
const text = (name: string, fallback = "") =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((value) => value.trim() || fallback)
  )

const list = (name: string, fallback?: string) =>
  Config.map(text(name, fallback), (value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
  )

const fields = {
  issuer: text("AUTH_ISSUER"),
  audience: list("AUTH_AUDIENCE"),
  defaultType: text("AUTH_DEFAULT_TYPE"),
  sub: text("AUTH_CLAIM_SUB", "sub"),
  org: text("AUTH_CLAIM_ORG", "org"),
  type: text("AUTH_CLAIM_TYPE", "type"),
  email: text("AUTH_CLAIM_EMAIL", "email"),
  emailVerified: text("AUTH_CLAIM_EMAIL_VERIFIED", "email_verified"),
  name: text("AUTH_CLAIM_NAME", "name"),
  phoneNumber: text("AUTH_CLAIM_PHONE_NUMBER", "phone_number")
}

/** What a token of ours has to say, whoever signs it. `issuer` is "" and `audience` empty where none is configured. */
export type TokenTerms = {
  readonly issuer: string
  readonly audience: ReadonlyArray<string>
  readonly names: ClaimNames
}

type Fields = { readonly [K in keyof typeof fields]: Config.Success<(typeof fields)[K]> }

const termsOf = ({ audience, defaultType, issuer, ...names }: Fields): TokenTerms => ({
  issuer,
  audience,
  names: isType(defaultType) ? { ...names, defaultType } : names
})

const isType = (value: string) => value === "customer" || value === "user"

export const terms: Config.Config<TokenTerms> = Config.map(Config.all(fields), termsOf)

export type TokenSettings = TokenTerms & {
  readonly keys:
    | { readonly _tag: "Secret"; readonly secret: Redacted.Redacted }
    | { readonly _tag: "Jwks"; readonly url: URL; readonly algorithms: ReadonlyArray<string> }
}

/** From the `AUTH_...` variables and `APP_ENV`; the error names every wrong variable, and no value. */
export const settings: Config.Config<TokenSettings> = Config.all({
  ...fields,
  secret: Config.Redacted("AUTH_JWT_SECRET").pipe(Config.withDefault(Redacted.make(""))),
  url: text("AUTH_JWKS_URL"),
  algorithms: list("AUTH_ALGORITHMS", "RS256,ES256,EdDSA"),
  appEnv: text("APP_ENV", "local")
}).pipe(
  Config.mapEffect(({ algorithms, appEnv, secret, url, ...rest }) => {
    const hasSecret = Redacted.value(secret) !== ""
    const production = appEnv === "production"
    const parsed = URL.parse(url)
    const named = url !== "" || production
    const problems = [
      hasSecret && url !== "" && "AUTH_JWT_SECRET, AUTH_JWKS_URL: set one, not both",
      !hasSecret && url === "" && "AUTH_JWT_SECRET, AUTH_JWKS_URL: one is required",
      hasSecret && Buffer.byteLength(Redacted.value(secret)) < 32 && "AUTH_JWT_SECRET: at least 32 bytes are required",
      url !== "" &&
        !isWeb(parsed, production) &&
        `AUTH_JWKS_URL: an ${production ? "https" : "http or https"} URL is required`,
      named && rest.issuer === "" && "AUTH_ISSUER: required",
      named && rest.audience.length === 0 && "AUTH_AUDIENCE: required",
      algorithms.some((one) => !asymmetric.includes(one)) &&
        `AUTH_ALGORITHMS: a list out of ${asymmetric.join(", ")} is required`,
      rest.defaultType !== "" && !isType(rest.defaultType) && "AUTH_DEFAULT_TYPE: customer or user is required"
    ].filter((problem) => problem !== false)
    return problems.length > 0
      ? Effect.fail(new Config.ConfigError(new ConfigProvider.SourceError({ message: problems.join("\n") })))
      : Effect.succeed({
          ...termsOf(rest),
          keys:
            parsed === null ? { _tag: "Secret" as const, secret } : { _tag: "Jwks" as const, url: parsed, algorithms }
        })
  })
)

const isWeb = (url: URL | null, production: boolean) =>
  url !== null && (url.protocol === "https:" || (url.protocol === "http:" && !production))

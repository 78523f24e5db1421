import { Config, Effect, Option, Redacted, Schema } from "effect"
import { createPrivateKey, type KeyObject } from "node:crypto"
import { readFileSync } from "node:fs"
import { origin, refuse, text } from "./ProviderSettings.ts"

/** Who we are to Google. */
export interface ServiceAccount {
  readonly projectId: string
  readonly clientEmail: string
  readonly privateKey: Redacted.Redacted
  /** Where it gives out access tokens. */
  readonly tokenUri: string
}

/** Who we are to Apple. */
export interface AppleKey {
  readonly key: Redacted.Redacted
  readonly keyId: string
  readonly teamId: string
  /** The app's bundle id. */
  readonly topic: string
}

export type Choice =
  | { readonly _tag: "Live"; readonly fcm: ServiceAccount | undefined; readonly apns: AppleKey | undefined }
  | { readonly _tag: "Local" }
  | { readonly _tag: "Off" }

const appleNames = ["APNS_KEY", "APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC"] as const

const expected = {
  FCM_SERVICE_ACCOUNT: "the JSON of a service account's key, or the path of a file with it",
  APNS_KEY: "the text of a .p8 key, or the path of a file with it",
  APNS_KEY_ID: "10 letters and digits",
  APNS_TEAM_ID: "10 letters and digits",
  APNS_TOPIC: "the app's bundle id, as com.example.portal"
}

const decode = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      project_id: Schema.String.check(Schema.isPattern(/^[a-z0-9:.-]{1,100}$/)),
      client_email: Schema.NonEmptyString,
      private_key: Schema.NonEmptyString,
      token_uri: Schema.optionalKey(
        Schema.String.check(Schema.isPattern(/^(?:https:\/\/|http:\/\/(?:127\.0\.0\.1|localhost)[:/])/))
      )
    })
  )
)

const keyOf = (pem: string): KeyObject | undefined => {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** The value itself, or what is in the file that it names; undefined when there is no such file. */
const contentOf = (value: string, isContent: RegExp): string | undefined => {
  if (isContent.test(value)) return value
  try {
    return readFileSync(value, "utf8")
  } catch {
    return undefined
  }
}

const serviceAccountOf = (value: string): ServiceAccount | undefined => {
  const account = Option.getOrUndefined(decode(contentOf(value, /^\s*\{/)))
  if (account === undefined || keyOf(account.private_key)?.asymmetricKeyType !== "rsa") return undefined
  return {
    projectId: account.project_id,
    clientEmail: account.client_email,
    privateKey: Redacted.make(account.private_key),
    tokenUri: account.token_uri ?? "https://oauth2.googleapis.com/token"
  }
}

const appleKeyOf = (value: string): Redacted.Redacted | undefined => {
  // Deployment tools keep line ends as \n.
  const pem = contentOf(value.replaceAll("\\n", "\n"), /-----BEGIN/)
  if (pem === undefined || keyOf(pem)?.asymmetricKeyDetails?.namedCurve !== "prime256v1") return undefined
  return Redacted.make(pem)
}

/** `FCM_SERVICE_ACCOUNT`, `APNS_KEY` with what belongs to it, or both, or `PUSH=off`. */
export const choose: Config.Config<Choice> = Config.all({
  word: text("PUSH"),
  appEnv: text("APP_ENV"),
  account: text("FCM_SERVICE_ACCOUNT"),
  apple: Config.all(appleNames.map((name) => text(name)))
}).pipe(
  Config.mapEffect(({ account, appEnv, apple, word }): Effect.Effect<Choice, Config.ConfigError> => {
    if (word === "off") return Effect.succeed({ _tag: "Off" })
    if (word !== "") return refuse("PUSH: expected off, or nothing")
    const isApple = apple.some((value) => value !== "")
    if (account === "" && !isApple) {
      return appEnv === "production"
        ? refuse(`FCM_SERVICE_ACCOUNT or ${appleNames.join(", ")}: required in production, or PUSH=off`)
        : Effect.succeed({ _tag: "Local" })
    }
    const [given = "", keyId = "", teamId = "", topic = ""] = apple
    const fcm = account === "" ? undefined : serviceAccountOf(account)
    const key = given === "" ? undefined : appleKeyOf(given)
    const right = {
      FCM_SERVICE_ACCOUNT: account === "" || fcm !== undefined,
      APNS_KEY: key !== undefined,
      APNS_KEY_ID: /^[A-Za-z0-9]{10}$/.test(keyId),
      APNS_TEAM_ID: /^[A-Za-z0-9]{10}$/.test(teamId),
      APNS_TOPIC: /^[A-Za-z0-9.-]{1,155}$/.test(topic)
    }
    const wrong = (["FCM_SERVICE_ACCOUNT", ...(isApple ? appleNames : [])] as const).filter((name) => !right[name])
    if (wrong.length > 0) return refuse(...wrong.map((name) => `${name}: expected ${expected[name]}`))
    return Effect.succeed({ _tag: "Live", fcm, apns: key === undefined ? undefined : { key, keyId, teamId, topic } })
  })
)

export const appleUrl = origin("APNS_BASE_URL", "https://api.push.apple.com")

/** All of it, one by one, so that everything that is wrong is named at once. */
export const settings = { push: choose, pushAppleUrl: appleUrl }

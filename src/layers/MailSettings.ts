import { Config, Effect, Redacted, Schema } from "effect"
import { Email } from "../domain/Profile.ts"
import { choice, refuse } from "./ProviderSettings.ts"

/** Where mail is handed over, and on whose behalf. */
export interface Smtp {
  readonly host: string
  readonly port: number
  /** TLS from the first byte, as on port 465. */
  readonly secure: boolean
  /** Nothing is said in clear text but the request to encrypt. */
  readonly requireTls: boolean
  readonly account: { readonly user: string; readonly password: Redacted.Redacted } | undefined
  readonly from: { readonly name: string; readonly address: string }
}

export type Choice =
  | { readonly _tag: "Live"; readonly smtp: Smtp }
  | { readonly _tag: "Local" }
  | { readonly _tag: "Off" }

const expected = {
  url: "SMTP_URL: expected smtp://user:password@host:587 or smtps://user:password@host:465",
  from: "MAIL_FROM: expected an address, or a name and an address as in Acme <no-reply@example.com>"
}

const urlOf = (text: string): Omit<Smtp, "from"> | undefined => {
  const url = URL.parse(text)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return undefined
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") return undefined
  try {
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
    if ((user === "") !== (password === "")) return undefined
    const port = url.port === "" ? (url.protocol === "smtps:" ? 465 : 587) : Number(url.port)
    const secure = url.protocol === "smtps:" || port === 465
    return {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port,
      secure,
      // A mail catcher, or a relay on the same network, may know neither accounts nor TLS.
      requireTls: !secure && (port === 587 || user !== ""),
      account: user === "" ? undefined : { user, password: Redacted.make(password) }
    }
  } catch {
    return undefined
  }
}

const fromOf = (text: string): Smtp["from"] | undefined => {
  const [, name = "", address = text] = /^([^<>"\u0000-\u001f]*)<([^<>]*)>$/.exec(text) ?? []
  return Schema.is(Email)(address) ? { name: name.trim(), address } : undefined
}

/** `SMTP_URL` and `MAIL_FROM`, or `MAIL=off`. */
export const choose: Config.Config<Choice> = choice("MAIL", ["SMTP_URL", "MAIL_FROM"]).pipe(
  Config.mapEffect((chosen): Effect.Effect<Choice, Config.ConfigError> => {
    if (chosen._tag !== "Live") return Effect.succeed(chosen)
    const url = urlOf(Redacted.value(chosen.credentials.SMTP_URL))
    const from = fromOf(Redacted.value(chosen.credentials.MAIL_FROM))
    const wrong = [url === undefined ? expected.url : "", from === undefined ? expected.from : ""]
    if (url === undefined || from === undefined) return refuse(...wrong.filter((line) => line !== ""))
    return Effect.succeed({ _tag: "Live", smtp: { ...url, from } })
  })
)

/** All of it, to be checked before anything starts. */
export const settings = { mail: choose }

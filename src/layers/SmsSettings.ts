import { Config, Effect, Redacted } from "effect"
import { choice, origin, refuse } from "./ProviderSettings.ts"

/** An account of Twilio's, and who its messages come from. */
export interface Twilio {
  readonly accountSid: string
  readonly authToken: Redacted.Redacted
  /** A number, a messaging service, or a name. */
  readonly from: string
}

export type Choice =
  | { readonly _tag: "Live"; readonly twilio: Twilio }
  | { readonly _tag: "Local" }
  | { readonly _tag: "Off" }

/** A number, a messaging service, or a name that numbers show. */
const sender = /^(?:\+[1-9]\d{6,14}|MG[0-9a-f]{32}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{2,11})$/

/** `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN` and `TWILIO_FROM`, or `SMS=off`. */
export const choose: Config.Config<Choice> = choice("SMS", [
  "TWILIO_ACCOUNT_SID",
  "TWILIO_AUTH_TOKEN",
  "TWILIO_FROM"
]).pipe(
  Config.mapEffect((chosen): Effect.Effect<Choice, Config.ConfigError> => {
    if (chosen._tag !== "Live") return Effect.succeed(chosen)
    const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: authToken, TWILIO_FROM: from } = chosen.credentials
    const wrong = [
      /^AC[0-9a-f]{32}$/.test(Redacted.value(sid)) ? "" : "TWILIO_ACCOUNT_SID: expected AC and 32 hexadecimal digits",
      sender.test(Redacted.value(from))
        ? ""
        : "TWILIO_FROM: expected a number as +14155552671, a messaging service as MG..., or a name of 11 letters"
    ].filter((line) => line !== "")
    if (wrong.length > 0) return refuse(...wrong)
    return Effect.succeed({
      _tag: "Live",
      twilio: { accountSid: Redacted.value(sid), authToken, from: Redacted.value(from) }
    })
  })
)

export const baseUrl = origin("TWILIO_BASE_URL", "https://api.twilio.com")

/** All of it, one by one, so that everything that is wrong is named at once. */
export const settings = { sms: choose, smsBaseUrl: baseUrl }

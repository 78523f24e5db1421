import { Cause, Effect, Logger, References } from "effect"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import type { NotSent } from "../../src/services/NotSent.ts"
import type { OutgoingMail } from "../../src/services/Mail.ts"
import type { OutgoingPush } from "../../src/services/Push.ts"
import type { OutgoingSms } from "../../src/services/Sms.ts"

const addressed = {
  id: "0198f7b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
  orgId: OrgId.make("acme"),
  customerId: CustomerId.make("ada")
}

export const aMail: OutgoingMail = {
  ...addressed,
  to: "ada.lovelace@customers.example",
  language: "en-GB",
  subject: "Your code",
  text: "204816 is your code.",
  html: "<p>204816 is your code.</p>",
  code: "204816"
}

export const anSms: OutgoingSms = { ...addressed, to: "+442079460123", text: "204816 is your code.", code: "204816" }

export const aPush: OutgoingPush = {
  ...addressed,
  provider: "fcm",
  platform: "android",
  token: "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00",
  title: "Your order has left",
  body: "No. 1001 is on its way.",
  link: "https://portal.example.com/orders/1001",
  data: { type: "order_status" }
}

/** What no log line and no reason may hold. */
const personal = ["ada.lovelace", "204816", "442079460123", "c0ffee00", "order_status", "1001"]

export type Seen = "sent" | NotSent["reason"] | `${NotSent["reason"]}, maybe sent`

const toBeLogged: ReadonlyArray<NotSent["reason"]> = ["unavailable", "throttled", "misconfigured"]

/**
 * What became of a message, and what was said about it. Dies when a log line or the reason holds anything of the
 * message, or of the secrets it was sent with; and when the operator should have been told and was not.
 */
export const attempt = Effect.fnUntraced(function* (
  sending: Effect.Effect<void, NotSent>,
  secrets: ReadonlyArray<string>
) {
  const lines: Array<string> = []
  const recorder = Logger.make<unknown, void>((options) => void lines.push(Logger.formatJson.log(options)))
  const exit = yield* Effect.exit(sending).pipe(
    Effect.provide(Logger.layer([recorder])),
    Effect.provideService(References.MinimumLogLevel, "All")
  )
  const error = exit._tag === "Failure" ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined
  if (exit._tag === "Failure" && error === undefined) return yield* Effect.die(Cause.pretty(exit.cause))
  const said = [...lines, JSON.stringify(error ?? {})].join("\n")
  for (const word of [...personal, ...secrets]) {
    if (said.includes(word)) return yield* Effect.die(`${word} was said: ${said}`)
  }
  if (error !== undefined && toBeLogged.includes(error.reason) && lines.length === 0) {
    return yield* Effect.die(`nobody was told: ${said}`)
  }
  const seen: Seen =
    error === undefined ? "sent" : error.maybeSent === true ? `${error.reason}, maybe sent` : error.reason
  return { seen, error, lines }
})

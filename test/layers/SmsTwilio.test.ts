import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import * as SmsTwilio from "../../src/layers/SmsTwilio.ts"
import { Sms } from "../../src/services/Sms.ts"
import { freePort } from "../support/Process.ts"
import { anSms, attempt, type Seen } from "../support/Sending.ts"
import { answering, breakingOff, hanging, hangingUp, type Reply } from "../support/StandIn.ts"
import * as TwilioStandIn from "../support/TwilioStandIn.ts"

const { accountSid, authToken, refusing } = TwilioStandIn
const secrets = [authToken, accountSid, Buffer.from(`${accountSid}:${authToken}`).toString("base64")]

const texter = (baseUrl: string, more: Partial<SmsTwilio.Options> = {}) =>
  Effect.map(
    Layer.build(
      SmsTwilio.layer({
        accountSid,
        authToken: Redacted.make(authToken),
        from: "+14155552671",
        baseUrl: new URL(baseUrl),
        deadline: "700 millis",
        ...more
      }).pipe(Layer.provide(FetchHttpClient.layer))
    ),
    (context) => Context.get(context, Sms)
  )

const refused = (status: number, code: number, headers = {}) => refusing(status, code, anSms.to, headers)

/** What Twilio answers each time, what becomes of the message, how often Twilio was asked, and what is told of when. */
const cases: ReadonlyArray<
  readonly [name: string, reply: Reply | undefined, seen: Seen, requests: number, retryAfter?: number]
> = [
  ["takes it", undefined, "sent", 1],
  ["takes it, and says so in no known form", answering(201, "<html>fine</html>"), "sent", 1],
  ["takes it, and breaks off", (response) => breakingOff(response), "sent", 1],
  ["does not know the account", refused(401, 20003), "misconfigured", 1],
  ["has closed the account", refused(403, 20005), "misconfigured", 1],
  ["is somewhere else", answering(302, undefined, { location: "http://127.0.0.1:1/" }), "misconfigured", 1],
  ["does not know our sender", refused(400, 21606), "misconfigured", 1],
  ["does not take the number", refused(400, 21211), "refused", 1],
  ["was told to stop by the number's owner", refused(400, 21610), "refused", 1],
  ["does not send there", refused(400, 21408), "refused", 1],
  ["is asked too much", refused(429, 20429), "throttled", 1, 1],
  ["is asked too much, for half a minute", refused(429, 20429, { "retry-after": "30" }), "throttled", 1, 30],
  ["is not available", refused(503, 20503), "unavailable", 3],
  ["fails", refused(500, 20500), "unavailable, maybe sent", 1],
  ["sends a proxy's page", answering(502, "<html>+442079460123</html>"), "unavailable, maybe sent", 1],
  ["hangs up", hangingUp, "unavailable, maybe sent", 1],
  ["never answers", hanging, "unavailable, maybe sent", 1],
  ["refuses in no known form", answering(400, { code: "+442079460123", message: 204816 }), "refused", 1]
]

describe("A text message, when Twilio", () => {
  for (const [name, reply, seen, requests, retryAfter] of cases) {
    it.live(`${name}: ${seen} after ${requests} request${requests === 1 ? "" : "s"}`, () =>
      Effect.gen(function* () {
        const site = yield* TwilioStandIn.listen()
        const sms = yield* texter(site.baseUrl, requests > 1 ? { deadline: "5 seconds" } : {})
        if (reply !== undefined) site.instead(/./, reply, 9)

        const sent = yield* attempt(sms.send(anSms), secrets)

        assert.strictEqual(sent.seen, seen)
        assert.strictEqual(site.asked.length, requests)
        assert.strictEqual(sent.error?.retryAfter, retryAfter)
      })
    )
  }

  it.live("has it, and is not heard of any more: it is not sent twice", () =>
    Effect.gen(function* () {
      const site = yield* TwilioStandIn.listen()
      const sms = yield* texter(site.baseUrl)
      site.afterwards(/./, hangingUp)

      const { seen } = yield* attempt(sms.send(anSms), secrets)

      assert.deepStrictEqual([seen, site.messages.length], ["unavailable, maybe sent", 1])
    })
  )

  it.live("is not there: unavailable", () =>
    Effect.gen(function* () {
      const sms = yield* texter(`http://127.0.0.1:${yield* Effect.promise(freePort)}`, { deadline: "5 seconds" })

      const { error, seen } = yield* attempt(sms.send(anSms), secrets)

      assert.deepStrictEqual([seen, error?.detail], ["unavailable", "ECONNREFUSED"])
    })
  )

  it.live("is down for long: it is not asked for a while", () =>
    Effect.gen(function* () {
      const site = yield* TwilioStandIn.listen()
      const sms = yield* texter(site.baseUrl)
      site.instead(/./, answering(500), 99)
      for (let index = 0; index < 20; index++) yield* attempt(sms.send(anSms), secrets)

      const { error } = yield* attempt(sms.send(anSms), secrets)

      assert.deepStrictEqual([error?.reason, site.asked.length], ["unavailable", 20])
      assert.isAtLeast(error?.retryAfter ?? 0, 1)
    })
  )
})

describe("A text message", () => {
  it.live("comes from our number or our messaging service, word for word", () =>
    Effect.gen(function* () {
      const site = yield* TwilioStandIn.listen()
      const service = `MG${"0b".repeat(16)}`
      const text = "Grüße & 100 % = ja? +1"

      yield* (yield* texter(site.baseUrl)).send({ ...anSms, text })
      yield* (yield* texter(site.baseUrl, { from: service })).send(anSms)

      assert.deepStrictEqual(site.messages, [
        { To: anSms.to, From: "+14155552671", Body: text },
        { To: anSms.to, MessagingServiceSid: service, Body: anSms.text }
      ])
      assert.isUndefined(site.asked[0]!.headers["traceparent"])
    })
  )

  for (const to of ["+44 20 7946 0123", "442079460123", "+442079460123&From=+1", "whatsapp:+442079460123", ""]) {
    it.live(`is for one number: ${JSON.stringify(to)} never leaves`, () =>
      Effect.gen(function* () {
        const site = yield* TwilioStandIn.listen()
        const sms = yield* texter(site.baseUrl)

        const { seen } = yield* attempt(sms.send({ ...anSms, to }), secrets)

        assert.deepStrictEqual([seen, site.asked.length], ["refused", 0])
      })
    )
  }
})

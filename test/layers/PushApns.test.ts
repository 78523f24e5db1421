import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { constants } from "node:http2"
import type * as PushApns from "../../src/layers/PushApns.ts"
import * as PushChannels from "../../src/layers/PushChannels.ts"
import { Push } from "../../src/services/Push.ts"
import * as ApnsStandIn from "../support/ApnsStandIn.ts"
import {
  answering,
  breakingOff,
  goingAway,
  hanging,
  hangingUp,
  refusing,
  type Reply,
  resetting
} from "../support/ApnsStandIn.ts"
import { certificateFor } from "../support/Certificates.ts"
import { freePort } from "../support/Process.ts"
import { aPush, attempt, type Seen } from "../support/Sending.ts"
import { later } from "../support/Time.ts"

const { key, keyId, teamId, topic } = ApnsStandIn
const secrets = [key.split("\n")[1]!, "bearer", "eyJ"]
const message = { ...aPush, provider: "apns" as const, platform: "ios" as const }

const pusher = (baseUrl: string, more: Partial<PushApns.Options> = {}) =>
  Effect.map(
    Layer.build(
      PushChannels.layer({
        fcm: undefined,
        apns: {
          key: Redacted.make(key),
          keyId,
          teamId,
          topic,
          baseUrl: new URL(baseUrl),
          deadline: "3 seconds",
          ...more
        }
      }).pipe(Layer.provide(FetchHttpClient.layer))
    ),
    (context) => Context.get(context, Push)
  )

/** What Apple answers each time, what becomes of the message, and how often Apple was asked. */
const cases: ReadonlyArray<
  readonly [name: string, reply: Reply | undefined, seen: Seen, requests: number, retryAfter?: number]
> = [
  ["takes it", undefined, "sent", 1],
  ["knows the device no more", refusing(410, "Unregistered"), "gone", 1],
  ["gave the device another token", refusing(410, "ExpiredToken"), "gone", 1],
  ["has never given out that token", refusing(400, "BadDeviceToken"), "gone", 1],
  ["gave it out to another app", refusing(400, "DeviceTokenNotForTopic"), "gone", 1],
  ["finds our key wrong", refusing(403, "InvalidProviderToken"), "misconfigured", 1],
  ["finds our tokens expired, each of them", refusing(403, "ExpiredProviderToken"), "misconfigured", 3],
  ["does not let us send for the app", refusing(403, "Forbidden"), "misconfigured", 1],
  ["does not know the app", refusing(400, "BadTopic"), "misconfigured", 1],
  ["finds it too long", refusing(413, "PayloadTooLarge"), "refused", 1],
  ["finds it empty", refusing(400, "PayloadEmpty"), "refused", 1],
  ["is asked too much for the device", refusing(429, "TooManyRequests"), "throttled", 1, 60],
  [
    "is given too many keys",
    refusing(429, "TooManyProviderTokenUpdates", { "retry-after": "1200" }),
    "throttled",
    1,
    1200
  ],
  ["fails", refusing(500, "InternalServerError"), "unavailable", 1],
  ["closes down", refusing(503, "Shutdown"), "unavailable", 1],
  ["refuses in no known form", answering(400, `<html>${aPush.token}</html>`), "refused", 1],
  ["says that the token is what is wrong, and more", answering(400, { reason: aPush.token }), "refused", 1],
  ["answers as nobody should", answering(302, "elsewhere"), "unavailable, maybe sent", 1],
  ["hangs up", hangingUp, "unavailable, maybe sent", 1],
  ["goes away", goingAway, "unavailable, maybe sent", 1],
  ["breaks off in the middle of an answer", breakingOff, "unavailable, maybe sent", 1],
  ["resets the stream", resetting(constants.NGHTTP2_INTERNAL_ERROR), "unavailable, maybe sent", 1],
  ["refuses the stream unread", resetting(constants.NGHTTP2_REFUSED_STREAM), "unavailable", 3],
  ["never answers", hanging, "unavailable, maybe sent", 1]
]

describe("A push message, when Apple", () => {
  for (const [name, reply, seen, requests, retryAfter] of cases) {
    it.live(`${name}: ${seen} after ${requests} request${requests === 1 ? "" : "s"}`, () =>
      Effect.gen(function* () {
        const site = yield* ApnsStandIn.listen()
        const push = yield* pusher(site.baseUrl)
        if (reply !== undefined) site.instead(reply, 9)

        const sent = yield* attempt(push.send(message), secrets)

        assert.deepStrictEqual([sent.seen, site.asked], [seen, requests])
        assert.strictEqual(sent.error?.retryAfter, retryAfter)
      })
    )
  }

  it.live("is not there: unavailable; there again, it is sent", () =>
    Effect.gen(function* () {
      const push = yield* pusher(`http://127.0.0.1:${yield* Effect.promise(freePort)}`)

      const { error, seen } = yield* attempt(push.send(message), secrets)

      assert.deepStrictEqual([seen, error?.detail], ["unavailable", "ECONNREFUSED"])
    })
  )

  for (const [name, reply] of [
    ["goes away", goingAway],
    ["hangs up", hangingUp],
    ["never answers", hanging]
  ] as const) {
    it.live(`${name} once, the next message goes over a new connection`, () =>
      Effect.gen(function* () {
        const site = yield* ApnsStandIn.listen()
        const push = yield* pusher(site.baseUrl, { deadline: "500 millis" })
        yield* push.send(message)
        site.instead(reply)

        const lost = yield* attempt(push.send(message), secrets)
        const next = yield* attempt(push.send(message), secrets)

        assert.deepStrictEqual([lost.seen, next.seen], ["unavailable, maybe sent", "sent"])
        assert.strictEqual(site.sessions, 2)
      })
    )
  }

  it.live("says since when a device is gone", () =>
    Effect.gen(function* () {
      const site = yield* ApnsStandIn.listen()
      const push = yield* pusher(site.baseUrl)
      const goneSince = new Date("2026-11-20T10:00:00.000Z")
      site.instead(answering(410, { reason: "Unregistered", timestamp: goneSince.getTime() }))

      const { error } = yield* attempt(push.send(message), secrets)

      assert.deepStrictEqual(error?.goneSince, goneSince)
    })
  )

  it.live("has a certificate of nobody's: misconfigured, and no word is said", () =>
    Effect.gen(function* () {
      const site = yield* ApnsStandIn.listen(certificateFor("127.0.0.1"))
      const push = yield* pusher(site.baseUrl)

      const { seen } = yield* attempt(push.send(message), secrets)

      assert.deepStrictEqual([seen, site.asked], ["misconfigured", 0])
    })
  )
})

describe("A push message to Apple", () => {
  it.live("says what it is, whose it is, and what it takes the place of, and its data replaces none of that", () =>
    Effect.gen(function* () {
      const certificate = certificateFor("127.0.0.1")
      const site = yield* ApnsStandIn.listen(certificate)
      const push = yield* pusher(site.baseUrl, { ca: certificate.ca })

      yield* push.send({ ...message, data: { type: "order_status", aps: "mine", deliveryId: "mine", link: "mine" } })

      const [{ headers, payload, token }] = site.pushed as [(typeof site.pushed)[0]]
      assert.strictEqual(token, message.token)
      assert.deepInclude(headers, {
        "apns-topic": topic,
        "apns-id": message.id,
        "apns-collapse-id": message.id,
        "apns-push-type": "alert"
      })
      assert.deepStrictEqual(payload, {
        type: "order_status",
        deliveryId: message.id,
        link: message.link,
        aps: { alert: { title: message.title, body: message.body }, sound: "default" }
      })
    })
  )

  it.live("shares a connection and a provider token with all others, for less than an hour", () =>
    Effect.gen(function* () {
      const site = yield* ApnsStandIn.listen()
      const push = yield* pusher(site.baseUrl)
      const send = push.send(message)

      yield* Effect.all(
        Array.from({ length: 200 }, () => send),
        { concurrency: 50 }
      )
      yield* send.pipe(later("49 minutes"))
      const tokens = site.providerTokens.size
      yield* send.pipe(later("51 minutes"))

      assert.deepStrictEqual([site.pushed.length, site.sessions, tokens, site.providerTokens.size], [202, 1, 1, 2])
    })
  )

  it.live("is sent again with another provider token when the old one has expired, which is made once for all", () =>
    Effect.gen(function* () {
      const site = yield* ApnsStandIn.listen()
      const push = yield* pusher(site.baseUrl)
      yield* push.send(message)
      site.instead(refusing(403, "ExpiredProviderToken"), 5)

      // Within one second tokens are alike: they say when they were made.
      yield* Effect.all(
        Array.from({ length: 5 }, () => push.send(message).pipe(later("2 seconds"))),
        { concurrency: 5 }
      )

      assert.deepStrictEqual([site.pushed.length, site.providerTokens.size], [6, 2])
    })
  )

  for (const token of ["../../v1/apps", "c0ffee00/../../x", "c0ffee00c0ffee00\r\nx: y", "zz".repeat(32), ""]) {
    it.live(`goes to a device: ${JSON.stringify(token)} is none, and Apple is not asked`, () =>
      Effect.gen(function* () {
        const site = yield* ApnsStandIn.listen()
        const push = yield* pusher(site.baseUrl)

        const { seen } = yield* attempt(push.send({ ...message, token }), secrets)

        assert.deepStrictEqual([seen, site.sessions], ["gone", 0])
      })
    )
  }

  it.live("goes to nobody else: a token of Google's is off where only Apple is set up", () =>
    Effect.gen(function* () {
      const site = yield* ApnsStandIn.listen()
      const push = yield* pusher(site.baseUrl)

      const { seen } = yield* attempt(push.send(aPush), secrets)

      assert.deepStrictEqual([seen, push.configured, site.sessions], ["off", { fcm: false, apns: true }, 0])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import * as PushChannels from "../../src/layers/PushChannels.ts"
import type * as PushFcm from "../../src/layers/PushFcm.ts"
import { Push } from "../../src/services/Push.ts"
import * as FcmStandIn from "../support/FcmStandIn.ts"
import { freePort } from "../support/Process.ts"
import { aPush, attempt, type Seen } from "../support/Sending.ts"
import { answering, breakingOff, hanging, hangingUp, type Reply } from "../support/StandIn.ts"
import { later } from "../support/Time.ts"

const { clientEmail, privateKey, projectId, refusing } = FcmStandIn
const secrets = [privateKey.split("\n")[1]!, clientEmail, "ya29", "eyJ", "Bearer"]
const asked = /^POST \/v1\//

const pusher = (site: Pick<FcmStandIn.FcmStandIn, "baseUrl" | "port" | "ca">, more: Partial<PushFcm.Options> = {}) =>
  Effect.map(
    Layer.build(
      PushChannels.layer({
        apns: undefined,
        fcm: {
          projectId,
          clientEmail,
          privateKey: Redacted.make(privateKey),
          tokenUri: `${site.baseUrl}/token`,
          connection: { host: "127.0.0.1", port: site.port, ca: site.ca },
          deadline: "3 seconds",
          ...more
        }
      }).pipe(Layer.provide(FetchHttpClient.layer))
    ),
    (context) => Context.get(context, Push)
  )

const after = (seconds: string) => ({ "retry-after": seconds })

/** What Google answers each time, what becomes of the message, and how often Google was asked. */
const cases: ReadonlyArray<
  readonly [name: string, reply: Reply | undefined, seen: Seen, requests: number, retryAfter?: number]
> = [
  ["takes it", undefined, "sent", 1],
  ["knows the app on the device no more", refusing(404, "NOT_FOUND", "UNREGISTERED"), "gone", 1],
  ["gave the token out for another sender", refusing(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), "gone", 1],
  [
    "finds the token to be none",
    refusing(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", `The registration token is not a valid one: ${aPush.token}`),
    "gone",
    1
  ],
  [
    "finds the message wrong",
    refusing(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid value at 'message.data'"),
    "refused",
    1
  ],
  ["is asked too much", refusing(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), "throttled", 1, 60],
  [
    "is asked too much, for ten minutes",
    refusing(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "No.", after("600")),
    "throttled",
    1,
    600
  ],
  ["is not available", refusing(503, "UNAVAILABLE", "UNAVAILABLE"), "unavailable", 1],
  [
    "is not available for half a minute",
    refusing(503, "UNAVAILABLE", "UNAVAILABLE", "No.", after("30")),
    "unavailable",
    1,
    30
  ],
  ["fails", refusing(500, "INTERNAL", "INTERNAL"), "unavailable", 1],
  ["cannot speak to Apple for us", refusing(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), "misconfigured", 1],
  ["does not let us send for the project", refusing(403, "PERMISSION_DENIED"), "misconfigured", 1],
  ["does not take our access tokens, whichever", refusing(401, "UNAUTHENTICATED"), "misconfigured", 3],
  ["does not know the project", refusing(404, "NOT_FOUND"), "misconfigured", 1],
  ["sends a proxy's page", answering(502, `<html>${aPush.token}</html>`), "unavailable", 1],
  [
    "takes it, and says so in no known form",
    answering(200, `<html>${aPush.token}</html>`),
    "unavailable, maybe sent",
    1
  ],
  ["takes it, and says something else", answering(200, { fine: true }), "sent", 1],
  ["refuses in no known form", answering(400, "<html>204816</html>"), "refused", 1],
  ["breaks off in the middle of an answer", breakingOff, "unavailable, maybe sent", 1],
  ["hangs up", hangingUp, "unavailable, maybe sent", 1],
  ["never answers", hanging, "unavailable, maybe sent", 1]
]

describe("A push message, when Google", () => {
  for (const [name, reply, seen, requests, retryAfter] of cases) {
    it.live(`${name}: ${seen} after ${requests} request${requests === 1 ? "" : "s"}`, () =>
      Effect.gen(function* () {
        const site = yield* FcmStandIn.listen()
        const push = yield* pusher(site)
        if (reply !== undefined) site.instead(asked, reply, 9)

        const sent = yield* attempt(push.send(aPush), secrets)
        // The SDK repeats at once what it repeats.
        yield* Effect.sleep("300 millis")

        assert.deepStrictEqual([sent.seen, site.count(asked)], [seen, requests])
        assert.strictEqual(sent.error?.retryAfter, retryAfter)
      })
    )
  }

  it.live("has it, and is not heard of any more: it is not sent twice", () =>
    Effect.gen(function* () {
      const site = yield* FcmStandIn.listen()
      const push = yield* pusher(site)
      site.afterwards(asked, hangingUp)

      const { seen } = yield* attempt(push.send(aPush), secrets)
      yield* Effect.sleep("300 millis")

      assert.deepStrictEqual([seen, site.messages.length], ["unavailable, maybe sent", 1])
    })
  )

  it.live("is not there, or is somebody else: no word is said", () =>
    Effect.gen(function* () {
      const site = yield* FcmStandIn.listen()
      const nowhere = yield* pusher({ ...site, port: yield* Effect.promise(freePort) })
      const distrusted = yield* pusher(site, { connection: { host: "127.0.0.1", port: site.port } })

      const absent = yield* attempt(nowhere.send(aPush), secrets)
      const another = yield* attempt(distrusted.send(aPush), secrets)

      assert.deepStrictEqual([absent.seen, absent.error?.detail], ["unavailable", "ECONNREFUSED"])
      assert.deepStrictEqual([another.seen, site.count(asked)], ["misconfigured", 0])
    })
  )

  for (const [name, reply, seen, requests] of [
    ["does not know the service account", answering(400, { error: "invalid_grant" }), "misconfigured", 1],
    ["gives no token for now", answering(503), "unavailable", 3],
    ["gives too many tokens", answering(429, undefined, after("5")), "throttled", 1],
    ["gives something else than a token", answering(200, { token: "ya29" }), "unavailable", 1],
    ["hangs up instead of giving a token", hangingUp, "unavailable", 3]
  ] as const) {
    it.live(`${name}: ${seen}, and the next message asks again`, () =>
      Effect.gen(function* () {
        const site = yield* FcmStandIn.listen()
        const push = yield* pusher(site)
        site.instead(/token/, reply, requests)

        const sent = yield* attempt(push.send(aPush), secrets)
        const next = yield* attempt(push.send(aPush), secrets)

        assert.deepStrictEqual([sent.seen, next.seen], [seen, "sent"])
        assert.deepStrictEqual([site.count(/token/), site.messages.length], [requests + 1, 1])
      })
    )
  }
})

describe("A push message to Google", () => {
  it.live("carries its id as what it takes the place of, and nothing that Google keeps for itself", () =>
    Effect.gen(function* () {
      const site = yield* FcmStandIn.listen()
      const push = yield* pusher(site)
      const data = { type: "order_status", from: "me", "google.x": "y", deliveryId: "mine" }

      yield* push.send({ ...aPush, data })
      yield* push.send({ ...aPush, platform: "ios" })
      yield* push.send({ ...aPush, platform: "web", link: null })

      const [android, ios, web] = site.messages
      const notification = { title: aPush.title, body: aPush.body }
      const carried = { type: "order_status", link: aPush.link, deliveryId: aPush.id }
      assert.deepStrictEqual(android, {
        token: aPush.token,
        notification,
        data: carried,
        android: { priority: "high", notification: { tag: aPush.id } }
      })
      assert.deepStrictEqual(ios!["apns"], { headers: { "apns-collapse-id": aPush.id } })
      assert.deepStrictEqual(
        [web!["webpush"], web!["data"]],
        [{ notification: { tag: aPush.id } }, { type: "order_status", deliveryId: aPush.id }]
      )
    })
  )

  it.live("shares an access token and a few connections with all others, for less than an hour", () =>
    Effect.gen(function* () {
      const site = yield* FcmStandIn.listen()
      const push = yield* pusher(site, { deadline: "10 seconds" })

      yield* Effect.all(
        Array.from({ length: 100 }, () => push.send(aPush)),
        { concurrency: 10 }
      )
      yield* push.send(aPush).pipe(later("49 minutes"))
      const tokens = site.bearers.size
      yield* push.send(aPush).pipe(later("51 minutes"))

      assert.deepStrictEqual([site.messages.length, tokens, site.bearers.size], [102, 1, 2])
      assert.isAtMost(site.connections, 10)
    })
  )

  it.live("is sent with another access token when the old one was taken back", () =>
    Effect.gen(function* () {
      const site = yield* FcmStandIn.listen()
      const push = yield* pusher(site)
      yield* push.send(aPush)
      site.bearers.clear()

      const { seen } = yield* attempt(push.send(aPush), secrets)

      assert.deepStrictEqual([seen, site.messages.length, site.bearers.size], ["sent", 2, 1])
    })
  )

  it.live("does not leave any more once nobody waits for it", () =>
    Effect.gen(function* () {
      const site = yield* FcmStandIn.listen()
      const push = yield* pusher(site)
      yield* push.send(aPush)

      const sending = yield* Effect.forkChild(push.send(aPush), { startImmediately: true })
      yield* Fiber.interrupt(sending)
      yield* Effect.sleep("300 millis")

      assert.strictEqual(site.messages.length, 1)
    })
  )

  it.live("goes to nobody else: a token of Apple's is off where only Google is set up", () =>
    Effect.gen(function* () {
      const site = yield* FcmStandIn.listen()
      const push = yield* pusher(site)

      const { seen } = yield* attempt(push.send({ ...aPush, provider: "apns" }), secrets)

      assert.deepStrictEqual([seen, push.configured, site.asked], ["off", { fcm: true, apns: false }, []])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Fiber, Layer, References } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import type { ServerResponse } from "node:http"
import { setTimeout } from "node:timers/promises"
import * as TokensJwt from "../../src/layers/TokensJwt.ts"
import { Tokens } from "../../src/services/Tokens.ts"
import { keys, listen, published, serving, token, withEc, withRsa } from "../support/Issuer.ts"

const now = 1_800_000_000
let serial = 0
const signed = (kid: keyof typeof byKid | (string & {}), pair = keys.rsa) =>
  token(
    { alg: "RS256", kid },
    { sub: "ada", org: "acme", type: "customer", iss: "i", aud: "a", iat: now, exp: now + 86_400, jti: serial++ },
    withRsa(pair.privateKey)
  )
const byKid = { rsa: keys.rsa, "rsa-next": keys.rsaNext }

const verifierOf = Effect.fnUntraced(function* (url: string) {
  yield* TestClock.setTime(now * 1000)
  const env = { AUTH_JWKS_URL: url, AUTH_ISSUER: "i", AUTH_AUDIENCE: "a" }
  const context = yield* Layer.build(
    TokensJwt.layer.pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
      Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
    )
  )
  return Context.get(context, Tokens)
})

const outcome = (tokens: Tokens["Service"], text: string) =>
  tokens.verify(text).pipe(
    Effect.as("accepted"),
    Effect.catch((error) => Effect.succeed(`${error._tag} ${error.reason}`))
  )

// Requests are real and time is not: a step beyond a request's deadline times it out, so steps end where one begins.
const until = (condition: Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    for (let i = 0; i < 2000; i++) {
      if (yield* condition) return
      yield* Effect.promise(() => setTimeout(1))
    }
    assert.fail("waited in vain")
  })

const status = (code: number) => (response: ServerResponse) =>
  void response.writeHead(code).end(JSON.stringify({ keys: [published.rsa] }))
const body = (text: string) => (response: ServerResponse) => void response.writeHead(200).end(text)

describe("an issuer's endpoint", () => {
  it.effect("is asked once for two hundred customers at once", () =>
    Effect.gen(function* () {
      const site = yield* listen((response) => void setTimeout(50).then(() => serving(published.rsa)(response)))
      const tokens = yield* verifierOf(site.url)

      const outcomes = yield* Effect.all(
        Array.from({ length: 200 }, () => outcome(tokens, signed("rsa"))),
        { concurrency: "unbounded" }
      )

      assert.deepStrictEqual([...new Set(outcomes)], ["accepted"])
      assert.strictEqual(site.requests, 1)
    })
  )

  it.effect("is asked at most once in thirty seconds for names of keys it does not have", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa))
      const tokens = yield* verifierOf(site.url)
      const forge = Effect.all(
        Array.from({ length: 50 }, (_, i) => outcome(tokens, signed(`forged-${i}`))),
        { concurrency: "unbounded" }
      )
      yield* forge
      assert.strictEqual(site.requests, 1)

      yield* TestClock.adjust("30 seconds")
      const outcomes = yield* forge
      assert.deepStrictEqual([...new Set(outcomes)], ["TokenInvalid unknown_key"])
      assert.strictEqual(site.requests, 2)

      yield* forge
      assert.strictEqual(site.requests, 2)
    })
  )

  it.effect("may rotate its keys: the old one counts in the overlap and not after", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa))
      const tokens = yield* verifierOf(site.url)
      const old = signed("rsa")
      assert.strictEqual(yield* outcome(tokens, old), "accepted")

      site.answer = serving(published.rsa, published.rsaNext)
      const next = signed("rsa-next", keys.rsaNext)
      assert.strictEqual(yield* outcome(tokens, next), "TokenInvalid unknown_key")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* outcome(tokens, next), "accepted")
      assert.strictEqual(yield* outcome(tokens, old), "accepted")

      site.answer = serving(published.rsaNext)
      yield* TestClock.adjust("270 seconds")
      yield* until(Effect.map(outcome(tokens, old), (o) => o === "TokenInvalid unknown_key"))
      assert.strictEqual(yield* outcome(tokens, next), "accepted")
    })
  )

  it.effect("may not turn a key into one of another type under the same name and be believed", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa))
      const tokens = yield* verifierOf(site.url)
      const old = signed("rsa")
      assert.strictEqual(yield* outcome(tokens, old), "accepted")

      site.answer = serving({ ...published.ec, kid: "rsa" })
      yield* TestClock.adjust("5 minutes")

      yield* until(Effect.map(outcome(tokens, old), (o) => o === "TokenInvalid unknown_key"))
      const swapped = token(
        { alg: "ES256", kid: "rsa" },
        { sub: "ada", org: "acme", type: "customer", iss: "i", aud: "a", iat: now, exp: now + 900 },
        withEc(keys.ec.privateKey)
      )
      assert.strictEqual(yield* outcome(tokens, swapped), "accepted")
    })
  )

  const bad: Record<string, readonly [(response: ServerResponse) => void, string]> = {
    "is down": [(response) => void response.destroy(), "unreachable"],
    "answers 500": [status(500), "bad_answer"],
    redirects: [(response) => void response.writeHead(302, { location: "/elsewhere" }).end(), "bad_answer"],
    "answers with a page": [body("<html>"), "bad_answer"],
    "answers with nothing": [body(""), "bad_answer"],
    "answers with another shape": [body('{"keys":{"kty":"RSA"}}'), "bad_answer"],
    "has no key": [serving(), "bad_answer"],
    "has only secrets": [
      serving({ kty: "oct", k: "c2VjcmV0" }, keys.rsa.privateKey.export({ format: "jwk" })),
      "bad_answer"
    ],
    "has too many keys": [serving(...Array.from({ length: 101 }, () => published.rsa)), "bad_answer"],
    "sends a megabyte": [body(JSON.stringify({ keys: [published.rsa], pad: "x".repeat(1_000_000) })), "bad_answer"],
    "breaks off": [
      (response) => void response.writeHead(200, { "content-length": 900 }).write("{", () => response.destroy()),
      "unreachable"
    ]
  }

  for (const [trouble, [answer, reason]] of Object.entries(bad)) {
    it.effect(`that ${trouble} leaves new servers unable to say, and running ones with the keys they have`, () =>
      Effect.gen(function* () {
        const site = yield* listen(answer)
        const cold = yield* verifierOf(site.url)
        assert.strictEqual(yield* outcome(cold, signed("rsa")), `TokensUnavailable ${reason}`)

        site.answer = serving(published.rsa)
        yield* TestClock.adjust("30 seconds")
        const known = signed("rsa")
        assert.strictEqual(yield* outcome(cold, known), "accepted")

        site.answer = answer
        const before = site.requests
        yield* TestClock.adjust("5 minutes")
        yield* until(Effect.map(outcome(cold, signed("unknown")), (o) => o === `TokensUnavailable ${reason}`))
        assert.isAbove(site.requests, before)
        assert.strictEqual(yield* outcome(cold, known), "accepted")
        assert.strictEqual(yield* outcome(cold, signed("rsa")), "accepted")
      })
    )
  }

  it.effect("that stays down for half a day is believed no longer, and again once it is back", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa))
      const tokens = yield* verifierOf(site.url)
      const known = signed("rsa")
      assert.strictEqual(yield* outcome(tokens, known), "accepted")

      site.answer = status(503)
      yield* TestClock.adjust("11 hours")
      assert.strictEqual(yield* outcome(tokens, known), "accepted")
      yield* TestClock.adjust("61 minutes")
      assert.strictEqual(yield* outcome(tokens, known), "TokensUnavailable bad_answer")

      site.answer = serving(published.rsa)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* outcome(tokens, known), "accepted")
    })
  )

  it.effect("that hangs is given up after five seconds, without making the next one wait", () =>
    Effect.gen(function* () {
      const site = yield* listen(() => undefined)
      const tokens = yield* verifierOf(site.url)
      const first = yield* Effect.forkChild(outcome(tokens, signed("rsa")))
      yield* until(Effect.sync(() => site.requests === 1))

      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(first.pollUnsafe())
      yield* TestClock.adjust("1 millis")

      assert.strictEqual(yield* Fiber.join(first), "TokensUnavailable timeout")
      assert.strictEqual(yield* outcome(tokens, signed("rsa")), "TokensUnavailable timeout")
      assert.strictEqual(site.requests, 1)
    })
  )

  it.effect("goes on answering the others when the first to ask hangs up", () =>
    Effect.gen(function* () {
      let release = () => {}
      const site = yield* listen((response) => {
        release = () => serving(published.rsa)(response)
      })
      const tokens = yield* verifierOf(site.url)
      const first = yield* Effect.forkChild(outcome(tokens, signed("rsa")))
      const second = yield* Effect.forkChild(outcome(tokens, signed("rsa")))
      yield* until(Effect.sync(() => site.requests === 1))

      yield* Fiber.interrupt(first)
      release()

      assert.strictEqual(yield* Fiber.join(second), "accepted")
      assert.strictEqual(site.requests, 1)
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Duration, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { OrgId } from "../../src/domain/Ids.ts"
import * as RecentlyUsed from "../../src/services/RecentlyUsed.ts"
import * as TokensJwt from "../../src/layers/TokensJwt.ts"
import { mint } from "../../src/layers/TokensMint.ts"
import * as TokensSecret from "../../src/layers/TokensSecret.ts"
import { settings } from "../../src/layers/TokensSettings.ts"
import { Tokens } from "../../src/services/Tokens.ts"
import {
  keys,
  listen,
  published,
  secret,
  serving,
  token,
  withEc,
  withEd,
  withHmac,
  withNothing,
  withRsa
} from "../support/Issuer.ts"

const now = 1_800_000_000
const hs256 = { alg: "HS256", typ: "JWT" }
const ada = { sub: "ada", org: "acme", type: "customer", iat: now, exp: now + 600 }
const signed = (claims: object | string, header: object | string = hs256) => token(header, claims, withHmac(secret))

const environment = (env: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))

const verifierOf = Effect.fnUntraced(function* (env: Record<string, string> = { AUTH_JWT_SECRET: secret }) {
  yield* TestClock.setTime(now * 1000)
  const context = yield* Layer.build(
    TokensJwt.layer.pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(environment(env)))
  )
  return Context.get(context, Tokens)
})

const refusal = (tokens: Tokens["Service"], text: string) =>
  Effect.map(Effect.flip(tokens.verify(text)), (e) => e.reason)

const refusals = Effect.fnUntraced(function* (tokens: Tokens["Service"], cases: Record<string, string>) {
  const reasons: Record<string, string> = {}
  for (const [name, text] of Object.entries(cases)) reasons[name] = yield* refusal(tokens, text)
  return reasons
})

const all = (reason: string, names: object) => Object.fromEntries(Object.keys(names).map((name) => [name, reason]))

describe("what a token says", () => {
  it.effect("names the customer, the org and the personal claims", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const personal = { email: "ada@example.com", email_verified: true, name: "Ada", phone_number: "+14155552671" }

      const claims = yield* tokens.verify(signed({ ...ada, ...personal, role: "admin" }))

      const { email_verified: emailVerified, phone_number: phoneNumber, ...same } = personal
      assert.deepStrictEqual({ ...claims }, { ...ada, ...same, emailVerified, phoneNumber } as typeof claims)
    })
  )

  it.effect("loses malformed personal claims and nothing else", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const malformed = { email: "not an address", email_verified: true, name: "A\u0000da", phone_number: 42 }

      const claims = yield* tokens.verify(signed({ ...ada, ...malformed }))
      const surrogate = yield* tokens.verify(signed(`{"name":"\\ud800",${JSON.stringify(ada).slice(1)}`))

      assert.deepStrictEqual({ ...claims }, ada as typeof claims)
      assert.deepStrictEqual({ ...surrogate }, ada as typeof claims)
    })
  )

  it.effect("is read from the claims a foreign issuer uses", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf({
        AUTH_JWT_SECRET: secret,
        AUTH_CLAIM_SUB: "oid",
        AUTH_CLAIM_ORG: "https://example.com/tenant",
        AUTH_CLAIM_TYPE: "https://example.com/kind",
        AUTH_DEFAULT_TYPE: "user"
      })
      const foreign = { oid: "auth0|5", "https://example.com/tenant": "acme", iat: now, exp: now + 60, sub: "other" }

      const claims = yield* tokens.verify(signed(foreign))
      const wrongKind = yield* refusal(tokens, signed({ ...foreign, "https://example.com/kind": "robot" }))

      assert.deepStrictEqual(
        { ...claims },
        { sub: "auth0|5", org: OrgId.make("acme"), type: "user", iat: now, exp: now + 60 }
      )
      assert.strictEqual(wrongKind, "claims")
    })
  )

  it.effect("must say who and where, in characters we can store", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const without = (claim: keyof typeof ada) => signed({ ...ada, [claim]: undefined })
      const cases = {
        "no sub": without("sub"),
        "no org": without("org"),
        "no type": without("type"),
        "type of another kind": signed({ ...ada, type: "platform" }),
        "sub empty": signed({ ...ada, type: "user", sub: "" }),
        "sub a number": signed({ ...ada, sub: 7 }),
        "sub an array": signed({ ...ada, sub: ["ada"] }),
        "sub too long": signed({ ...ada, type: "user", sub: "x".repeat(256) }),
        "sub with NUL": signed({ ...ada, type: "user", sub: "a\u0000" }),
        "sub a lone surrogate": signed({ ...ada, type: "user", sub: "\ud800" }),
        "sub no customer id": signed({ ...ada, sub: "auth0|5" }),
        "org with a slash": signed({ ...ada, org: "acme/../demo" }),
        "org an object": signed({ ...ada, org: { id: "acme" } }),
        "claims from the prototype": signed(`{"iat":${now},"exp":${now + 60},"__proto__":${JSON.stringify(ada)}}`),
        "claims an array": signed("[]"),
        "claims null": signed("null")
      }

      const reasons = yield* refusals(tokens, cases)

      assert.deepStrictEqual(reasons, {
        ...all("claims", cases),
        "claims an array": "malformed",
        "claims null": "malformed"
      })
    })
  )
})

describe("a secret", () => {
  it.effect("accepts what mint signs, with the configured issuer, audience and claim names", () =>
    Effect.gen(function* () {
      const env = { AUTH_JWT_SECRET: secret, AUTH_ISSUER: "us", AUTH_AUDIENCE: "portal", AUTH_CLAIM_ORG: "tenant" }
      const tokens = yield* verifierOf(env)

      const minted = yield* mint({
        secret: Redacted.make(secret),
        claims: { sub: "ada", org: "acme", type: "customer", emailVerified: true, email: "ada@example.com" },
        expiresIn: "1 hour"
      }).pipe(Effect.provide(environment(env)))
      const claims = yield* tokens.verify(minted)

      assert.deepInclude(claims, { sub: "ada", org: "acme", exp: now + 3600, emailVerified: true } as never)
    })
  )

  it.effect("will not mint what it would refuse", () =>
    Effect.gen(function* () {
      const claims = { sub: "not an id", org: "acme", type: "customer" } as const

      const error = yield* mint({ secret: Redacted.make(secret), claims, expiresIn: "1 hour" }).pipe(Effect.flip)

      assert.strictEqual(error._tag, "SchemaError")
    })
  )

  it.effect("refuses what is not one exact JWT, before any key is used", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const good = signed(ada)
      const [header, claims, signature] = good.split(".") as [string, string, string]
      const repeated = JSON.stringify(ada).slice(0, -1)
      const cases = {
        empty: "",
        garbage: "%%%",
        "two parts": `${header}.${claims}`,
        "four parts": `${good}.x`,
        "five parts, a JWE": `${header}..${claims}.${signature}.${signature}`,
        "standard base64": good.replace(signature, Buffer.from(signature, "base64url").toString("base64")),
        padded: `${good}=`,
        "a space inside": `${header}. ${claims}.${signature}`,
        "a line break behind": `${good}\n`,
        "stray bits at the end": good.slice(0, -1) + String.fromCharCode(good.charCodeAt(good.length - 1) + 1),
        "claim twice": signed(`${repeated},"sub":"eve"}`),
        "claim twice, escaped": signed(`${repeated},"\\u0073ub":"eve"}`),
        "header name twice": signed(ada, '{"alg":"none","alg":"HS256"}'),
        "header no JSON": signed(ada, "alg=HS256"),
        "claims no JSON": signed("sub=ada"),
        "claims of a thousand open strings": signed('\\"'.repeat(2900)),
        "claims nested without end": signed("[".repeat(5000)),
        "claims a nested JWT": signed(good, { ...hs256, cty: "JWT" }),
        "claims not UTF-8": signed(Buffer.from([0x7b, 0xff, 0x7d]).toString("latin1")),
        "unknown critical header": signed(ada, { ...hs256, crit: ["x"], x: 1 }),
        "unencoded payload": signed(ada, { ...hs256, crit: ["b64"], b64: false })
      }

      const reasons = yield* refusals(tokens, cases)

      assert.deepStrictEqual(reasons, all("malformed", cases))
      assert.strictEqual(yield* refusal(tokens, `${header}.${"A".repeat(1_000_000)}.${signature}`), "too_long")
      assert.strictEqual(yield* refusal(tokens, signed({ ...ada, pad: "x".repeat(6100) })), "too_long")
      assert.isObject(yield* tokens.verify(signed({ ...ada, nested: { sub: 1, list: [{ sub: 2 }, '"sub":'] } })))
    })
  )

  it.effect("pins the algorithm, whatever the token says", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const nones = ["none", "None", "nOnE", "", "hs256", "HS256 "]
      const cases = Object.fromEntries([
        ...nones.map((alg) => [`${alg} unsigned`, token({ alg }, ada, withNothing)]),
        ...nones.map((alg) => [`${alg} signed`, signed(ada, { alg })]),
        ["HS512", token({ alg: "HS512" }, ada, withHmac(secret, "sha512"))],
        ["RS256", token({ alg: "RS256" }, ada, withRsa(keys.rsa.privateKey))]
      ])

      assert.deepStrictEqual(yield* refusals(tokens, cases), all("algorithm", cases))
      assert.strictEqual(yield* refusal(tokens, signed(ada, { typ: "JWT" })), "malformed")
      assert.strictEqual(yield* refusal(tokens, token(hs256, ada, withNothing)), "signature")
      assert.strictEqual(yield* refusal(tokens, token(hs256, ada, withHmac("another secret"))), "signature")
      assert.strictEqual(yield* refusal(tokens, token(hs256, ada, withHmac(""))), "signature")
    })
  )

  it.effect("refuses the token with any one bit changed", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const good = signed(ada)
      yield* tokens.verify(good)

      const accepted: Array<string> = []
      for (let at = 0; at < good.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const text = good.slice(0, at) + String.fromCharCode(good.charCodeAt(at) ^ (1 << bit)) + good.slice(at + 1)
          const exit = yield* Effect.exit(tokens.verify(text))
          if (exit._tag === "Success") accepted.push(`${at}.${bit}`)
        }
      }

      assert.deepStrictEqual(accepted, [])
    })
  )

  it.effect("asks for the issuer and the audience that are configured", () =>
    Effect.gen(function* () {
      const env = { AUTH_JWT_SECRET: secret, AUTH_ISSUER: "https://id.example", AUTH_AUDIENCE: "portal, app" }
      const tokens = yield* verifierOf(env)
      const good = { ...ada, iss: "https://id.example", aud: "portal" }
      const audiences = {
        missing: undefined,
        empty: "",
        "empty list": [],
        other: "staff",
        "list of others": ["staff", "portal "],
        "an object": { portal: true },
        "a number": 1,
        null: null
      }
      const issuers = {
        missing: undefined,
        other: "https://eve.example",
        slash: "https://id.example/",
        list: ["https://id.example"]
      }
      const signedWith = (claim: string, values: object) =>
        Object.fromEntries(Object.entries(values).map(([name, value]) => [name, signed({ ...good, [claim]: value })]))

      assert.deepStrictEqual(yield* refusals(tokens, signedWith("aud", audiences)), all("audience", audiences))
      assert.deepStrictEqual(yield* refusals(tokens, signedWith("iss", issuers)), all("issuer", issuers))
      yield* tokens.verify(signed(good))
      yield* tokens.verify(signed({ ...good, aud: ["staff", "app"] }))
    })
  )

  it.effect("allows clocks to differ by five seconds and no more", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const cases = {
        "exp missing": [{ exp: undefined }, "claims"],
        "exp a string": [{ exp: `${now + 60}` }, "claims"],
        "exp a fraction": [{ exp: now + 60.5 }, "claims"],
        "exp negative": [{ exp: -1 }, "expired"],
        "exp zero": [{ exp: 0 }, "expired"],
        "exp null": [{ exp: null }, "claims"],
        "exp 1e308": [{ exp: 1e308 }, "claims"],
        "exp in milliseconds": [{ exp: (now + 60) * 1000 }, "claims"],
        "exp a second ago": [{ exp: now - 1 }, undefined],
        "exp 4 s ago": [{ exp: now - 4 }, undefined],
        "exp 5 s ago": [{ exp: now - 5 }, "expired"],
        "exp 30 s ago": [{ exp: now - 30 }, "expired"],
        "iat missing": [{ iat: undefined }, "claims"],
        "iat a string": [{ iat: `${now}` }, "claims"],
        "iat in 5 s": [{ iat: now + 5 }, undefined],
        "iat in 6 s": [{ iat: now + 6 }, "not_yet_valid"],
        "nbf in 5 s": [{ nbf: now + 5 }, undefined],
        "nbf in 6 s": [{ nbf: now + 6 }, "not_yet_valid"],
        "nbf a string": [{ nbf: "0" }, "not_yet_valid"]
      } as const

      const reasons: Record<string, unknown> = {}
      for (const [name, [change]] of Object.entries(cases)) {
        const text = signed({ ...ada, ...change })
        reasons[name] = yield* tokens.verify(text).pipe(
          Effect.as(undefined),
          Effect.catch((e) => Effect.succeed(e.reason))
        )
      }

      assert.deepStrictEqual(
        reasons,
        Object.fromEntries(Object.entries(cases).map(([name, [, reason]]) => [name, reason]))
      )
    })
  )

  it.effect("never shows the token or the secret in an error", () =>
    Effect.gen(function* () {
      const tokens = yield* verifierOf()
      const text = signed({ ...ada, exp: now - 60 })

      const error = yield* Effect.flip(tokens.verify(text))
      const short = yield* Effect.flip(settings).pipe(Effect.provide(environment({ AUTH_JWT_SECRET: "short-secret" })))

      assert.strictEqual(error._tag, "TokenExpired")
      assert.notInclude(`${JSON.stringify(error)}${error.stack}`, text.split(".")[1]!)
      assert.include(short.message, "AUTH_JWT_SECRET: at least 32 bytes")
      assert.notInclude(`${short}${JSON.stringify(short)}`, "short-secret")
    })
  )
})

describe("the memory of verified tokens", () => {
  it.effect("spares the second look, until the token expires", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      const real = yield* TokensSecret.make(Redacted.make(secret))
      let looks = 0
      const find: typeof real.find = (header) => Effect.suspend(() => (looks++, real.find(header)))
      const tokens = TokensJwt.make({ ...real, find }, { issuer: "", audience: [], names: namesByDefault })
      const text = signed(ada)

      const first = yield* tokens.verify(text)
      const again = yield* Effect.forEach([...Array(100).keys()], () => tokens.verify(text))
      assert.strictEqual(looks, 1)
      assert.isTrue(again.every((claims) => claims === first))

      yield* TestClock.adjust(Duration.seconds(599))
      yield* tokens.verify(text)
      assert.strictEqual(looks, 1)

      yield* TestClock.adjust(Duration.seconds(6))
      assert.strictEqual(yield* refusal(tokens, text), "expired")
      assert.strictEqual(looks, 2)
    })
  )

  it.effect("forgets a token when its keys are replaced, and never knew a bad one", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      const [before, after] = [
        yield* TokensSecret.make(Redacted.make(secret)),
        yield* TokensSecret.make(Redacted.make("the secret that came after the other one"))
      ]
      let current = before
      const tokens = TokensJwt.make(
        { algorithms: ["HS256"], inForce: (at) => current.inForce(at), find: (header) => current.find(header) },
        { issuer: "", audience: [], names: namesByDefault }
      )

      yield* tokens.verify(signed(ada))
      current = after
      assert.strictEqual(yield* refusal(tokens, signed(ada)), "signature")
      current = before
      yield* tokens.verify(signed(ada))
    })
  )

  it("holds no more than its capacity, and keeps what is in use", () => {
    const cache = RecentlyUsed.make<{ readonly n: number }>(100)
    for (let n = 0; n < 10_000; n++) {
      cache.set(`${n}`, { n })
      cache.get("0")
    }

    const held = [...Array(10_000).keys()].filter((n) => cache.get(`${n}`) !== undefined)
    assert.isAtMost(held.length, 100)
    assert.include(held, 0)
    assert.include(held, 9999)
  })
})

describe("an issuer's published keys", () => {
  const by = (kid: string | undefined, alg: string) => ({ alg, typ: "JWT", ...(kid !== undefined && { kid }) })
  const theirs = { ...ada, iss: "https://id.example", aud: "portal" }
  const issuerOf = (url: string, more: Record<string, string> = {}) => ({
    AUTH_JWKS_URL: url,
    AUTH_ISSUER: "https://id.example",
    AUTH_AUDIENCE: "portal",
    ...more
  })

  it.effect("verify RS256, ES256 and EdDSA, and the key that needs no name", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa, published.ec, published.ed))
      const tokens = yield* verifierOf(issuerOf(site.url))

      yield* tokens.verify(token(by("rsa", "RS256"), theirs, withRsa(keys.rsa.privateKey)))
      yield* tokens.verify(token(by("ec", "ES256"), theirs, withEc(keys.ec.privateKey)))
      yield* tokens.verify(token(by("ed", "EdDSA"), theirs, withEd(keys.ed.privateKey)))
      yield* tokens.verify(token(by(undefined, "RS256"), theirs, withRsa(keys.rsa.privateKey)))

      assert.strictEqual(site.requests, 1)
    })
  )

  it.effect("are not secrets: nothing signed HS256 with them, or with a published secret, is accepted", () =>
    Effect.gen(function* () {
      const oct = { kty: "oct", k: Buffer.from(secret).toString("base64url"), kid: "oct", alg: "HS256" }
      const site = yield* listen(serving(published.rsa, published.ec, oct))
      const tokens = yield* verifierOf(issuerOf(site.url))
      const exports = [keys.rsa, keys.ec].flatMap(({ publicKey }) => [
        publicKey.export({ type: "spki", format: "pem" }),
        publicKey.export({ type: "spki", format: "pem" }).toString().trim(),
        publicKey.export({ type: "spki", format: "der" })
      ])
      const texts = [published.rsa, published.ec].flatMap((key) => [
        JSON.stringify(key),
        JSON.stringify({ keys: [key] })
      ])
      const cases = Object.fromEntries(
        [...exports, ...texts, secret, "", "rsa"].flatMap((key, i) =>
          ["rsa", "ec", "oct"].map((kid) => [`${i} ${kid}`, token(by(kid, "HS256"), theirs, withHmac(key))])
        )
      )

      assert.deepStrictEqual(yield* refusals(tokens, cases), all("algorithm", cases))
    })
  )

  it.effect("count only under their own name and algorithm", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa, published.rsaNext, published.ec))
      const tokens = yield* verifierOf(issuerOf(site.url))
      const hostile = [
        "nobody",
        "../../dev/null",
        "' OR 1=1 --",
        "__proto__",
        "",
        "k".repeat(4000),
        site.url,
        "rsa\u0000"
      ]
      const odd = [1, null, ["rsa"], { kid: "rsa" }]
      const rsaSigned = (header: object) => token(header, theirs, withRsa(keys.rsa.privateKey))
      const cases = Object.fromEntries([
        ...[...hostile, ...odd].map((kid) => [
          `kid ${JSON.stringify(kid).slice(0, 20)}`,
          rsaSigned({ alg: "RS256", kid })
        ]),
        ["kid of a key of another algorithm", rsaSigned(by("ec", "RS256"))],
        ["no kid and two keys that fit", rsaSigned(by(undefined, "RS256"))]
      ])

      yield* tokens.verify(rsaSigned(by("rsa", "RS256")))

      assert.deepStrictEqual(yield* refusals(tokens, cases), all("unknown_key", cases))
      assert.strictEqual(yield* refusal(tokens, rsaSigned(by("rsa-next", "RS256"))), "signature")
      assert.strictEqual(yield* refusal(tokens, rsaSigned(by("rsa", "PS256"))), "algorithm")
      assert.strictEqual(yield* refusal(tokens, token(by("rsa", "RS256"), theirs, withHmac(secret))), "signature")
      assert.strictEqual(site.requests, 1)
    })
  )

  it.effect("are never those a token brings or points to", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa))
      const trap = yield* listen(serving({ ...keys.rsaStranger.publicKey.export({ format: "jwk" }), kid: "rsa" }))
      const tokens = yield* verifierOf(issuerOf(site.url))
      const own = keys.rsaStranger.publicKey.export({ format: "jwk" })
      const der = keys.rsaStranger.publicKey.export({ type: "spki", format: "der" }).toString("base64")
      const pointers = [
        { jku: trap.url },
        { x5u: trap.url },
        { jwk: own },
        { x5c: [der] },
        { kid: trap.url, jku: trap.url }
      ]

      const reasons = yield* Effect.forEach(pointers, (pointer) =>
        refusal(tokens, token({ ...by("rsa", "RS256"), ...pointer }, theirs, withRsa(keys.rsaStranger.privateKey)))
      )

      assert.deepStrictEqual(reasons, ["signature", "signature", "signature", "signature", "unknown_key"])
      assert.strictEqual(trap.connections, 0)
    })
  )

  it.effect("refuse a token with any one byte changed", () =>
    Effect.gen(function* () {
      const site = yield* listen(serving(published.rsa))
      const tokens = yield* verifierOf(issuerOf(site.url))
      const good = token(by("rsa", "RS256"), theirs, withRsa(keys.rsa.privateKey))
      const flipped = [...good].map((char, at) => good.slice(0, at) + (char === "A" ? "B" : "A") + good.slice(at + 1))

      const exits = yield* Effect.forEach(flipped, (text) => Effect.exit(tokens.verify(text)))

      assert.isTrue(exits.every((exit) => exit._tag === "Failure"))
      assert.strictEqual(site.requests, 1)
    })
  )
})

describe("the configuration", () => {
  const problemsOf = (env: Record<string, string>) =>
    settings.pipe(
      Effect.as([]),
      Effect.catch((error) => Effect.succeed(error.message.match(/AUTH_\w+/g))),
      Effect.provide(environment(env))
    )
  const jwks = { AUTH_JWKS_URL: "https://id.example/jwks", AUTH_ISSUER: "https://id.example", AUTH_AUDIENCE: "portal" }
  const production = { APP_ENV: "production" }

  it.effect("names every variable that is wrong", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [Record<string, string>, ReadonlyArray<string>]> = [
        [{ AUTH_JWT_SECRET: secret }, []],
        [{ AUTH_JWT_SECRET: "ä".repeat(16) }, []],
        [jwks, []],
        [{ ...jwks, ...production, AUTH_ALGORITHMS: "ES256, EdDSA" }, []],
        [{ ...jwks, AUTH_JWT_SECRET: "" }, []],
        [{}, ["AUTH_JWT_SECRET", "AUTH_JWKS_URL"]],
        [{ AUTH_JWT_SECRET: "", AUTH_JWKS_URL: " " }, ["AUTH_JWT_SECRET", "AUTH_JWKS_URL"]],
        [{ ...jwks, AUTH_JWT_SECRET: secret }, ["AUTH_JWT_SECRET", "AUTH_JWKS_URL"]],
        [{ AUTH_JWT_SECRET: "x".repeat(31) }, ["AUTH_JWT_SECRET"]],
        [{ AUTH_JWT_SECRET: secret, ...production }, ["AUTH_ISSUER", "AUTH_AUDIENCE"]],
        [{ AUTH_JWKS_URL: "http://127.0.0.1/jwks" }, ["AUTH_ISSUER", "AUTH_AUDIENCE"]],
        [{ ...jwks, ...production, AUTH_JWKS_URL: "http://id.example/jwks" }, ["AUTH_JWKS_URL"]],
        [{ ...jwks, AUTH_JWKS_URL: "file:///etc/passwd" }, ["AUTH_JWKS_URL"]],
        [{ ...jwks, AUTH_JWKS_URL: "id.example" }, ["AUTH_JWKS_URL"]],
        [{ ...jwks, AUTH_ALGORITHMS: "RS256,HS256" }, ["AUTH_ALGORITHMS"]],
        [{ ...jwks, AUTH_ALGORITHMS: "none" }, ["AUTH_ALGORITHMS"]],
        [{ AUTH_JWT_SECRET: secret, AUTH_DEFAULT_TYPE: "admin" }, ["AUTH_DEFAULT_TYPE"]],
        [
          { ...production, AUTH_JWT_SECRET: "x", AUTH_DEFAULT_TYPE: "x", AUTH_ALGORITHMS: "x" },
          ["AUTH_JWT_SECRET", "AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_ALGORITHMS", "AUTH_DEFAULT_TYPE"]
        ]
      ]

      for (const [env, expected] of cases) assert.deepStrictEqual([...((yield* problemsOf(env)) ?? [])], [...expected])
    })
  )
})

const namesByDefault = {
  sub: "sub",
  org: "org",
  type: "type",
  email: "email",
  emailVerified: "email_verified",
  name: "name",
  phoneNumber: "phone_number"
}

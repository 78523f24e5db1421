import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { token, withHmac, withNothing } from "../support/Issuer.ts"
import { fingerprint, newcomer, people, type Person } from "../support/People.ts"

const now = () => Math.floor(Date.now() / 1000)
const sign = withHmac(TestApp.secret)
const hs256 = { alg: "HS256", typ: "JWT" }
const claimsOf = (person: Person, more: object = {}) => ({ ...person.claims, iat: now(), exp: now() + 60, ...more })
const bearer = (jwt: string) => ({ headers: { authorization: `Bearer ${jwt}` } })

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A request without an org", () => {
    it.effect("is told to name one, under /client-data and /platform alike", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)

        for (const orgid of [undefined, ""]) {
          assertProblem(yield* call(ada, "GET", "/client-data/profile", { headers: { orgid } }), 400, "missing_orgid")
          assertProblem(
            yield* call(platform, "GET", "/platform/customers/ada", { headers: { orgid } }),
            400,
            "missing_orgid"
          )
        }
      })
    )

    it.effect("is refused as well when it names one twice, be it the same", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada, other } = yield* people
        const platform = yield* platformOf(acme)

        for (const orgid of [[acme, acme], [acme, other], `${acme},${other}`, `${acme},`]) {
          assertInvalid(yield* call(ada, "GET", "/client-data/profile", { headers: { orgid } }), "/header/orgid")
          assertInvalid(
            yield* call(platform, "GET", "/platform/customers/ada", { headers: { orgid } }),
            "/header/orgid"
          )
        }
      })
    )
  })

  describe("A request of a customer", () => {
    it.effect("is refused without an Authorization header, wherever else the token is", () =>
      Effect.gen(function* () {
        const { call, tokenOf } = yield* App
        const { ada } = yield* people
        const jwt = yield* tokenOf(ada)
        const without = { authorization: undefined }

        for (const [path, headers] of [
          ["/client-data/profile", without],
          [`/client-data/profile?access_token=${jwt}&authorization=Bearer%20${jwt}`, without],
          ["/client-data/profile", { ...without, cookie: `authorization=Bearer ${jwt}; token=${jwt}` }],
          ["/client-data/profile", { ...without, "x-authorization": `Bearer ${jwt}`, "x-api-key": jwt }],
          ["/client-data/profile", { ...without, orgid: undefined }]
        ] as const) {
          assertProblem(yield* call(ada, "GET", path, { headers }), 401, "missing_authorization_header")
        }
      })
    )

    it.effect("is refused when the token is not one that we gave out, and is not told why", () =>
      Effect.gen(function* () {
        const { call, tokenOf } = yield* App
        const { ada } = yield* people
        const good = yield* tokenOf(ada)
        const [header, payload, signature] = good.split(".") as [string, string, string]
        const flipped = `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`
        const { exp: _, ...endless } = claimsOf(ada)
        const bad = [
          "",
          "Bearer",
          "Bearer ",
          `Basic ${btoa("ada:secret")}`,
          `Token ${good}`,
          good,
          `Bearer ${good} ${good}`,
          `Bearer "${good}"`,
          "Bearer garbage",
          "Bearer a.b",
          "Bearer a.b.c.d",
          "Bearer ..",
          `Bearer ${flipped}`,
          `Bearer ${header}.${payload}.`,
          `Bearer ${header}.${btoa(JSON.stringify(claimsOf(ada, { sub: "eve" })))}.${signature}`,
          `Bearer ${token({ alg: "none" }, claimsOf(ada), withNothing)}`,
          `Bearer ${token({ alg: "nOnE" }, claimsOf(ada), withNothing)}`,
          `Bearer ${token({ alg: "HS512" }, claimsOf(ada), withHmac(TestApp.secret, "sha512"))}`,
          `Bearer ${token({ alg: "RS256" }, claimsOf(ada), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada), withHmac("another secret, of more than 32 bytes"))}`,
          `Bearer ${token({ ...hs256, crit: ["exp"] }, claimsOf(ada), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { nbf: now() + 60 }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { iat: now() + 60 }), sign)}`,
          `Bearer ${token(hs256, endless, sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { exp: "tomorrow" }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { exp: 1e300 }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { sub: undefined }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { sub: "" }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { sub: "a b" }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { sub: ["ada"] }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { org: undefined }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { type: "admin" }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { type: undefined }), sign)}`,
          `Bearer ${token(hs256, claimsOf(ada, { padding: "x".repeat(9000) }), sign)}`
        ]
        const expected = traits(yield* call(ada, "GET", "/client-data/profile", { headers: { authorization: bad[0] } }))

        for (const authorization of bad) {
          const answer = yield* call(ada, "GET", "/client-data/profile", { headers: { authorization } })

          assertProblem(answer, 401, "invalid_token")
          assert.deepStrictEqual(traits(answer), expected)
        }
        assert.strictEqual((yield* call(ada, "GET", "/client-data/profile")).status, 200)
      })
    )

    it.effect("is told to refresh a token that has expired, before or while it is in use", () =>
      Effect.gen(function* () {
        const { advance, call } = yield* App
        const { ada } = yield* people
        const past = bearer(token(hs256, claimsOf(ada, { exp: now() - 30 }), sign))
        const current = bearer(token(hs256, claimsOf(ada, { exp: now() + 600 }), sign))
        const before = yield* call(ada, "GET", "/client-data/profile", current)

        yield* advance("11 minutes")

        assert.strictEqual(before.status, 200)
        for (const options of [past, current]) {
          const answer = yield* call(ada, "GET", "/client-data/profile", options)
          assertProblem(answer, 401, "token_expired")
          assert.strictEqual(answer.json.action, "refresh_token")
        }
      })
    )

    it.effect("is refused for another org than the token's, the same whether that org exists or not", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { acme, ada, other } = yield* people
        const before = yield* fingerprint

        const existing = yield* call(ada, "GET", "/client-data/profile", { headers: { orgid: other } })

        assertProblem(existing, 403, "org_mismatch")
        for (const orgid of [
          "nowhere",
          acme.toUpperCase(),
          `${acme}.`,
          `${acme}%00`,
          "*",
          "\u00e4cme",
          "x".repeat(300)
        ]) {
          const answer = yield* call(ada, "GET", "/client-data/profile", { headers: { orgid } })
          assert.deepStrictEqual(traits(answer), traits(existing))
        }
        const nowhere = newcomer("nowhere" as typeof acme, "ada")
        const answer = yield* call(nowhere, "GET", "/client-data/profile")
        assert.deepStrictEqual(traits(answer), traits(existing))
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ApiKeys } from "../../src/services/ApiKeys.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { asPlatform, erase, fingerprint, makeOrg, newcomer, people } from "../support/People.ts"

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A customer", () => {
    it.effect("finds a record made from the token when it is the customer's first", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const acme = yield* makeOrg("acme")
        const ada = newcomer(acme, "ada", { name: "Ada", email: "ada@acme.example", emailVerified: true })

        const answers = yield* Effect.all(
          Array.from({ length: 20 }, () => call(ada, "GET", "/client-data/profile")),
          { concurrency: "unbounded" }
        )

        for (const { json, status } of answers) {
          assert.strictEqual(status, 200)
          assert.deepInclude(json, {
            id: "ada",
            name: "Ada",
            email: "ada@acme.example",
            emailVerified: true,
            version: 1
          })
        }
      })
    )

    it.effect("is refused within five seconds of the customer's erasure, and brings nothing back", () =>
      Effect.gen(function* () {
        const { advance, call } = yield* App
        const { ada } = yield* people
        yield* call(ada, "GET", "/client-data/profile")
        yield* erase(ada)
        const before = yield* fingerprint

        yield* advance("5001 millis")
        const answers = [
          yield* call(ada, "GET", "/client-data/profile"),
          yield* call(ada, "PUT", "/client-data/profile", { body: { name: "Back" } }),
          yield* call(ada, "GET", "/client-data/orders")
        ]

        for (const answer of answers) assertProblem(answer, 401, "invalid_token")
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })

  describe("A request of a user", () => {
    it.effect("acts on the record that the user owns", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { grace } = yield* people

        const changed = yield* call(grace, "PUT", "/client-data/profile", { body: { about: "Found a moth." } })
        const read = yield* call(grace, "GET", "/client-data/profile")

        assert.deepInclude(changed.json, { id: "grace", about: "Found a moth." })
        assert.deepStrictEqual(read.json, changed.json)
      })
    )

    it.effect("is refused on every route without a record, whatever it says of others, and makes none", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { trent } = yield* people
        const before = yield* fingerprint
        const impersonate = { "x-impersonate": "ada", "x-customer-id": "ada", "x-user-id": "user-grace" }

        for (const [method, path, body] of [
          ["GET", "/client-data/profile"],
          ["GET", "/client-data/profile?customerId=ada&as=ada"],
          ["PUT", "/client-data/profile", { name: "Trent" }],
          ["GET", "/client-data/orders"],
          ["GET", "/client-data/orders/any"]
        ] as const) {
          const answer = yield* call(trent, method, path, { headers: impersonate, ...(body && { body }) })
          assertProblem(answer, 403, "no_customer_record")
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("follows the record's owner within five seconds", () =>
      Effect.gen(function* () {
        const { push } = yield* Profiles
        const { advance, call } = yield* App
        const { acme, grace } = yield* people
        const before = yield* call(grace, "GET", "/client-data/profile")

        yield* push(grace.customerId, { userId: null }).pipe(asPlatform(acme))
        yield* advance("5001 millis")

        assert.strictEqual(before.status, 200)
        assertProblem(yield* call(grace, "GET", "/client-data/profile"), 403, "no_customer_record")
      })
    )
  })

  describe("A request of a platform", () => {
    it.effect("is refused without a live key of the org, with the same answer for all", () =>
      Effect.gen(function* () {
        const { call, platformOf, tokenOf } = yield* App
        const { acme, ada, other } = yield* people
        const theirs = yield* platformOf(other)
        const ours = yield* platformOf(acme)
        const jwt = yield* tokenOf(ada)
        const expected = traits(yield* call({ orgId: acme, key: "wrong" }, "GET", "/platform/customers/ada"))

        for (const headers of [
          { "x-api-key": undefined },
          { "x-api-key": "" },
          { "x-api-key": theirs.key },
          { "x-api-key": `${ours.key}x` },
          { "x-api-key": [ours.key, ours.key] },
          { "x-api-key": jwt },
          { "x-api-key": undefined, authorization: `Bearer ${jwt}` },
          { "x-api-key": undefined, authorization: `Bearer ${ours.key}` }
        ]) {
          const answer = yield* call(ours, "GET", "/platform/customers/ada", { headers })
          assertProblem(answer, 401, "invalid_api_key")
          assert.deepStrictEqual(traits(answer), expected)
        }
        assert.strictEqual((yield* call(ours, "GET", "/platform/customers/ada")).status, 200)
      })
    )

    it.effect("is refused within five seconds of the key's revocation", () =>
      Effect.gen(function* () {
        const { list, revoke } = yield* ApiKeys
        const { advance, call, platformOf } = yield* App
        const { acme } = yield* people
        const platform = yield* platformOf(acme)
        const before = yield* call(platform, "GET", "/platform/customers/ada")

        for (const { id } of yield* list(acme)) yield* revoke(acme, id)
        yield* advance("5001 millis")

        assert.strictEqual(before.status, 200)
        assertProblem(yield* call(platform, "GET", "/platform/customers/ada"), 401, "invalid_api_key")
      })
    )

    it.effect("does not open the customers' side", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme } = yield* people
        const platform = yield* platformOf(acme)

        const answer = yield* call(platform, "GET", "/client-data/profile")

        assertProblem(answer, 401, "missing_authorization_header")
      })
    )
  })
})

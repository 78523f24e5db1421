import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { assertInvalid, assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { type Answer, App, type Platform } from "../support/App.ts"
import { erase, nextNumber, people, type Person } from "../support/People.ts"

const newKey = () => `key-${nextNumber()}`

const put = (who: Person, key: string | ReadonlyArray<string>, body: unknown, headers: Record<string, string> = {}) =>
  App.use(({ call }) =>
    call(who, "PUT", "/client-data/profile", { body, headers: { ...headers, "idempotency-key": key } })
  )
const pushOrder = (platform: Platform, id: string, key: string, more: object = {}) =>
  App.use(({ call }) =>
    call(platform, "PUT", `/platform/orders/${id}`, {
      body: { customerId: "ada", number: "1", status: "paid", total: { amount: 1, currency: "USD" }, ...more },
      headers: { "idempotency-key": key }
    })
  )

const isReplayed = ({ headers }: Answer) => headers["idempotency-replayed"] === "true"

/** What a repeat has in common with the first answer: everything that is about the write and not about the request. */
const essence = ({ bytes, headers, status }: Answer) => ({
  status,
  bytes: Buffer.from(bytes).toString("hex"),
  etag: headers["etag"],
  type: headers["content-type"]
})

const keysOf = (person: Person) =>
  SqlClient.SqlClient.use((sql) => sql`SELECT key FROM idempotency_keys WHERE org_id = ${person.orgId}`)

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A repeated write", () => {
    it.effect("gets the first answer byte for byte, and does not happen again", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const key = newKey()

        const first = yield* put(ada, key, { name: "First", about: "Ünïcode 👩🏽‍🔬" })
        yield* call(ada, "PUT", "/client-data/profile", { body: { name: "Second" } })
        const repeats = [
          yield* put(ada, key, { name: "First", about: "Ünïcode 👩🏽‍🔬" }),
          yield* put(ada, key, { name: "First", about: "Ünïcode 👩🏽‍🔬" })
        ]

        assert.deepStrictEqual([first.status, isReplayed(first)], [200, false])
        for (const repeat of repeats) {
          assert.isTrue(isReplayed(repeat))
          assert.deepStrictEqual(essence(repeat), essence(first))
          assert.notStrictEqual(repeat.headers["x-request-id"], first.headers["x-request-id"])
          assert.deepInclude(repeat.headers, { "cache-control": "private, no-cache", vary: "Authorization, orgid" })
        }
        assert.deepInclude((yield* call(ada, "GET", "/client-data/profile")).json, { name: "Second", version: 3 })
      })
    )

    it.effect("that is answered with nothing is answered so with a key too, and again", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const headers = { "idempotency-key": newKey() }
        const path = "/client-data/wishlist/nothing"

        const plain = yield* call(ada, "DELETE", path)
        const [first, repeat] = [
          yield* call(ada, "DELETE", path, { headers }),
          yield* call(ada, "DELETE", path, { headers })
        ]

        for (const { bytes, headers, status } of [plain, first, repeat]) {
          assert.deepStrictEqual(
            [status, bytes.length, headers["content-type"], headers["content-length"]],
            [204, 0, undefined, undefined]
          )
        }
        assert.deepStrictEqual([isReplayed(first), isReplayed(repeat)], [false, true])
      })
    )

    it.effect("is the same with its keys in another order, other white space, or under /api", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const key = newKey()
        const headers = { "idempotency-key": key }

        yield* put(ada, key, '{"name":"Ada","about":"A \\u00e9"}')
        const repeats = [
          yield* put(ada, key, '{ "about" : "A é",\n\t"name":"Ada" }'),
          yield* call(ada, "PUT", "/api/client-data/profile", { body: { about: "A é", name: "Ada" }, headers })
        ]

        for (const repeat of repeats) assert.deepStrictEqual([repeat.status, isReplayed(repeat)], [200, true])
      })
    )

    it.effect("is refused when it is another: other values, another query, another path of the route", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)
        const key = newKey()
        const headers = { "idempotency-key": key }
        yield* put(ada, key, { name: "Ada", about: null })
        yield* pushOrder(platform, "o-1", key)

        for (const answer of [
          yield* put(ada, key, { name: "Ada." }),
          yield* put(ada, key, { name: "Ada" }),
          yield* put(ada, key, {}),
          yield* put(ada, key, "{"),
          yield* put(ada, key, { name: ["Ada"], about: null }),
          yield* call(ada, "PUT", "/client-data/profile?x=1", { body: { name: "Ada", about: null }, headers }),
          yield* pushOrder(platform, "o-2", key),
          yield* pushOrder(platform, "o-1", key, { status: "shipped" })
        ]) {
          assertProblem(answer, 422, "idempotency_key_reused")
        }
        assertProblem(yield* call(ada, "GET", "/client-data/orders/o-2"), 404, "order_not_found")
        assert.strictEqual((yield* call(ada, "GET", "/client-data/orders/o-1")).json.status, "paid")
      })
    )

    it.effect("happens once though 50 arrive at once: the others get its answer or are told to wait", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const key = newKey()
        const attempts = Array.from({ length: 50 }, () => put(ada, key, { name: "Once" }))

        const answers = yield* Effect.all(attempts, { concurrency: "unbounded" })

        const first = answers.filter((answer) => answer.status === 200 && !isReplayed(answer))
        assert.strictEqual(first.length, 1)
        for (const answer of answers) {
          if (answer.status === 200) assert.deepStrictEqual(essence(answer), essence(first[0]!))
          else assertProblem(answer, 409, "idempotency_in_progress")
        }
        assert.strictEqual((yield* call(ada, "GET", "/client-data/profile")).json.version, 2)
      })
    )

    it.effect("happens anew a day later", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const { ada } = yield* people
        const key = newKey()
        yield* put(ada, key, { name: "First" })
        yield* sql`UPDATE idempotency_keys SET created_at = created_at - interval '24 hours 1 second' WHERE key = ${key}`

        const anew = yield* put(ada, key, { name: "Another" })

        assert.deepStrictEqual([anew.status, isReplayed(anew), anew.json.name], [200, false, "Another"])
      })
    )
  })

  describe("An idempotency key", () => {
    it.effect("is its customer's own: others who send the same get their own answers", () =>
      Effect.gen(function* () {
        const { platformOf } = yield* App
        const { acme, ada, eve, grace, namesake, other } = yield* people
        const key = newKey()

        for (const who of [ada, eve, grace, namesake]) {
          const answer = yield* put(who, key, { about: "The same" })
          assert.deepStrictEqual([answer.status, isReplayed(answer), answer.json.id], [200, false, who.customerId])
        }
        for (const org of [acme, other]) {
          const answer = yield* pushOrder(yield* platformOf(org), "order", key)
          assert.deepStrictEqual([answer.status, isReplayed(answer)], [200, false])
        }
      })
    )

    it.effect("keeps an answer that will not change: not found, conflict, another version", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)
        const [stale, unknown, conflict] = [newKey(), newKey(), newKey()]
        const link = { body: { userId: "user-grace" }, headers: { "idempotency-key": conflict } }

        for (const attempt of [
          put(ada, stale, { name: "Stale" }, { "if-match": '"7"' }),
          pushOrder(platform, "o", unknown, { customerId: "nobody" }),
          call(platform, "PUT", "/platform/customers/ada", link)
        ]) {
          const first = yield* attempt
          const repeat = yield* attempt
          assert.include([404, 409, 412], first.status)
          assert.deepStrictEqual([isReplayed(first), isReplayed(repeat)], [false, true])
          assert.deepStrictEqual(essence(repeat), essence(first))
        }
      })
    )

    it.effect("is free again after a request that was not valid, too large or of the wrong type", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const key = newKey()

        const refused = [
          yield* put(ada, key, { nope: 1 }),
          yield* put(ada, key, "{"),
          yield* put(ada, key, { name: "A" }, { "if-match": "x" }),
          yield* put(ada, key, "x".repeat(1_100_000)),
          yield* put(ada, key, { name: "A" }, { "content-type": "text/plain" }),
          yield* put(ada, key, { name: "A" }, { "content-encoding": "gzip" })
        ]
        const kept = yield* keysOf(ada)
        const corrected = yield* put(ada, key, { name: "Right" })

        assert.deepStrictEqual(
          refused.map(({ status }) => status),
          [400, 400, 400, 413, 415, 415]
        )
        assert.deepStrictEqual([...kept], [])
        assert.deepStrictEqual([corrected.status, isReplayed(corrected)], [200, false])
      })
    )

    it.effect("has 1 to 255 visible ASCII characters, and comes once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        for (const key of ["x".repeat(255), "!", "~`|\\\"'<>{}[]", "5f0c6f9e-6c1b-4a3e-9c55-2b1d2f3a4b5c"]) {
          assert.strictEqual((yield* put(ada, key, {})).status, 200)
        }
        for (const key of ["", "x".repeat(256), "a b", "a\tb", "\u00e9", ["a", "b"]]) {
          assertInvalid(yield* put(ada, key, {}), "/header/idempotency-key")
        }
      })
    )

    it.effect("means nothing to a read, to a stranger or to whoever is not let in", () =>
      Effect.gen(function* () {
        const { advance, call } = yield* App
        const { ada, trent } = yield* people
        const key = newKey()
        const headers = { "idempotency-key": key }
        yield* call(ada, "GET", "/client-data/profile", { headers })
        yield* put(trent, key, { name: "T" })
        yield* call(undefined, "PUT", "/client-data/profile", { body: {}, headers })
        yield* call(ada, "POST", "/client-data/profile", { body: {}, headers })
        assert.deepStrictEqual([...(yield* keysOf(ada))], [])

        yield* put(ada, key, { name: "Ada" })
        yield* erase(ada)
        yield* advance("5001 millis")

        assertProblem(yield* put(ada, key, { name: "Ada" }), 401, "invalid_token")
      })
    )
  })
})

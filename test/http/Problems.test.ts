import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { people, placeOrder } from "../support/People.ts"

const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A path that does not exist", () => {
    it.effect("is 401 to whoever is not let in, then 404", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)

        for (const path of [
          "",
          "/",
          "/nope",
          "/profile/nope",
          "//profile",
          "/orders/a/b",
          "/../platform",
          "/%2e%2e/x"
        ]) {
          const unknown = yield* call(undefined, "GET", `/client-data${path}`)
          assertProblem(unknown, 401, "missing_authorization_header")
          assertProblem(yield* call(ada, "GET", `/client-data${path}`), 404, "not_found")
          assertProblem(yield* call(undefined, "GET", `/platform${path}`), 401, "invalid_api_key")
          assertProblem(yield* call(platform, "GET", `/platform${path}`), 404, "not_found")
        }
        for (const path of [
          "/nope",
          "/api",
          "/api/platform/customers/ada",
          "/api/livez",
          "/client-datax",
          "/.git/config",
          "/%"
        ]) {
          assertProblem(yield* call(undefined, "GET", path), 404, "not_found")
        }
      })
    )

    it.effect("is one whose letters, slashes or semicolons differ from a path that does", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        for (const path of [
          "/Client-Data/profile",
          "/client-data/Profile",
          "//client-data/profile",
          "/client-data//profile",
          "/client-data/profile;x=1",
          "/client-data;x=1/profile",
          "/client-data/profile%20",
          "/client-data/profile%00",
          "/client-data/profile%2F",
          "/client-data/./profile",
          "/api/api/client-data/profile"
        ]) {
          assertProblem(yield* call(ada, "GET", path), 404, "not_found")
        }
      })
    )

    it.effect("is one that is not UTF-8, or whose id is longer than any id", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        for (const id of ["%E0%A4%A", "%ff", "%C0%AF", "%", "%zz", "%u0041", "x".repeat(4000)]) {
          assertProblem(yield* call(ada, "GET", `/client-data/orders/${id}`), 404, "not_found")
          assertProblem(yield* call(undefined, "GET", `/client-data/orders/${id}`), 401, "missing_authorization_header")
        }
      })
    )

    it.effect("names itself in the answer as it was asked for, without its query", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        const answer = yield* call(ada, "GET", "/client-data/n%6Fpe/<script>?secret=1#x")

        assert.strictEqual(answer.json.instance, "/client-data/n%6Fpe/<script>")
      })
    )
  })

  describe("A method that a path does not answer to", () => {
    it.effect("is 405 with exactly those that it does, once one is let in", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)

        for (const [who, path, allow, methods] of [
          [ada, "/client-data/profile", "GET, HEAD, OPTIONS, PUT", ["POST", "DELETE", "PATCH", "TRACE", "PROPFIND"]],
          [ada, "/api/client-data/profile", "GET, HEAD, OPTIONS, PUT", ["POST", "DELETE"]],
          [ada, "/client-data/orders", "GET, HEAD, OPTIONS", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "LINK"]],
          [ada, "/client-data/orders/x", "GET, HEAD, OPTIONS", ["POST", "PUT", "DELETE", "PATCH"]],
          [platform, "/platform/customers/x", "DELETE, GET, HEAD, OPTIONS, PUT", ["POST", "PATCH"]],
          [platform, "/platform/orders/x", "OPTIONS, PUT", ["GET", "HEAD", "POST", "DELETE", "PATCH"]],
          [undefined, "/livez", "GET, HEAD, OPTIONS", ["POST", "PUT", "DELETE", "TRACE"]],
          [undefined, "/openapi.json", "GET, HEAD, OPTIONS", ["POST"]]
        ] as const) {
          for (const method of methods) {
            const answer = yield* call(who, method, path)
            assert.deepStrictEqual([answer.status, answer.headers["allow"]], [405, allow], `${method} ${path}`)
            if (method !== "HEAD") assertProblem(answer, 405, "method_not_allowed")
            if (who !== undefined) assert.strictEqual((yield* call(undefined, method, path)).status, 401)
          }
        }
      })
    )

    it.effect("is not OPTIONS, which lists the others to anybody", () =>
      Effect.gen(function* () {
        const { call } = yield* App

        for (const [path, allow] of [
          ["/client-data/profile", "GET, HEAD, OPTIONS, PUT"],
          ["/api/client-data/orders/x", "GET, HEAD, OPTIONS"],
          ["/platform/orders/x", "OPTIONS, PUT"],
          ["/readyz", "GET, HEAD, OPTIONS"]
        ] as const) {
          const { bytes, headers, status } = yield* call(undefined, "OPTIONS", path)
          assert.deepStrictEqual([status, headers["allow"], bytes.length], [204, allow, 0])
        }
        assertProblem(yield* call(undefined, "OPTIONS", "/client-data/nope"), 401, "missing_authorization_header")
        assertProblem(yield* call(undefined, "OPTIONS", "/nope"), 404, "not_found")
      })
    )

    it.effect("is not HEAD where GET is one: the same headers, and no body", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const order = yield* placeOrder(ada)

        for (const path of [
          "/client-data/profile",
          "/client-data/orders",
          `/client-data/orders/${order.id}`,
          "/client-data/x"
        ]) {
          const options = { headers: { "x-request-id": "the-same" } }
          const get = yield* call(ada, "GET", path, options)
          const head = yield* call(ada, "HEAD", path, options)

          const { date: _, ratelimit: __, ...expected } = get.headers
          assert.deepInclude(head.headers, expected)
          assert.deepStrictEqual([head.status, head.bytes.length], [get.status, 0])
        }
      })
    )
  })

  describe("A request", () => {
    it.effect("keeps its own id where that is a sane one, whatever becomes of it", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const headers = { "x-request-id": "Trace.1:a_b-C" }

        for (const [who, method, path] of [
          [ada, "GET", "/client-data/profile"],
          [ada, "GET", "/client-data/nope"],
          [ada, "POST", "/client-data/profile"],
          [ada, "OPTIONS", "/client-data/profile"],
          [undefined, "GET", "/client-data/profile"],
          [undefined, "GET", "/livez"],
          [undefined, "GET", "/"]
        ] as const) {
          const answer = yield* call(who, method, path, { headers })
          assert.strictEqual(answer.headers["x-request-id"], "Trace.1:a_b-C")
        }
      })
    )

    it.effect("gets a new id when it has none, or one that could not stand in a log", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const seen = new Set<string>()

        for (const id of [undefined, "", "a b", "a\tb", 'a"b', "{}", "\u00e9", "x".repeat(129), ["a", "b"], "%0d%0a"]) {
          const { headers } = yield* call(undefined, "GET", "/nope", { headers: { "x-request-id": id } })
          assert.match(headers["x-request-id"]!, isUuid)
          seen.add(headers["x-request-id"]!)
        }
        assert.strictEqual(seen.size, 10)
      })
    )
  })
})

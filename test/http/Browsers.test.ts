import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { people } from "../support/People.ts"

const portal = "https://portal.acme.example"
const second = "http://localhost:5173"

const preflight = (origin: string, path: string, method = "PUT") =>
  App.use(({ call }) =>
    call(undefined, "OPTIONS", path, {
      headers: {
        origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization"
      }
    })
  )

layer(TestApp.layerWith({ corsOrigins: [portal, second] }), { excludeTestServices: true })("A browser", (it) => {
  it.effect("on a page of an allowed origin may send what a portal needs", () =>
    Effect.gen(function* () {
      for (const origin of [portal, second]) {
        for (const path of ["/client-data/profile", "/api/client-data/orders", "/client-data/nope"]) {
          const { bytes, headers, status } = yield* preflight(origin, path)

          assert.deepStrictEqual([status, bytes.length], [204, 0])
          assert.strictEqual(headers["access-control-allow-origin"], origin)
          assert.sameMembers(headers["access-control-allow-headers"]!.split(/, ?/), [
            "authorization",
            "content-type",
            "orgid",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "x-request-id",
            "last-event-id"
          ])
          assert.includeMembers(headers["access-control-allow-methods"]!.split(/, ?/), ["GET", "PUT", "POST", "DELETE"])
          assert.isAtLeast(Number(headers["access-control-max-age"]), 1)
          assert.include(headers["vary"], "Origin")
          assert.isDefined(headers["x-request-id"])
          assert.isUndefined(headers["access-control-allow-credentials"])
        }
      }
    })
  )

  it.effect("on a page of an allowed origin may read every answer, problems too, and its headers", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      const options = { headers: { origin: portal } }

      for (const [who, method, path, status] of [
        [ada, "GET", "/client-data/profile", 200],
        [ada, "GET", "/client-data/nope", 404],
        [ada, "PUT", "/client-data/profile", 400],
        [ada, "POST", "/client-data/profile", 405],
        [undefined, "GET", "/client-data/profile", 401]
      ] as const) {
        const answer = yield* call(who, method, path, options)

        assert.strictEqual(answer.status, status)
        assert.strictEqual(answer.headers["access-control-allow-origin"], portal)
        assert.strictEqual(answer.headers["vary"], "Authorization, orgid, Origin")
        const exposed = answer.headers["access-control-expose-headers"]!.split(/, ?/)
        assert.includeMembers(exposed, ["etag", "location", "retry-after", "ratelimit", "x-request-id"])
      }
      const headers = { ...options.headers, "if-none-match": '"1"' }
      const unchanged = yield* call(ada, "GET", "/client-data/profile", { headers })
      assert.deepStrictEqual([unchanged.status, unchanged.headers["access-control-allow-origin"]], [304, portal])
    })
  )

  it.effect("on any other page may not", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people

      for (const origin of [
        "https://evil.example",
        "null",
        `${portal}.evil.example`,
        `${portal}:8443`,
        portal.replace("https", "http"),
        portal.toUpperCase(),
        `${portal}/`,
        `https://evil.example,${portal}`,
        "*",
        ""
      ]) {
        const asked = yield* preflight(origin, "/client-data/profile")
        const sent = yield* call(ada, "GET", "/client-data/profile", { headers: { origin } })

        assert.isUndefined(asked.headers["access-control-allow-origin"], origin)
        assert.isUndefined(sent.headers["access-control-allow-origin"], origin)
        assert.strictEqual(sent.status, 200)
      }
    })
  )
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { people, placeOrder } from "../support/People.ts"

const app = TestApp.layerWith({ strictTransport: true })

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

layer(app, { excludeTestServices: true })((it) => {
  describe("What is wrong with a request", () => {
    it.effect("names the words that are allowed, and is said once", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const wrong = Effect.fnUntraced(function* (method: string, path: string, body?: unknown) {
          const answer = yield* call(ada, method, `/client-data${path}`, body === undefined ? {} : { body })
          assertProblem(answer, 400, "invalid_request")
          return answer.json.errors
        })

        assert.deepStrictEqual(
          yield* wrong("POST", "/tickets", { title: "Broken", description: "It is.", priority: "huge" }),
          [{ pointer: "/body/priority", message: 'Expected "low" | "medium" | "high" | "urgent"' }]
        )
        assert.deepStrictEqual(yield* wrong("GET", "/payment-methods?st=up"), [
          { pointer: "/query/st", message: 'Expected "asc" | "desc"' }
        ])
        assert.deepStrictEqual(yield* wrong("POST", "/reservations", { definitionId: "table", start: "tomorrow" }), [
          { pointer: "/body/start", message: "Expected an ISO 8601 instant such as 2026-11-23T10:00:00.000Z" }
        ])
      })
    )
  })

  describe("Under /api", () => {
    it.effect("a portal gets the same answers, problems included", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada, trent } = yield* people
        const order = yield* placeOrder(ada)

        for (const [who, method, path] of [
          [ada, "GET", "/client-data/profile"],
          [ada, "HEAD", "/client-data/profile"],
          [ada, "GET", "/client-data/orders?ps=1"],
          [ada, "GET", `/client-data/orders/${order.id}`],
          [ada, "GET", "/client-data/orders?p=0"],
          [ada, "GET", "/client-data/nope"],
          [ada, "GET", "/client-data"],
          [ada, "GET", "/client-data?x"],
          [ada, "DELETE", "/client-data/profile"],
          [ada, "OPTIONS", "/client-data/profile"],
          [ada, "PUT", "/client-data/profile"],
          [trent, "GET", "/client-data/profile"],
          [undefined, "GET", "/client-data/profile"]
        ] as const) {
          const options = { headers: { "x-request-id": "the-same" } }
          const short = yield* call(who, method, path, options)
          const long = yield* call(who, method, `/api${path}`, options)

          assert.deepStrictEqual(traits(long), traits(short))
        }
      })
    )

    it.effect("only the customers' side is served", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme } = yield* people
        const platform = yield* platformOf(acme)

        for (const path of [
          "/api/platform/customers/ada",
          "/api/livez",
          "/api",
          "/api/",
          "/api/client-datax",
          "/apiclient-data"
        ]) {
          assertProblem(yield* call(platform, "GET", path), 404, "not_found")
        }
      })
    )
  })

  describe("JSON", () => {
    it.effect("is in camelCase, with instants in UTC to the millisecond and money in minor units", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const shippedAt = new Date("2026-03-04T05:06:07Z")
        const { id } = yield* placeOrder(ada, {
          placedAt: new Date("2026-03-01T10:00:00+02:00"),
          shipments: [{ shippedAt }]
        })

        const { headers, json } = yield* call(ada, "GET", `/client-data/orders/${id}`)
        const profile = (yield* call(ada, "GET", "/client-data/profile")).json

        assert.strictEqual(headers["content-type"], "application/json")
        assert.deepStrictEqual(
          [json.placedAt, json.shipments[0].shippedAt],
          ["2026-03-01T08:00:00.000Z", "2026-03-04T05:06:07.000Z"]
        )
        for (const at of [json.createdAt, json.updatedAt, profile.createdAt, profile.updatedAt])
          assert.match(at, instant)
        assert.isTrue(Number.isSafeInteger(json.total.amount))
        for (const key of [...Object.keys(json), ...Object.keys(profile)]) assert.match(key, /^[a-z][A-Za-z]*$/)
        assert.notIncludeMembers(Object.keys(json), ["customerId", "orgId"])
        assert.notIncludeMembers(Object.keys(profile), ["userId", "orgId", "erasedAt"])
      })
    )

    it.effect("has instants that stay within the calendar, as they are sent and as they are kept", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme } = yield* people
        const platform = yield* platformOf(acme)
        const order = { customerId: "ada", number: "1", status: "paid", total: { amount: 1, currency: "USD" } }

        for (const [text, kept] of [
          ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
          ["1000-01-01T00:00:00Z", "1000-01-01T00:00:00.000Z"],
          ["2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00.000Z"],
          ["2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123Z"],
          ["9999-12-31T23:59:59-14:59"],
          ["1000-01-01T00:00:00+14:59"],
          ["2026-02-30T00:00:00Z"],
          ["2026-01-01T24:00:00Z"],
          ["2026-01-01T00:00:60Z"],
          ["2026-01-01T00:00:00"],
          ["2026-01-01"]
        ] as const) {
          const shipped = { ...order, placedAt: "2026-01-01T00:00:00Z", shipments: [{ shippedAt: text }] }
          const [placed, shipment] = [
            yield* call(platform, "PUT", "/platform/orders/placed", { body: { ...order, placedAt: text } }),
            yield* call(platform, "PUT", "/platform/orders/shipped", { body: shipped })
          ]

          if (kept === undefined) {
            assertInvalid(placed, "/body/placedAt")
            assertInvalid(shipment, "/body/shipments/0/shippedAt")
          } else assert.deepStrictEqual([placed.json.placedAt, shipment.json.shipments[0].shippedAt], [kept, kept])
        }
      })
    )
  })

  describe("Headers", () => {
    it.effect("keep customer data out of caches that others share, on every answer", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)

        for (const path of ["/profile", "/orders", "/nope", "/pro%66ile", "/orders?p=0"]) {
          for (const root of ["/client-data", "/api/client-data", "/client%2Ddata", "/%63lient-data"]) {
            for (const who of [ada, undefined]) {
              const { headers } = yield* call(who, "GET", `${root}${path}`)
              assert.strictEqual(headers["cache-control"], "private, no-cache", `${root}${path}`)
              assert.strictEqual(headers["vary"], "Authorization, orgid")
              assert.isDefined(headers["ratelimit"])
            }
          }
        }
        const { headers } = yield* call(platform, "GET", "/platform/customers/ada")
        assert.deepInclude(headers, { "cache-control": "private, no-cache", vary: "x-api-key, orgid" })
      })
    )

    it.effect("say nothing of what the server is made of, and insist on TLS where the operator does", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        for (const path of ["/client-data/profile", "/client-data/nope", "/livez", "/openapi.json", "/nope"]) {
          const { headers } = yield* call(ada, "GET", path)
          assert.deepStrictEqual([headers["server"], headers["x-powered-by"]], [undefined, undefined])
          assert.strictEqual(headers["x-content-type-options"], "nosniff")
          assert.strictEqual(headers["strict-transport-security"], "max-age=31536000")
        }
      })
    )
  })
})

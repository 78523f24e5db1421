import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid, assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { anOrder, type Customer, erase, fingerprint, people, type Person, placeOrder } from "../support/People.ts"

const parallel = { concurrency: "unbounded" } as const

const aProduct = { sku: "SR-1", name: "Slide rule", price: { amount: 4900, currency: "USD" }, available: true }

const put = (person: Person, body: unknown, ifMatch?: string | ReadonlyArray<string>) =>
  App.use(({ call }) => call(person, "PUT", "/client-data/profile", { body, headers: { "if-match": ifMatch } }))

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A single record", () => {
    it.effect("has its version as its tag, for the customer and for the platform", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const order = yield* placeOrder(ada)
        const platform = yield* platformOf(acme)
        yield* put(ada, { name: "Countess" })

        for (const [who, path, version] of [
          [ada, "/client-data/profile", 2],
          [platform, "/platform/customers/ada", 2],
          [ada, `/client-data/orders/${order.id}`, 1]
        ] as const) {
          const { headers, json } = yield* call(who, "GET", path)
          assert.deepStrictEqual([json.version, headers["etag"]], [version, `"${version}"`])
        }
      })
    )

    it.effect("is not sent again to whoever has it", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const order = yield* placeOrder(ada)

        for (const path of ["/client-data/profile", "/api/client-data/profile", `/client-data/orders/${order.id}`]) {
          for (const method of ["GET", "HEAD"]) {
            for (const tag of ['"1"', 'W/"1"', '"7", "1"', '"7","1","8"', "*", ' "1" ']) {
              const { bytes, headers, status } = yield* call(ada, method, path, { headers: { "if-none-match": tag } })

              assert.deepStrictEqual([status, bytes.length], [304, 0])
              assert.deepInclude(headers, {
                etag: '"1"',
                "cache-control": "private, no-cache",
                vary: "Authorization, orgid"
              })
              assert.isDefined(headers["x-request-id"])
              assert.isUndefined(headers["content-type"])
            }
          }
        }
      })
    )

    it.effect("is sent to whoever has another version, or something that is none", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        yield* put(ada, { name: "Countess" })

        for (const tag of ['"1"', '"3"', "2", '"02"', '"2', "", '"*"', "W/", '"1", "3"']) {
          const { json, status } = yield* call(ada, "GET", "/client-data/profile", {
            headers: { "if-none-match": tag }
          })
          assert.deepStrictEqual([status, json.version], [200, 2])
        }
      })
    )

    it.effect("asked for with a tag is still not to be had by a stranger", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada, eve } = yield* people
        const order = yield* placeOrder(ada)
        const headers = { "if-none-match": "*" }

        assertProblem(yield* call(eve, "GET", `/client-data/orders/${order.id}`, { headers }), 404, "order_not_found")
        assertProblem(
          yield* call(undefined, "GET", "/client-data/profile", { headers }),
          401,
          "missing_authorization_header"
        )
      })
    )
  })

  describe("A change", () => {
    it.effect("of the version that it names is made, and answered with the next", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        for (const [n, tag] of ['"1"', '"9", "2"', '"3","9"', "*", ['"9"', '"5"']].entries()) {
          const { headers, json, status } = yield* put(ada, { about: `Change ${n}` }, tag)
          assert.deepStrictEqual([status, json.about, headers["etag"]], [200, `Change ${n}`, `"${n + 2}"`])
        }
      })
    )

    it.effect("of another version is refused, and nothing changes", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const before = yield* call(ada, "GET", "/client-data/profile")

        for (const tag of [
          '"2"',
          '"0"',
          '"01"',
          '"1.0"',
          'W/"1"',
          '"a"',
          '""',
          '"2", "3"',
          '"2147483648"',
          '"99999999999999"'
        ]) {
          assertProblem(yield* put(ada, { name: "Changed" }, tag), 412, "version_mismatch")
        }
        assert.deepStrictEqual((yield* call(ada, "GET", "/client-data/profile")).json, before.json)
      })
    )

    it.effect("of something that is no version is an invalid request", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        for (const tag of [
          "1",
          "",
          "two",
          '"1',
          "'1'",
          '"1" "2"',
          "*, *",
          '"1";',
          '"\u00e9"',
          Array(17).fill('"1"').join()
        ]) {
          assertInvalid(yield* put(ada, { name: "Changed" }, tag), "/header/if-match")
        }
      })
    )

    it.effect("is made once, though 20 of the same version arrive at once", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const changes = Array.from({ length: 20 }, (_, n) => put(ada, { name: `Ada ${n}` }, '"1"'))

        const answers = yield* Effect.all(changes, parallel)

        const made = answers.filter(({ status }) => status === 200)
        assert.strictEqual(made.length, 1)
        for (const answer of answers) if (answer !== made[0]) assertProblem(answer, 412, "version_mismatch")
        assert.deepStrictEqual((yield* call(ada, "GET", "/client-data/profile")).json, made[0]!.json)
      })
    )

    it.effect("without a version is merged with all others that arrive at once", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const fields = { name: "A", phone: "+442079460958", language: "de", timezone: "Asia/Tokyo", about: "B" }
        const changes = Object.entries(fields).flatMap(([key, value]) =>
          Array.from({ length: 4 }, () => ({ [key]: value }))
        )

        const answers = yield* Effect.forEach(changes, (body) => put(ada, body), parallel)

        assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [200])
        assert.deepInclude((yield* call(ada, "GET", "/client-data/profile")).json, { ...fields, version: 6 })
      })
    )

    it.effect("that changes nothing is no new version", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const answers = [yield* put(ada, {}), yield* put(ada, { name: "Ada" }), yield* put(ada, { phone: null })]

        for (const { headers, json } of answers) assert.deepStrictEqual([json.version, headers["etag"]], [1, '"1"'])
      })
    )
  })

  describe("A push of the platform's", () => {
    const pushes = (customer: Customer) =>
      [
        ["customer", { name: "Pushed" }, { name: "Other" }],
        ["order", anOrder(customer), anOrder(customer, { status: "cancelled" })],
        ["product", aProduct, { ...aProduct, available: false }]
      ] as const

    it.effect("of the version that it names is made, of another one refused, and nothing changes", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)

        for (const [noun, body, other] of pushes(ada)) {
          const put = (body: unknown, tag?: string) =>
            call(platform, "PUT", `/platform/${noun}s/versioned`, { body, headers: { "if-match": tag } })
          // Of what is not there no version is, so nothing is made.
          for (const tag of ['"1"', "*"]) assertProblem(yield* put(body, tag), 412, "version_mismatch")
          const made = yield* put(body)
          const before = yield* fingerprint

          for (const tag of ['"2"', 'W/"1"']) assertProblem(yield* put(other, tag), 412, "version_mismatch")
          assert.deepStrictEqual(yield* fingerprint, before)
          const changed = yield* put(other, '"1"')
          const again = yield* put(body, "*")

          assert.deepStrictEqual(
            [made, changed, again].map(({ headers, json, status }) => [status, json.version, headers["etag"]]),
            [
              [200, 1, '"1"'],
              [200, 2, '"2"'],
              [200, 3, '"3"']
            ]
          )
        }
      })
    )

    it.effect("is made once, though 20 of the same version arrive at once", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)

        for (const [noun, body, other] of pushes(ada)) {
          const path = `/platform/${noun}s/raced`
          yield* call(platform, "PUT", path, { body })
          const answers = yield* Effect.forEach(
            Array.from({ length: 20 }),
            () => call(platform, "PUT", path, { body: other, headers: { "if-match": '"1"' } }),
            parallel
          )

          assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [
            200,
            ...Array.from({ length: 19 }, () => 412)
          ])
        }
      })
    )

    it.effect("for somebody who is not there or erased says so, whatever version it names", () =>
      Effect.gen(function* () {
        const { call, platformOf } = yield* App
        const { acme, ada, grace } = yield* people
        const platform = yield* platformOf(acme)
        const order = yield* placeOrder(ada)
        yield* erase(grace)
        const headers = { "if-match": '"1"' }

        for (const [path, body] of [
          [`/platform/orders/${order.id}`, { ...anOrder(ada), customerId: "nobody" }],
          [`/platform/orders/${order.id}`, anOrder(grace)],
          [`/platform/customers/${grace.customerId}`, { name: "Back" }]
        ] as const) {
          assertProblem(yield* call(platform, "PUT", path, { body, headers }), 404, "customer_not_found")
        }
      })
    )
  })
})

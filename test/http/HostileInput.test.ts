import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { type Answer, App, type Options, type Platform } from "../support/App.ts"
import * as Hostile from "../support/Hostile.ts"
import { fingerprint, people, type Person, placeOrder } from "../support/People.ts"
import { randomFrom } from "../support/Random.ts"

/** An answer of ours: no failure, and of what was refused the problem and nothing else. */
const assertSound = (answer: Answer, request: string) => {
  assert.isBelow(answer.status, 500, `${request}: ${answer.text}`)
  if (answer.status < 400) return
  assertProblem(answer, answer.status, answer.json?.code)
  assert.notMatch(answer.text, /\bat \/|node_modules|SELECT |relation |column |SqlError/)
}

const send = Effect.fnUntraced(function* (who: Person | Platform, method: string, path: string, options: Options = {}) {
  const { call } = yield* App
  const answer = yield* call(who, method, path, options)
  assertSound(answer, `${method} ${path} ${JSON.stringify(options)}`)
  return answer
})

const order = { customerId: "ada", number: "1", status: "paid", total: { amount: 1, currency: "USD" } }
const usd = { amount: 1, currency: "USD" }

interface Place {
  [key: string | number]: unknown
}

/** A JSON document with one place in it filled in. */
const withValue = (document: object, path: ReadonlyArray<string | number>, json: string) => {
  const marker = "HOSTILE-VALUE"
  const copy = structuredClone(document) as Place
  let at = copy
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Place
  at[path.at(-1)!] = marker
  return JSON.stringify(copy).replace(`"${marker}"`, () => json)
}

const everyValue = [...Hostile.values, ...Hostile.strings.map((text) => JSON.stringify(text))]

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("Whatever somebody sends", () => {
    it.effect("in a path or a query is answered soundly, and changes nothing", () =>
      Effect.gen(function* () {
        const { platformOf } = yield* App
        const { acme, ada } = yield* people
        yield* placeOrder(ada)
        const platform = yield* platformOf(acme)
        const before = yield* fingerprint

        // Longer ones do not pass the server's limit for the head of a request.
        for (const value of Hostile.strings.map(Hostile.encoded).filter(({ length }) => length < 4000)) {
          yield* send(ada, "GET", `/client-data/orders/${value}`)
          yield* send(ada, "GET", `/client-data/${value}`)
          yield* send(platform, "GET", `/platform/customers/${value}`)
          for (const key of ["p", "ps", "s", "st", "cursor", "count", "status", "from", "to", value]) {
            yield* send(ada, "GET", `/client-data/orders?${key}=${value}`)
          }
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("in a header is answered soundly, and adds no header to the answer", () =>
      Effect.gen(function* () {
        const { platformOf, tokenOf } = yield* App
        const { acme, ada } = yield* people
        const token = yield* tokenOf(ada)
        const platform = yield* platformOf(acme)
        const before = yield* fingerprint
        // What HTTP lets through; the rest is refused by any client, and by the server below.
        const sendable = Hostile.strings.filter((text) => /^[\t\u0020-\u007e\u00a0-\u00ff]*$/.test(text))
        const usual = Object.keys((yield* send(ada, "GET", "/client-data/profile")).headers).sort()

        for (const value of [...sendable, "x\u00ff", "a,b", "x".repeat(4000)]) {
          for (const name of [
            "x-request-id",
            "if-none-match",
            "cookie",
            "accept",
            "accept-encoding",
            "user-agent",
            "range"
          ]) {
            const answer = yield* send(ada, "GET", "/client-data/profile", { headers: { [name]: value } })
            if (answer.status === 200) assert.deepStrictEqual(Object.keys(answer.headers).sort(), usual)
          }
          for (const headers of [
            { authorization: value },
            { authorization: `Bearer ${value}` },
            { authorization: `Bearer ${token}${value}x` },
            { orgid: `${value}x` },
            {
              "x-http-method-override": "DELETE",
              "x-original-url": value,
              "x-forwarded-host": value,
              "x-forwarded-for": value
            }
          ]) {
            yield* send(ada, "GET", "/client-data/profile", { headers })
          }
          for (const name of ["idempotency-key", "if-match", "content-type", "content-encoding", "origin"]) {
            yield* send(ada, "PUT", "/client-data/profile", { body: { nope: 1 }, headers: { [name]: value } })
          }
          yield* send(platform, "GET", "/platform/customers/ada", { headers: { "x-api-key": value } })
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("in the profile is read back as it was written, or refused by name and nothing changes", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        let version = 1

        for (const field of ["name", "phone", "language", "timezone", "about", "email"]) {
          for (const json of everyValue) {
            const answer = yield* send(ada, "PUT", "/client-data/profile", { body: withValue({}, [field], json) })

            if (answer.status === 200) {
              assert.deepStrictEqual(answer.json[field], JSON.parse(json))
              assert.include([version, version + 1], answer.json.version)
              version = answer.json.version
            } else {
              assert.strictEqual(answer.status, 400)
              for (const { pointer } of answer.json.errors) assert.strictEqual(pointer, `/body/${field}`)
            }
          }
        }
        const { json } = yield* send(ada, "GET", "/client-data/profile")
        assert.strictEqual(json.version, version)
      })
    )

    it.effect("in a customer that the platform pushes is read back as it was written, or refused by name", () =>
      Effect.gen(function* () {
        const { platformOf } = yield* App
        const { acme } = yield* people
        const platform = yield* platformOf(acme)
        const fields = [
          "email",
          "emailVerified",
          "name",
          "phone",
          "phoneVerified",
          "language",
          "timezone",
          "about",
          "userId"
        ]

        for (const field of fields) {
          for (const json of everyValue) {
            const { json: body, status } = yield* send(platform, "PUT", "/platform/customers/new", {
              body: withValue({}, [field], json)
            })

            if (status === 200) assert.deepStrictEqual(body[field], JSON.parse(json))
            else for (const { pointer } of body.errors) assert.strictEqual(pointer, `/body/${field}`)
          }
        }
      })
    )

    it.effect("in an order that the platform pushes never makes the customer's orders unreadable", () =>
      Effect.gen(function* () {
        const { platformOf } = yield* App
        const { acme, ada } = yield* people
        const platform = yield* platformOf(acme)
        const item = { name: "Loom", quantity: 1, unitPrice: usd }
        const largest = { amount: 9007199254740991, currency: "USD" }
        const places: ReadonlyArray<readonly [object, ReadonlyArray<string | number>]> = [
          ...["customerId", "number", "status", "currency", "total", "items", "placedAt", "shippingAddress"].map(
            (key) => [order, [key]] as const
          ),
          ...["subtotal", "discount", "tax", "shipping", "total"].map((key) => [order, [key, "amount"]] as const),
          ...["subtotal", "tax", "total"].map(
            (key) => [{ ...order, discount: largest, [key]: usd }, [key, "amount"]] as const
          ),
          [order, ["total", "currency"]],
          ...["id", "productId", "sku", "name", "image", "quantity"].map(
            (key) => [{ ...order, items: [item] }, ["items", 0, key]] as const
          ),
          [{ ...order, items: [item] }, ["items", 0, "unitPrice", "amount"]],
          [{ ...order, items: [{ ...item, unitPrice: largest }] }, ["items", 0, "quantity"]],
          [{ ...order, items: [item] }, ["items", 0, "total", "amount"]],
          ...["carrier", "trackingUrl", "shippedAt"].map(
            (key) => [{ ...order, shipments: [{}] }, ["shipments", 0, key]] as const
          ),
          [{ ...order, billingAddress: {} }, ["billingAddress", "country"]]
        ]

        for (const [document, path] of places) {
          for (const json of everyValue) {
            const body = withValue(document, path, json)
            const { status } = yield* send(platform, "PUT", "/platform/orders/o", { body })

            assert.include([200, 400, 404], status)
            if (status === 200) {
              const read = yield* send(ada, "GET", "/client-data/orders?s=total")
              assert.strictEqual(read.status, 200)
            }
          }
        }
      })
    )

    it.effect("in place of a body, be it one with some of its bytes changed, is answered soundly", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const random = randomFrom(20261123)
        const good = Buffer.from(JSON.stringify({ name: "Ada é", language: "en", about: '\u{1f9f5} \\ "' }))

        for (let n = 0; n < 300; n++) {
          const body = Buffer.from(good)
          for (let changes = 1 + random(4); changes > 0; changes--) body[random(body.length)] = random(256)
          const options = { body: body.subarray(random(8) === 0 ? random(body.length) : 0) }
          const { json, status } = yield* send(ada, "PUT", "/client-data/profile", options)

          assert.include([200, 400], status)
          if (status === 200) assert.deepInclude(json, JSON.parse(options.body.toString("utf8")))
        }
      })
    )
  })
})

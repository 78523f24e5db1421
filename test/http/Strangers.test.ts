import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App, type Options } from "../support/App.ts"
import { fingerprint, people, placeOrder } from "../support/People.ts"

layer(TestApp.layer, { excludeTestServices: true })("A stranger", (it) => {
  it.effect("cannot tell somebody else's order from one that was never placed", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve, grace, mallory, namesake } = yield* people
      const order = yield* placeOrder(ada)
      const before = yield* fingerprint

      for (const stranger of [eve, grace, mallory, namesake]) {
        const missing = yield* call(stranger, "GET", "/client-data/orders/order-none")
        assertProblem(missing, 404, "order_not_found")
        for (const reference of [order.id, encodeURIComponent(order.number)]) {
          const path = `/client-data/orders/${reference}`
          for (const options of [{}, { headers: { "if-none-match": '"1"' } }, { headers: { "if-match": '"1"' } }]) {
            const foreign = yield* call(stranger, "GET", path, options)
            assert.deepStrictEqual(traits(foreign, reference), traits(missing, "order-none"))
          }
          const head = yield* call(stranger, "HEAD", path)
          assert.deepStrictEqual([head.status, head.bytes.length], [404, 0])
        }
      }
      assert.strictEqual((yield* call(ada, "GET", `/client-data/orders/${order.id}`)).status, 200)
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("is told that a method does not exist, for any order alike", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve } = yield* people
      const order = yield* placeOrder(ada)
      const before = yield* fingerprint

      for (const method of ["PUT", "POST", "PATCH", "DELETE", "TRACE"]) {
        const foreign = yield* call(eve, method, `/client-data/orders/${order.id}`)
        const missing = yield* call(eve, method, "/client-data/orders/order-none")
        assertProblem(foreign, 405, "method_not_allowed")
        assert.deepStrictEqual(traits(foreign, order.id), traits(missing, "order-none"))
      }
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("does not widen a list by naming another customer, in whatever way", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada, eve } = yield* people
      yield* placeOrder(ada)
      const own = yield* placeOrder(eve)

      for (const query of [
        "customerId=ada",
        "customer_id=ada",
        "filter[customerId]=ada",
        "or=true&filterOperator=OR",
        "where=1=1",
        "include=customer&fields=*",
        `org=${acme}&orgid=other`,
        "status=paid&customerId=ada",
        "__proto__[customerId]=ada"
      ]) {
        const options: Options = {
          headers: { "x-customer-id": "ada", cookie: "customerId=ada", "x-forwarded-user": "ada" }
        }
        const { json, status } = yield* call(eve, "GET", `/client-data/orders?${query}`, options)

        assert.deepStrictEqual([status, json.total, json.data.map((order: any) => order.id)], [200, 1, [own.id]])
      }
    })
  )

  it.effect("cannot change another's profile by naming them in the body", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { eve } = yield* people
      const before = yield* fingerprint

      for (const key of [
        "id",
        "customerId",
        "orgId",
        "org_id",
        "userId",
        "owner",
        "version",
        "emailVerified",
        "erasedAt"
      ]) {
        const answer = yield* call(eve, "PUT", "/client-data/profile", { body: { name: "Eve", [key]: "ada" } })

        assertProblem(answer, 400, "invalid_request")
        assert.deepStrictEqual(answer.json.errors[0].pointer, `/body/${key}`)
      }
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("with a platform's key sees no customer of another org, and gives them no order", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { mallory, other, acme } = yield* people
      const platform = yield* platformOf(acme)
      yield* platformOf(other)
      const before = yield* fingerprint
      const order = (customerId: string) => ({
        body: { customerId, number: "1", status: "paid", total: { amount: 1, currency: "USD" } }
      })

      const read = yield* call(platform, "GET", `/platform/customers/${mallory.customerId}`)
      const readMissing = yield* call(platform, "GET", "/platform/customers/nobody0")
      const pushed = yield* call(platform, "PUT", "/platform/orders/o", order(mallory.customerId))
      const pushedMissing = yield* call(platform, "PUT", "/platform/orders/o", order("nobody0"))

      assertProblem(read, 404, "customer_not_found")
      assertProblem(pushed, 404, "customer_not_found")
      assert.deepStrictEqual(traits(read, "mallory"), traits(readMissing, "nobody0"))
      assert.deepStrictEqual(traits(pushed), traits(pushedMissing))
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("on the same connection gets answers of their own, pipelined or not", () =>
    Effect.gen(function* () {
      const { raw, tokenOf } = yield* App
      const { ada, eve, grace, mallory, namesake, trent } = yield* people
      const callers = Array.from({ length: 60 }, (_, n) => [ada, eve, grace, mallory, namesake, trent][n % 6]!)
      const requests = yield* Effect.forEach(callers, (caller, n) =>
        Effect.map(
          tokenOf(caller),
          (token) =>
            `GET /client-data/profile HTTP/1.1\r\nHost: test\r\norgid: ${caller.orgId}\r\nX-Request-Id: r-${n}-${caller.claims.sub}\r\n` +
            `Authorization: Bearer ${token}\r\n${n === 59 ? "Connection: close\r\n" : ""}\r\n`
        )
      )

      const answers = (yield* raw(requests.join(""))).split("HTTP/1.1 ").slice(1)

      const names = ["Ada", "Eve", "Grace", "Mallory", "Another Ada", undefined]
      assert.strictEqual(answers.length, 60)
      for (const [n, answer] of answers.entries()) {
        const [head, body] = answer.split("\r\n\r\n") as [string, string]
        assert.include(head, `x-request-id: r-${n}-${callers[n]!.claims.sub}\r\n`)
        assert.strictEqual(JSON.parse(body).name, names[n % 6])
        assert.strictEqual(head.slice(0, 3), n % 6 === 5 ? "403" : "200")
      }
    })
  )
})

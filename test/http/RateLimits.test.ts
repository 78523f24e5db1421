import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { type Answer, App } from "../support/App.ts"
import { newcomer, people } from "../support/People.ts"

const limited = TestApp.layerWith({ rateLimit: 5 })

/** What an answer says of the caller's limit. */
const limitOf = ({ headers }: Answer) => {
  assert.strictEqual(headers["ratelimit-policy"], '"customer";q=5;w=60')
  const [, left, seconds] = /^"customer";r=(\d+);t=(\d+)$/.exec(headers["ratelimit"]!)!.map(Number)
  return { left: left!, seconds: seconds! }
}

layer(limited, { excludeTestServices: true })("A customer's limit", (it) => {
  it.effect("counts down with each request, whatever its answer, and then refuses", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people

      const answers = [
        yield* call(ada, "GET", "/client-data/profile"),
        yield* call(ada, "HEAD", "/client-data/orders"),
        yield* call(ada, "GET", "/client-data/orders/nope"),
        yield* call(ada, "PUT", "/client-data/profile", { body: { nope: 1 } }),
        yield* call(ada, "GET", "/api/client-data/profile")
      ]
      const refused = yield* call(ada, "GET", "/client-data/profile")

      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 200, 404, 400, 200]
      )
      assert.deepStrictEqual(
        answers.map((answer) => limitOf(answer).left),
        [4, 3, 2, 1, 0]
      )
      assertProblem(refused, 429, "rate_limited")
      const { left, seconds } = limitOf(refused)
      assert.deepStrictEqual([left, String(seconds)], [0, refused.headers["retry-after"]])
      assert.isTrue(seconds > 0 && seconds <= 60)
    })
  )

  it.effect("is full again after a minute, and says meanwhile how long that is", () =>
    Effect.gen(function* () {
      const { advance, call } = yield* App
      const { ada } = yield* people
      for (let n = 0; n < 5; n++) yield* call(ada, "GET", "/client-data/profile")

      yield* advance("30 seconds")
      const halfway = yield* call(ada, "GET", "/client-data/profile")
      yield* advance(`${limitOf(halfway).seconds} seconds`)
      const after = yield* call(ada, "GET", "/client-data/profile")

      assertProblem(halfway, 429, "rate_limited")
      assert.isAtMost(limitOf(halfway).seconds, 30)
      assert.deepStrictEqual([after.status, limitOf(after)], [200, { left: 4, seconds: 60 }])
    })
  )

  it.effect("is nobody else's, be it in the same org or under the same id in another", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve, namesake } = yield* people
      for (let n = 0; n < 6; n++) yield* call(ada, "GET", "/client-data/profile")

      for (const other of [eve, namesake]) {
        const answer = yield* call(other, "GET", "/client-data/profile")
        assert.deepStrictEqual([answer.status, limitOf(answer).left], [200, 4])
      }
    })
  )

  it.effect("is one for the customer and the user who acts on that record, whatever their tokens", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, grace } = yield* people
      const asCustomer = newcomer(acme, grace.customerId, { name: "Another token" })
      yield* call(grace, "GET", "/client-data/profile")

      const answer = yield* call(asCustomer, "GET", "/client-data/profile")

      assert.deepStrictEqual([answer.status, limitOf(answer).left], [200, 3])
    })
  )

  it.effect("holds for requests that arrive at once", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      const requests = Array.from({ length: 20 }, () => call(ada, "GET", "/client-data/profile"))

      const answers = yield* Effect.all(requests, { concurrency: "unbounded" })

      const statuses = answers.map(({ status }) => status).sort()
      assert.deepStrictEqual(statuses, [...Array(5).fill(200), ...Array(15).fill(429)])
    })
  )

  it.effect("stands on every answer, and is not used up by whoever is not let in", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, trent } = yield* people
      const platform = yield* platformOf(acme)

      for (let n = 0; n < 7; n++) {
        for (const answer of [
          yield* call(undefined, "GET", "/client-data/profile"),
          yield* call(ada, "GET", "/client-data/profile", { headers: { authorization: "Bearer forged" } }),
          yield* call(ada, "GET", "/client-data/profile", { headers: { orgid: "other" } }),
          yield* call(trent, "GET", "/client-data/profile"),
          yield* call(ada, "GET", "/client-data/nope"),
          yield* call(ada, "POST", "/client-data/profile"),
          yield* call(platform, "GET", "/platform/customers/ada")
        ]) {
          assert.deepStrictEqual(limitOf(answer), { left: 5, seconds: 60 })
          assert.notStrictEqual(answer.status, 429)
        }
      }
      assert.strictEqual(limitOf(yield* call(ada, "GET", "/client-data/profile")).left, 4)
    })
  )

  it.effect("once reached does nothing and keeps no answer for an idempotency key", () =>
    Effect.gen(function* () {
      const { advance, call } = yield* App
      const { ada } = yield* people
      for (let n = 0; n < 5; n++) yield* call(ada, "GET", "/client-data/profile")
      const write = { body: { name: "Later" }, headers: { "idempotency-key": "limited" } }

      const refused = yield* call(ada, "PUT", "/client-data/profile", write)
      yield* advance("1 minute")
      const before = yield* call(ada, "GET", "/client-data/profile")
      const made = yield* call(ada, "PUT", "/client-data/profile", write)

      assertProblem(refused, 429, "rate_limited")
      assert.strictEqual(before.json.name, "Ada")
      assert.deepStrictEqual([made.status, made.headers["idempotency-replayed"]], [200, undefined])
    })
  )

  it.effect("is told later to a customer who goes on regardless, and keeps nobody else waiting", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve } = yield* people
      for (let n = 0; n < 5 + 1; n++) yield* call(ada, "GET", "/client-data/profile")
      const told = yield* Effect.all(Array.from({ length: 20 }, () => call(ada, "GET", "/client-data/profile")))

      const order: Array<string> = []
      const arrived = (who: string) => () => Effect.sync(() => order.push(who))
      const started = performance.now()
      const [late, write, other] = yield* Effect.all(
        [
          Effect.tap(call(ada, "GET", "/client-data/profile"), arrived("ada")),
          Effect.tap(call(ada, "PUT", "/client-data/profile", { body: { name: "A" } }), arrived("ada")),
          Effect.tap(call(eve, "GET", "/client-data/profile"), arrived("eve"))
        ],
        { concurrency: "unbounded" }
      )

      for (const answer of [...told, late, write]) assertProblem(answer, 429, "rate_limited")
      assert.isAtLeast(performance.now() - started, 240)
      assert.deepStrictEqual([other.status, order], [200, ["eve", "ada", "ada"]])
    })
  )
})

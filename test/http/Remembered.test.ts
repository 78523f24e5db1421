import { assert, layer } from "@effect/vitest"
import { Context, Effect } from "effect"
import { HttpApi } from "effect/http-api"
import { Api } from "../../src/http/Api.ts"
import { FollowsAccount } from "../../src/http/Remembered.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { people, placeOrder } from "../support/People.ts"

const orders = "/client-data/orders?ps=2"

layer(TestApp.layer, { excludeTestServices: true })("A list that follows the account", (it) => {
  it.effect("is not sent again to whoever has it, until something of the account has changed", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      yield* placeOrder(ada)
      const first = yield* call(ada, "GET", orders)
      const known = { headers: { "if-none-match": first.headers["etag"]! } }
      const second = yield* call(ada, "GET", orders, known)
      assert.deepStrictEqual([second.status, second.text, second.headers["etag"]], [304, "", first.headers["etag"]])

      yield* placeOrder(ada)
      const third = yield* call(ada, "GET", orders, known)
      assert.strictEqual(third.status, 200)
      assert.strictEqual(third.json.total, first.json.total + 1)
      assert.notStrictEqual(third.headers["etag"], first.headers["etag"])
    })
  )

  it.effect("says the same the second time, byte for byte, whichever page is asked for", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      for (let n = 0; n < 5; n++) yield* placeOrder(ada)
      for (const path of [
        orders,
        `${orders}&p=2`,
        `${orders}&p=3`,
        `${orders}&count=false`,
        "/client-data/transactions"
      ]) {
        const [first, second] = [yield* call(ada, "GET", path), yield* call(ada, "GET", path)]
        assert.deepStrictEqual([second.status, second.text], [200, first.text])
        assert.notStrictEqual(second.headers["x-request-id"], first.headers["x-request-id"])
      }
      const pages = yield* Effect.forEach([1, 2, 3], (p) => call(ada, "GET", `${orders}&p=${p}`))
      assert.strictEqual(new Set(pages.flatMap(({ json }) => json.data.map(({ id }: { id: string }) => id))).size, 5)
    })
  )

  it.effect("is nobody else's: not another customer's, not a namesake's in another org", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve, namesake } = yield* people
      yield* placeOrder(ada)
      const mine = yield* call(ada, "GET", orders)
      assert.strictEqual(mine.json.total, 1)
      for (const other of [eve, namesake]) {
        const theirs = yield* call(other, "GET", orders, { headers: { "if-none-match": mine.headers["etag"]! } })
        assert.deepStrictEqual([theirs.status, theirs.json.total], [200, 0])
        assert.notStrictEqual(theirs.headers["etag"], mine.headers["etag"])
      }
    })
  )

  it.effect("is as it is after each write, however many read and write at once", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      let placed = 0
      yield* Effect.all(
        [
          Effect.repeat(
            Effect.tap(placeOrder(ada), () => Effect.sync(() => placed++)),
            { times: 19 }
          ),
          ...Array.from({ length: 4 }, () =>
            Effect.repeat(
              Effect.gen(function* () {
                const atLeast = placed
                const { json } = yield* call(ada, "GET", orders)
                assert.isAtLeast(json.total, atLeast)
              }),
              { times: 24 }
            )
          )
        ],
        { concurrency: "unbounded" }
      )
      assert.strictEqual((yield* call(ada, "GET", orders)).json.total, 20)
    })
  )

  it.effect("is refused as before where the query makes no sense, whatever tag is sent along", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      const { headers } = yield* call(ada, "GET", orders)
      const refused = yield* call(ada, "GET", "/client-data/orders?ps=none", {
        headers: { "if-none-match": headers["etag"]! }
      })
      assert.strictEqual(refused.status, 400)
    })
  )

  it.effect("is of orders and of transactions, which change with nothing else", () =>
    Effect.gen(function* () {
      const following: Array<string> = []
      HttpApi.reflect(Api, {
        onGroup: () => {},
        onEndpoint: ({ endpoint }) => {
          if (Context.get(endpoint.annotations, FollowsAccount)) following.push(endpoint.path)
        }
      })
      assert.sameMembers(following, ["/client-data/orders", "/client-data/transactions"])

      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const platform = yield* platformOf(acme)
      for (let n = 1; n <= 3; n++) {
        const paid = { amount: n, currency: "USD" }
        const body = { customerId: "ada", type: "payment", status: "paid", amount: paid, method: { type: "card" } }
        const pushed = yield* call(platform, "PUT", `/platform/transactions/t-${n}`, { body })
        assert.strictEqual(pushed.status, 200, pushed.text)
        assert.strictEqual((yield* call(ada, "GET", "/client-data/transactions")).json.total, n)
      }
    })
  )
})

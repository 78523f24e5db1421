import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { orderSorts } from "../../src/domain/Order.ts"
import { assertInvalid } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { type Customer, makeCustomer, makeOrg, people, placeOrder } from "../support/People.ts"

const orders = (customer: Customer, query: string) =>
  App.use(({ call }) => call(customer, "GET", `/client-data/orders${query === "" ? "" : `?${query}`}`))

/** ada with so many orders, their ids newest first. */
const adaWithOrders = Effect.fnUntraced(function* (count: number) {
  const { ada } = yield* people
  const ids: Array<string> = []
  for (let n = 0; n < count; n++) ids.unshift((yield* placeOrder(ada)).id)
  return { ada, ids }
})

const idsOf = (json: any): ReadonlyArray<string> => json.data.map(({ id }: { readonly id: string }) => id)

layer(TestApp.layer, { excludeTestServices: true })("A list", (it) => {
  it.effect("is a page of fifty with its totals, and a way on", () =>
    Effect.gen(function* () {
      const { ada, ids } = yield* adaWithOrders(51)

      const { json, status } = yield* orders(ada, "")

      const { data: _, nextCursor, ...rest } = json
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(idsOf(json), ids.slice(0, 50))
      assert.deepStrictEqual(rest, { total: 51, hasNext: true, page: 1, pageSize: 50, totalPages: 2 })
      assert.match(nextCursor, /^[A-Za-z0-9_-]+$/)
    })
  )

  it.effect("is an empty one for a customer without any", () =>
    Effect.gen(function* () {
      const { ada } = yield* people

      const { text } = yield* orders(ada, "")

      assert.strictEqual(
        text,
        '{"data":[],"total":0,"hasNext":false,"page":1,"pageSize":50,"totalPages":0,"nextCursor":null}'
      )
    })
  )

  it.effect("shows the same rows in pages and by cursor, whatever the size", () =>
    Effect.gen(function* () {
      const { ada, ids } = yield* adaWithOrders(7)

      for (const ps of [1, 2, 3, 7, 200]) {
        const paged: Array<string> = []
        const walked: Array<string> = []
        for (let p = 1; p <= Math.ceil(7 / ps); p++) {
          const { json } = yield* orders(ada, `p=${p}&ps=${ps}`)
          assert.deepInclude(json, { page: p, pageSize: ps, total: 7, hasNext: p < Math.ceil(7 / ps) })
          paged.push(...idsOf(json))
        }
        let cursor = ""
        do {
          const { json } = yield* orders(ada, `ps=${ps}${cursor}`)
          assert.strictEqual("page" in json, cursor === "")
          walked.push(...idsOf(json))
          cursor = json.nextCursor === null ? "" : `&cursor=${json.nextCursor}`
        } while (cursor !== "")
        assert.deepStrictEqual([paged, walked], [ids, ids])
      }
    })
  )

  it.effect("leaves its totals out when they are not wanted", () =>
    Effect.gen(function* () {
      const { ada } = yield* adaWithOrders(2)

      const { json } = yield* orders(ada, "count=false&ps=1")

      assert.deepStrictEqual(Object.keys(json), ["data", "hasNext", "page", "pageSize", "nextCursor"])
      assert.deepInclude((yield* orders(ada, "count=true&ps=1")).json, { total: 2, totalPages: 2 })
    })
  )

  it.effect("sorts by every field of a row that is one value, either way", () =>
    Effect.gen(function* () {
      const { ada, ids } = yield* adaWithOrders(3)

      for (const sort of Object.keys(orderSorts)) {
        const falling = yield* orders(ada, `s=${sort}`)
        const rising = yield* orders(ada, `s=${sort}&st=asc`)

        assert.deepStrictEqual([falling.status, rising.status], [200, 200])
        assert.sameMembers([...idsOf(falling.json)], ids)
        assert.deepStrictEqual(idsOf(rising.json), idsOf(falling.json).toReversed())
      }
    })
  )

  it.effect("is filtered by what the query says once or more often", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const shipped = yield* placeOrder(ada, { status: "shipped" })
      const paid = yield* placeOrder(ada, { status: "paid" })
      yield* placeOrder(ada, { status: "cancelled" })

      assert.deepStrictEqual(idsOf((yield* orders(ada, "status=shipped")).json), [shipped.id])
      assert.deepStrictEqual(idsOf((yield* orders(ada, "status=shipped&status=paid")).json), [paid.id, shipped.id])
      assert.strictEqual((yield* orders(ada, "status=shipped&status=paid&status=paid")).json.total, 2)
    })
  )

  it.effect("takes days as the customer's own zone counts them", () =>
    Effect.gen(function* () {
      const ada = yield* makeCustomer(yield* makeOrg("acme"), "ada", { timezone: "America/New_York" })
      // The day on which clocks go back there has 25 hours.
      const within = ["2026-11-01T04:00:00.000Z", "2026-11-02T04:59:59.999Z"]
      const ids: Array<string> = []
      for (const at of within) ids.unshift((yield* placeOrder(ada, { placedAt: new Date(at) })).id)
      for (const at of ["2026-11-01T03:59:59.999Z", "2026-11-02T05:00:00.000Z"]) {
        yield* placeOrder(ada, { placedAt: new Date(at) })
      }

      assert.deepStrictEqual(idsOf((yield* orders(ada, "from=2026-11-01&to=2026-11-01")).json), ids)
    })
  )

  it.effect("ignores query keys that it does not know", () =>
    Effect.gen(function* () {
      const { ada, ids } = yield* adaWithOrders(1)

      for (const query of [
        "nope=1",
        "P=7",
        "__proto__=1",
        "constructor=1&toString=2",
        "%00=%00",
        "&&=&",
        "p[]=9",
        "?p=9"
      ]) {
        assert.deepStrictEqual(idsOf((yield* orders(ada, query)).json), ids)
      }
    })
  )

  it.effect("refuses what it knows and cannot use, and names it", () =>
    Effect.gen(function* () {
      const { ada } = yield* adaWithOrders(1)

      for (const [key, ...values] of [
        ["p", "0", "-1", "1.5", "x", "", "%201", "0x10", "NaN", "Infinity", "1e400", "1000001", "99999999999999999999"],
        ["ps", "0", "-1", "201", "x", "", "2%00", "9007199254740993"],
        ["s", "nope", "", "items", "customerId", "__proto__", "total,id", "total%20desc", "(SELECT%201)", "PLACEDAT"],
        ["st", "up", "", "ASC", "desc;"],
        ["cursor", "", "x", "abc", "%00", "a+b", "====", "x".repeat(3000)],
        ["count", "maybe", "", "0", "FALSE"],
        [
          "from",
          "yesterday",
          "",
          "2026-02-30",
          "2026-13-01",
          "2026-1-1",
          "0000-01-01",
          "now",
          "infinity",
          "2026-01-01T25:00Z"
        ],
        ["to", "-infinity", "20260101", "2026-01-01T00:00:00", "2026-01-01T00:00:00+99:00", "2026-01-01'--"]
      ] as const) {
        for (const value of values) assertInvalid(yield* orders(ada, `${key}=${value}`), `/query/${key}`)
      }
      for (const status of ["", "nope", "PAID", "paid,new", "paid'%20OR%20'1'='1", "%00"]) {
        assertInvalid(yield* orders(ada, `status=${status}`), "/query/status/0")
      }
      assertInvalid(yield* orders(ada, `status=paid&status=nope`), "/query/status/1")
      assertInvalid(yield* orders(ada, Array(17).fill("status=paid").join("&")), "/query/status")
    })
  )

  it.effect("refuses a key that is one value and comes twice", () =>
    Effect.gen(function* () {
      const { ada } = yield* adaWithOrders(1)

      for (const key of ["p", "ps", "s", "st", "count", "from", "cursor"]) {
        const value = { s: "total", st: "asc", count: "true", from: "2026-01-01", cursor: "abc" }[key] ?? "1"
        assertInvalid(yield* orders(ada, `${key}=${value}&${key}=${value}`), `/query/${key}`)
      }
    })
  )

  it.effect("refuses everything that is wrong with a query at once", () =>
    Effect.gen(function* () {
      const { ada } = yield* adaWithOrders(1)

      const answer = yield* orders(ada, "p=0&ps=x&s=nope&st=up&from=never")

      assertInvalid(answer, "/query/p", "/query/ps", "/query/s", "/query/st", "/query/from")
    })
  )
})

import { assert, describe, layer } from "@effect/vitest"
import { Array as Arr, Effect, Exit, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { inject } from "vitest"
import { type Order, orderSorts, type OrdersQuery, OrderStatus } from "../../src/domain/Order.ts"
import * as Postgres from "../../src/layers/Postgres.ts"
import { PlatformSql } from "../../src/services/Database.ts"
import { Orders } from "../../src/services/Orders.ts"
import { as, asPlatform, type Customer, makeCustomer, makeOrg, people, placeOrder } from "../support/People.ts"
import { randomFrom } from "../support/Random.ts"
import * as TestServer from "../support/TestServer.ts"
import * as TestServices from "../support/TestServices.ts"

type Sort = keyof typeof orderSorts
const sorts = Object.keys(orderSorts) as ReadonlyArray<Sort>
const directions = ["asc", "desc"] as const

const list = (customer: Customer, query: OrdersQuery) => Orders.use((orders) => orders.list(query)).pipe(as(customer))

const instant = (at: number) => new Date(Date.UTC(2026, 2, 29) + at * 37)
const numbers = ["", "A", "a", "B", "é", "Z", "z", "10", "9", "\u{1F9F5}", "\uFFEE", 'q"u\\o,te', "a\u0001b"]

/** Orders with few values in every column, so that most of them tie in whatever they are sorted by. */
const insertOrders = Effect.fnUntraced(function* (
  customer: Customer,
  random: (below: number) => number,
  ids: ReadonlyArray<string>
) {
  const sql = yield* PlatformSql
  const money = () => random(7) * 1_000_000_007 - 3_000_000_000
  const rows = ids.map((id) => ({
    orgId: customer.orgId,
    id,
    customerId: customer.customerId,
    number: numbers[random(numbers.length)]!,
    status: OrderStatus.literals[random(4)]!,
    currency: ["EUR", "USD"][random(2)]!,
    subtotal: money(),
    discount: money(),
    tax: money(),
    shipping: money(),
    total: money(),
    items: "[]",
    shipments: "[]",
    placedAt: instant(random(5)),
    version: 1 + random(3),
    createdAt: instant(random(5)),
    updatedAt: instant(random(5))
  }))
  if (!Arr.isArrayNonEmpty(rows)) return
  yield* sql`INSERT INTO orders ${sql.insert(rows)}`.pipe(asPlatform(customer.orgId))
})

/** As the contract orders: text by code point, ties by id, all of it reversed for `desc`. */
const byField = (field: Sort, direction: "asc" | "desc") => {
  const valueOf = (order: Order): string | number => {
    const value = order[field]
    if (value instanceof Date) return value.getTime()
    return typeof value === "object" ? (value as { readonly amount: number }).amount : (value as string | number)
  }
  const compare = (a: string | number, b: string | number) =>
    typeof a === "string" ? Buffer.compare(Buffer.from(a), Buffer.from(b as string)) : a - (b as number)
  return (a: Order, b: Order) =>
    (compare(valueOf(a), valueOf(b)) || compare(a.id, b.id)) * (direction === "asc" ? 1 : -1)
}

const server = inject("server")

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A list walked by cursor", () => {
    for (const [index, field] of sorts.entries()) {
      it.effect(`by ${field} shows every row that was there exactly once, while others come in between`, () =>
        Effect.gen(function* () {
          const random = randomFrom(4711 + index)
          for (const st of directions) {
            const ada = yield* makeCustomer(yield* makeOrg("acme"), "ada")
            const before = Array.from({ length: 24 }, (_, n) => `o${(n * 7) % 24}`)
            yield* insertOrders(ada, random, before)
            const expected = (yield* list(ada, { s: field, st, ps: 200 })).data

            const walked: Array<Order> = []
            let cursor: string | null = null
            let added = 0
            do {
              const ps = 1 + random(6)
              const query: OrdersQuery = cursor === null ? { s: field, st, ps } : { cursor, ps }
              const fresh = Array.from({ length: random(4) }, () => `o${random(24)}.${added++}`)
              const [page] = yield* Effect.all([list(ada, query), insertOrders(ada, random, fresh)], {
                concurrency: "unbounded"
              })
              assert.isAtMost(page.data.length, ps)
              assert.strictEqual(page.hasNext, page.nextCursor !== null)
              walked.push(...page.data)
              cursor = page.nextCursor
            } while (cursor !== null && walked.length < 500)

            const ids = walked.map(({ id }) => id as string)
            assert.strictEqual(new Set(ids).size, ids.length)
            assert.sameMembers(
              ids.filter((id) => !id.includes(".")),
              before
            )
            assert.deepStrictEqual(
              ids,
              walked.toSorted(byField(field, st)).map(({ id }) => id as string)
            )
            assert.deepStrictEqual(expected, expected.toSorted(byField(field, st)))
          }
        })
      )
    }

    it.effect.runIf(server !== undefined)("goes on whatever time zone the database server is set to", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        for (let n = 0; n < 3; n++) yield* placeOrder(ada)
        const sql = yield* SqlClient.SqlClient
        const [{ name }] = (yield* sql`SELECT current_database() AS name`) as unknown as [{ name: string }]
        yield* sql`ALTER DATABASE ${sql(name)} SET timezone = 'Asia/Kolkata'`
        yield* sql`ALTER DATABASE ${sql(name)} SET datestyle = 'German'`

        const pools = { customer: 1, platform: 1, owner: 1 }
        const database = Postgres.layerFrom(Postgres.server(Redacted.make(TestServer.at(server!.url, name))), pools)
        const walk = Effect.gen(function* () {
          const first = yield* list(ada, { ps: 2 })
          return [...first.data, ...(yield* list(ada, { cursor: first.nextCursor! })).data]
        }).pipe(Effect.provide(Orders.layer.pipe(Layer.provide(database))))

        assert.deepStrictEqual(yield* walk, (yield* list(ada, {})).data)
      })
    )
  })

  describe("A page of a list", () => {
    const fiveOrders = Effect.gen(function* () {
      const { ada } = yield* people
      const orders = []
      for (let n = 0; n < 5; n++) orders.unshift(yield* placeOrder(ada))
      return { ada, orders }
    })

    it.effect("says how many there are, how many pages, and whether more follow", () =>
      Effect.gen(function* () {
        const { ada, orders } = yield* fiveOrders

        const pages = yield* Effect.forEach([1, 2, 3, 4, 1_000_000], (p) => list(ada, { p, ps: 2 }))

        assert.deepStrictEqual(
          pages.map(({ nextCursor: _, ...page }) => page),
          [
            { data: orders.slice(0, 2), total: 5, totalPages: 3, page: 1, pageSize: 2, hasNext: true },
            { data: orders.slice(2, 4), total: 5, totalPages: 3, page: 2, pageSize: 2, hasNext: true },
            { data: orders.slice(4), total: 5, totalPages: 3, page: 3, pageSize: 2, hasNext: false },
            { data: [], total: 5, totalPages: 3, page: 4, pageSize: 2, hasNext: false },
            { data: [], total: 5, totalPages: 3, page: 1_000_000, pageSize: 2, hasNext: false }
          ]
        )
        assert.deepStrictEqual(
          pages.map(({ nextCursor }) => nextCursor !== null),
          [true, true, false, false, false]
        )
      })
    )

    it.effect("has no page number under a cursor, and no totals when they are not counted", () =>
      Effect.gen(function* () {
        const { ada, orders } = yield* fiveOrders
        const { nextCursor } = yield* list(ada, { ps: 2, count: false })

        const counted = yield* list(ada, { cursor: nextCursor!, ps: 3, p: 7 })
        const uncounted = yield* list(ada, { cursor: nextCursor!, ps: 3, count: false })

        const rest = { data: orders.slice(2), pageSize: 3, hasNext: false, nextCursor: null }
        assert.deepStrictEqual(counted, { ...rest, total: 5, totalPages: 2 })
        assert.deepStrictEqual(uncounted, rest)
      })
    )

    it.effect("counts what the filters let through, under a cursor as well", () =>
      Effect.gen(function* () {
        const { ada } = yield* fiveOrders
        for (let n = 0; n < 3; n++) yield* placeOrder(ada, { status: "shipped" })

        const first = yield* list(ada, { status: ["shipped"], ps: 2 })
        const second = yield* list(ada, { status: ["shipped"], ps: 2, cursor: first.nextCursor! })

        assert.deepStrictEqual([first.total, first.totalPages, first.data.length], [3, 2, 2])
        assert.deepStrictEqual([second.total, second.totalPages, second.data.length], [3, 2, 1])
      })
    )

    it.effect("is full at exactly its size, with nothing after it", () =>
      Effect.gen(function* () {
        const { ada } = yield* fiveOrders

        const page = yield* list(ada, { ps: 5 })

        assert.deepStrictEqual([page.data.length, page.hasNext, page.nextCursor, page.totalPages], [5, false, null, 1])
      })
    )
  })

  describe("A cursor", () => {
    const code = (position: unknown) => Buffer.from(JSON.stringify(position)).toString("base64url")

    it.effect("belongs to its sort and direction: another one is refused", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        for (let n = 0; n < 2; n++) yield* placeOrder(ada)
        const { nextCursor: cursor } = yield* list(ada, { s: "total", st: "asc", ps: 1 })

        const same = yield* list(ada, { cursor: cursor!, s: "total", st: "asc" })
        const refused = [
          yield* Effect.flip(list(ada, { cursor: cursor!, s: "number" })),
          yield* Effect.flip(list(ada, { cursor: cursor!, st: "desc" }))
        ]

        assert.strictEqual(same.data.length, 1)
        for (const error of refused) {
          assert.deepStrictEqual([error.code, error.errors[0]!.pointer], ["invalid_request", "/query/cursor"])
        }
      })
    )

    for (const [guard, set] of TestServices.guards) {
      it.effect(`of another customer shows no more than one's own, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { ada, eve } = yield* people
          const mine = yield* placeOrder(eve)
          for (let n = 0; n < 3; n++) yield* placeOrder(ada)
          const { nextCursor } = yield* list(ada, { ps: 1 })

          const page = yield* list(eve, { cursor: nextCursor! })

          assert.deepStrictEqual(page.data, [mine])
        })
      )
    }

    it.effect("that was forged is refused as an invalid request, whatever it says", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* placeOrder(ada)
        const id = "order-1"
        const forged = [
          ["placedAt", "desc", "2026-99-99 99:99:99+00", id],
          ["placedAt", "desc", "2026-02-30 00:00:00+00", id],
          ["placedAt", "desc", "2026-01-01 25:00:00+00", id],
          ["placedAt", "desc", "infinity", id],
          ["placedAt", "desc", "now", id],
          ["placedAt", "desc", "", id],
          ["placedAt", "desc", "99999999999999999999", id],
          ["placedAt", "desc", "2026-01-01 00:00:00+00\u0000", id],
          ["total", "asc", "99999999999999999999", id],
          ["total", "asc", "1e5", id],
          ["total", "asc", "NaN", id],
          ["total", "asc", "1; DROP TABLE orders", id],
          ["number", "asc", "\u0000", id],
          ["number", "asc", "x".repeat(1200), id],
          ["number", "asc", "x", "\u0000"],
          ["number", "asc", "x", 1],
          ["number", "sideways", "x", id],
          ["customer_id", "asc", "x", id],
          ["__proto__", "asc", "x", id],
          ["constructor", "asc", "x", id],
          ["total, (SELECT 1)", "asc", "1", id],
          ["number", "asc", "x"],
          ["number", "asc", "x", id, "more"],
          [],
          {},
          null,
          "number",
          { 0: "number", 1: "asc", 2: "x", 3: id, length: 4 }
        ].map(code)
        const broken = ["A", "AA", "____", "bm90IGpzb24", Buffer.from([0xff, 0xfe]).toString("base64url")]

        for (const cursor of [...forged, ...broken]) {
          const error = yield* Effect.flip(list(ada, { cursor }))

          assert.strictEqual(error.code, "invalid_request", Buffer.from(cursor, "base64url").toString())
        }
      })
    )

    it.effect("with any one character changed is an invalid request or another place in one's own list", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const own = new Set<string>()
        for (let n = 0; n < 3; n++) own.add((yield* placeOrder(ada, { number: `No. "${n}"` })).id)
        const random = randomFrom(99)
        for (const s of ["placedAt", "total", "number"] as const) {
          const { nextCursor } = yield* list(ada, { s, ps: 1 })

          for (let at = 0; at < nextCursor!.length; at++) {
            const other = "ABCDabcd0123wxyz-_"[random(18)]!
            const cursor = nextCursor!.slice(0, at) + other + nextCursor!.slice(at + 1)
            const exit = yield* Effect.exit(list(ada, { cursor }))

            if (Exit.isSuccess(exit)) {
              for (const { id } of exit.value.data) assert.isTrue(own.has(id))
            } else {
              const error = yield* Effect.flip(exit)
              assert.strictEqual(error.code, "invalid_request")
            }
          }
        }
      })
    )
  })
})

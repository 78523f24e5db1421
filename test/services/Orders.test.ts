import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { CustomerId } from "../../src/domain/Ids.ts"
import { OrderId, type OrdersQuery } from "../../src/domain/Order.ts"
import type { OrderPush } from "../../src/domain/OrderPush.ts"
import { Orders } from "../../src/services/Orders.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import {
  anOrder,
  as,
  asPlatform,
  type Customer,
  erase,
  fingerprint,
  makeCustomer,
  makeOrg,
  people,
  placeOrder
} from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const usd = (amount: number) => ({ amount, currency: "USD" })
const get = (customer: Customer, idOrNumber: string) =>
  Orders.use((orders) => orders.get(idOrNumber)).pipe(as(customer))
const list = (customer: Customer, query: OrdersQuery = {}) =>
  Orders.use((orders) => orders.list(query)).pipe(as(customer))
const idsOf = (customer: Customer, query: OrdersQuery = {}) =>
  Effect.map(list(customer, query), ({ data }) => data.map(({ id }) => id))

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A customer's orders", () => {
    it.effect("are listed newest first, with every field", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const first = yield* placeOrder(ada)
        const second = yield* placeOrder(ada)

        const page = yield* list(ada)

        assert.deepStrictEqual(page, {
          data: [second, first],
          total: 2,
          hasNext: false,
          page: 1,
          pageSize: 50,
          totalPages: 1,
          nextCursor: null
        })
      })
    )

    for (const [guard, set] of TestServices.guards) {
      it.effect(`are an empty list for a customer without any, though others have some, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { ada, eve, namesake } = yield* people
          yield* placeOrder(ada)

          for (const stranger of [eve, namesake]) {
            const page = yield* list(stranger)

            assert.deepStrictEqual([page.data, page.total, page.totalPages], [[], 0, 0])
          }
        })
      )
    }

    it.effect("are found by id and by number", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const order = yield* placeOrder(ada, { number: "1001" })

        assert.deepStrictEqual(yield* get(ada, order.id), order)
        assert.deepStrictEqual(yield* get(ada, "1001"), order)
      })
    )

    it.effect("are found by id before number, and of two with one number the later", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const byId = yield* placeOrder(ada, { number: "twice" })
        const later = yield* placeOrder(ada, { number: "twice" })
        yield* placeOrder(ada, { number: byId.id })

        assert.deepStrictEqual(yield* get(ada, byId.id), byId)
        assert.deepStrictEqual(yield* get(ada, "twice"), later)
      })
    )

    for (const [guard, set] of TestServices.guards) {
      it.effect(`do not exist for a stranger, by id or by number, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { ada, eve, mallory, namesake } = yield* people
          const order = yield* placeOrder(ada)
          const missing = yield* Effect.flip(get(ada, "never-placed"))

          for (const stranger of [eve, mallory, namesake]) {
            for (const reference of [order.id, order.number]) {
              assert.deepStrictEqual(yield* Effect.flip(get(stranger, reference)), missing)
            }
          }
          assert.deepStrictEqual([missing.code, missing.status], ["order_not_found", 404])
        })
      )
    }

    for (const [guard, set] of TestServices.guards) {
      it.effect(`of one id in two orgs are two orders, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { push } = yield* Orders
          const { acme, ada, namesake, other } = yield* people
          const id = OrderId.make("same")

          const ours = yield* push(id, anOrder(ada, { total: usd(1) })).pipe(asPlatform(acme))
          const theirs = yield* push(id, anOrder(namesake, { total: usd(2) })).pipe(asPlatform(other))

          assert.deepStrictEqual(yield* get(ada, "same"), ours)
          assert.deepStrictEqual(yield* get(namesake, "same"), theirs)
        })
      )
    }

    for (const [guard, set] of TestServices.guards) {
      it.effect(`are filtered by one status or several, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { ada, eve } = yield* people
          const paid = yield* placeOrder(ada, { status: "paid" })
          const shipped = yield* placeOrder(ada, { status: "shipped" })
          yield* placeOrder(ada, { status: "cancelled" })
          yield* placeOrder(eve, { status: "paid" })

          const one = yield* list(ada, { status: ["paid"] })

          assert.deepStrictEqual([one.data, one.total], [[paid], 1])
          assert.deepStrictEqual(yield* idsOf(ada, { status: ["paid", "shipped"] }), [shipped.id, paid.id])
          assert.deepStrictEqual(yield* idsOf(ada, { status: ["failed"] }), [])
        })
      )
    }
  })

  describe("Orders between two days", () => {
    const placedAt = (iso: string): Partial<OrderPush> => ({ placedAt: new Date(iso), number: iso })
    const placed = Effect.fnUntraced(function* (timezone: string | null, ...instants: ReadonlyArray<string>) {
      const ada = yield* makeCustomer(yield* makeOrg("acme"), "ada", { timezone })
      for (const instant of instants) yield* placeOrder(ada, placedAt(instant))
      return (query: OrdersQuery) =>
        Effect.map(list(ada, { ...query, st: "asc" }), ({ data }) => data.map(({ number }) => number))
    })

    it.effect("include both days, as the customer's zone counts them", () =>
      Effect.gen(function* () {
        const inTokyo = ["2026-03-09T14:59:59.999Z", "2026-03-09T15:00:00.000Z", "2026-03-10T14:59:59.999Z"]
        const numbers = yield* placed("Asia/Tokyo", ...inTokyo, "2026-03-10T15:00:00.000Z")

        const tenth = yield* numbers({ from: "2026-03-10", to: "2026-03-10" })
        const upToNinth = yield* numbers({ to: "2026-03-09" })
        const fromEleventh = yield* numbers({ from: "2026-03-11" })

        assert.deepStrictEqual(tenth, inTokyo.slice(1))
        assert.deepStrictEqual(upToNinth, inTokyo.slice(0, 1))
        assert.deepStrictEqual(fromEleventh, ["2026-03-10T15:00:00.000Z"])
      })
    )

    it.effect("count the 23 hours of the day on which clocks go forward", () =>
      Effect.gen(function* () {
        const day = ["2026-03-29T00:00:00.000+01:00", "2026-03-29T23:59:59.999+02:00"]
        const around = ["2026-03-28T23:59:59.999+01:00", "2026-03-30T00:00:00.000+02:00"]
        const numbers = yield* placed("Europe/Berlin", ...day, ...around)

        assert.deepStrictEqual(yield* numbers({ from: "2026-03-29", to: "2026-03-29" }), day)
      })
    )

    it.effect("count the 25 hours of the day on which clocks go back", () =>
      Effect.gen(function* () {
        const day = ["2026-10-25T00:00:00.000+02:00", "2026-10-25T02:30:00.000+01:00", "2026-10-25T23:59:59.999+01:00"]
        const around = ["2026-10-24T23:59:59.999+02:00", "2026-10-26T00:00:00.000+01:00"]
        const numbers = yield* placed("Europe/Berlin", ...day, ...around)

        assert.deepStrictEqual(yield* numbers({ from: "2026-10-25", to: "2026-10-25" }), day)
      })
    )

    it.effect("begin at one o'clock where clocks go forward at midnight", () =>
      Effect.gen(function* () {
        // Beirut, 2024: 30 March ended at 24:00 and 31 March began at 1:00.
        const day = ["2024-03-31T01:00:00.000+03:00", "2024-03-31T23:59:59.999+03:00"]
        const numbers = yield* placed("Asia/Beirut", "2024-03-30T23:59:59.999+02:00", ...day)

        assert.deepStrictEqual(yield* numbers({ from: "2024-03-31", to: "2024-03-31" }), day)
      })
    )

    it.effect("are days in UTC for a customer without a zone", () =>
      Effect.gen(function* () {
        const day = ["2026-03-10T00:00:00.000Z", "2026-03-10T23:59:59.999Z"]
        const numbers = yield* placed(null, "2026-03-09T23:59:59.999Z", ...day, "2026-03-11T00:00:00.000Z")

        assert.deepStrictEqual(yield* numbers({ from: "2026-03-10", to: "2026-03-10" }), day)
      })
    )

    it.effect("may be bounded by instants, both included", () =>
      Effect.gen(function* () {
        const instants = ["2026-03-10T10:00:00.000Z", "2026-03-10T11:00:00.000Z", "2026-03-10T12:00:00.000Z"]
        const numbers = yield* placed("Asia/Tokyo", ...instants)

        assert.deepStrictEqual(yield* numbers({ from: "2026-03-10T11:00Z" }), instants.slice(1))
        assert.deepStrictEqual(yield* numbers({ to: "2026-03-10T12:00:00+01:00" }), instants.slice(0, 2))
        assert.deepStrictEqual(yield* numbers({ from: instants[1]!, to: instants[1]! }), [instants[1]])
        assert.deepStrictEqual(yield* numbers({ from: "2026-03-11", to: "2026-03-09" }), [])
      })
    )

    it.effect("may reach to the ends of the calendar", () =>
      Effect.gen(function* () {
        const instant = "2026-03-10T10:00:00.000Z"
        for (const zone of ["Pacific/Kiritimati", "Pacific/Pago_Pago", null]) {
          const numbers = yield* placed(zone, instant)

          assert.deepStrictEqual(yield* numbers({ from: "1000-01-01", to: "9999-12-31" }), [instant])
          assert.deepStrictEqual(yield* numbers({ to: "9999-12-31T23:59:59.999-14:59" }), [instant])
          assert.deepStrictEqual(yield* numbers({ from: "1000-01-01T00:00:00+14:59" }), [instant])
        }
      })
    )
  })

  describe("An order that the platform pushes", () => {
    it.effect("has the subtotal, currency, item totals and empty fields that the push leaves out", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const order = yield* placeOrder(ada, {
          total: usd(1150),
          tax: usd(200),
          shipping: usd(50),
          discount: usd(100),
          items: [{ name: "Loom", quantity: 3, unitPrice: usd(300) }],
          shippingAddress: { city: "London" },
          shipments: [{ carrier: "Post" }]
        })

        assert.deepInclude(order, { currency: "USD", subtotal: usd(1000), billingAddress: null, version: 1 })
        assert.deepStrictEqual(order.items, [
          {
            id: "1",
            productId: null,
            sku: null,
            name: "Loom",
            image: null,
            quantity: 3,
            unitPrice: usd(300),
            total: usd(900)
          }
        ])
        assert.deepInclude(order.shippingAddress, { city: "London", street1: null, country: null })
        assert.deepInclude(order.shipments[0], { carrier: "Post", trackingUrl: null, deliveredAt: null })
      })
    )

    it.effect("keeps its version and dates when it comes again unchanged", () =>
      Effect.gen(function* () {
        const { push } = yield* Orders
        const { acme, ada } = yield* people
        const id = OrderId.make("again")
        const { placedAt: _, ...order } = anOrder(ada, { items: [{ name: "Loom", quantity: 1, unitPrice: usd(5) }] })

        const first = yield* push(id, order).pipe(asPlatform(acme))
        const again = yield* push(id, order).pipe(asPlatform(acme))

        assert.deepStrictEqual(again, first)
        assert.strictEqual(first.version, 1)
      })
    )

    it.effect("is replaced as a whole by the next push of it, with a new version", () =>
      Effect.gen(function* () {
        const { push } = yield* Orders
        const { acme, ada } = yield* people
        const id = OrderId.make("replaced")
        const items = [{ name: "Loom", quantity: 1, unitPrice: usd(5) }]
        yield* push(id, anOrder(ada, { items, shippingAddress: { city: "London" }, tax: usd(7) })).pipe(
          asPlatform(acme)
        )

        const next = yield* push(id, anOrder(ada, { status: "refunded", total: usd(3) })).pipe(asPlatform(acme))

        assert.deepInclude(next, { status: "refunded", items: [], shippingAddress: null, version: 2 })
        assert.deepStrictEqual([next.tax, next.subtotal, next.total], [usd(0), usd(3), usd(3)])
        assert.deepStrictEqual(yield* get(ada, id), next)
      })
    )

    it.effect("is one order when 20 pushes of it arrive at once", () =>
      Effect.gen(function* () {
        const { push } = yield* Orders
        const { acme, ada } = yield* people
        const order = anOrder(ada)
        const once = push(OrderId.make("at-once"), order).pipe(asPlatform(acme))

        const answers = yield* Effect.all(Array(20).fill(once) as Array<typeof once>, { concurrency: "unbounded" })

        for (const answer of answers) assert.deepStrictEqual(answer, answers[0])
        assert.deepStrictEqual((yield* list(ada)).total, 1)
      })
    )

    it.effect("moves to another customer: the first no longer sees it", () =>
      Effect.gen(function* () {
        const { push } = yield* Orders
        const { acme, ada, eve } = yield* people
        const order = yield* placeOrder(ada)

        const moved = yield* push(order.id, anOrder(eve)).pipe(asPlatform(acme))

        assert.strictEqual((yield* Effect.flip(get(ada, order.id))).code, "order_not_found")
        assert.deepStrictEqual(yield* get(eve, order.id), moved)
        assert.deepStrictEqual([(yield* list(ada)).total, (yield* list(eve)).total], [0, 1])
      })
    )

    for (const [guard, set] of TestServices.guards) {
      it.effect(
        `needs a customer of the org: an unknown, foreign or erased one is not found, and nothing changes, by ${guard}`,
        () =>
          Effect.gen(function* () {
            yield* set
            const { push } = yield* Orders
            const { acme, ada, eve, mallory } = yield* people
            const order = yield* placeOrder(ada)
            yield* erase(eve)
            const before = yield* fingerprint
            const nobody = { ...ada, customerId: CustomerId.make("nobody") }

            for (const customer of [nobody, mallory, eve]) {
              for (const id of [OrderId.make("fresh"), order.id]) {
                const error = yield* Effect.flip(push(id, anOrder(customer)).pipe(asPlatform(acme)))

                assert.deepStrictEqual([error.code, error.status], ["customer_not_found", 404])
              }
            }
            assert.deepStrictEqual(yield* fingerprint, before)
          })
      )
    }

    for (const [guard, set] of TestServices.guards) {
      it.effect(`does not reach an order of the same id in another org, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { push } = yield* Orders
          const { acme, ada, mallory } = yield* people
          const theirs = yield* placeOrder(mallory)

          yield* push(theirs.id, anOrder(ada)).pipe(asPlatform(acme))

          assert.deepStrictEqual(yield* get(mallory, theirs.id), theirs)
        })
      )
    }

    it.effect("may come in any order with the customer's own changes", () =>
      Effect.gen(function* () {
        const { push } = yield* Orders
        const { change } = yield* Profiles
        const { acme, ada } = yield* people
        const writes = Array.from({ length: 20 }, (_, n) =>
          n % 2 === 0
            ? push(OrderId.make(`o-${n}`), anOrder(ada)).pipe(asPlatform(acme), Effect.asVoid)
            : change({ about: `About ${n}` }).pipe(as(ada), Effect.asVoid)
        )

        yield* Effect.all(writes, { concurrency: "unbounded" })

        assert.strictEqual((yield* list(ada)).total, 10)
      })
    )
  })
})

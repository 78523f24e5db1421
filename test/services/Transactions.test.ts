import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { CustomerId } from "../../src/domain/Ids.ts"
import { TransactionId, type TransactionPush, type TransactionsQuery } from "../../src/domain/Transaction.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { Transactions } from "../../src/services/Transactions.ts"
import { as, asPlatform, type Customer, erase, nextNumber, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const usd = (amount: number) => ({ amount, currency: "USD" })
const push = (customer: Customer, more: Partial<TransactionPush> = {}, id = `txn-${nextNumber()}`) =>
  Transactions.use((transactions) =>
    transactions.push(TransactionId.make(id), {
      customerId: customer.customerId,
      type: "payment",
      status: "paid",
      amount: usd(100),
      method: { type: "card", label: "Visa 4242" },
      gateway: "stripe",
      ...more
    })
  ).pipe(asPlatform(customer.orgId))
const idsOf = (customer: Customer, query: TransactionsQuery = {}) =>
  Transactions.use((transactions) => transactions.list(query)).pipe(
    as(customer),
    Effect.map(({ data }) => data.map(({ id }) => String(id)))
  )

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A customer's transactions", () => {
    it.effect("are listed newest first, and are nobody else's", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory, namesake } = yield* people
        yield* push(ada, { createdAt: new Date("2026-01-01T00:00:00Z") }, "old")
        yield* push(ada, { createdAt: new Date("2026-01-02T00:00:00Z") }, "new")

        const seen = yield* Effect.forEach([ada, eve, mallory, namesake], (customer) => idsOf(customer))

        assert.deepStrictEqual(seen, [["new", "old"], [], [], []])
      })
    )

    it.effect("are filtered by status, and by gateway or method alike", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* push(ada, {}, "card")
        yield* push(ada, { method: { type: "paypal" }, gateway: "braintree", status: "pending" }, "paypal")
        yield* push(ada, { type: "refund", amount: usd(-10), status: "refunded" }, "back")

        const found = yield* Effect.forEach(
          [
            { status: ["pending", "refunded"] },
            { paymentMethod: "braintree" },
            { paymentMethod: "card", s: "id", st: "asc" },
            { paymentMethod: "card", status: ["paid"] },
            { paymentMethod: "cash" }
          ] satisfies Array<TransactionsQuery>,
          (query) => Effect.map(idsOf(ada, query), (ids) => ids.toSorted())
        )

        assert.deepStrictEqual(found, [["back", "paypal"], ["paypal"], ["back", "card"], ["card"], []])
      })
    )

    it.effect("are filtered by days of the customer's own zone, also when the clocks change", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* Profiles.use((profiles) => profiles.change({ timezone: "Europe/Berlin" })).pipe(as(ada))
        // 25 October 2026 has 25 hours in Berlin: from 22:00 UTC the day before to 23:00 UTC.
        for (const at of [
          "2026-10-24T21:59:59.999Z",
          "2026-10-24T22:00:00.000Z",
          "2026-10-25T22:59:59.999Z",
          "2026-10-25T23:00:00.000Z"
        ]) {
          yield* push(ada, { createdAt: new Date(at) }, at)
        }

        const day = yield* idsOf(ada, { from: "2026-10-25", to: "2026-10-25", st: "asc" })
        const instants = yield* idsOf(ada, {
          from: "2026-10-25T22:59:59.999Z",
          to: "2026-10-25T23:00:00.000Z",
          st: "asc"
        })

        assert.deepStrictEqual(day, ["2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z"])
        assert.deepStrictEqual(instants, ["2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00.000Z"])
      })
    )

    for (const s of ["createdAt", "id", "type", "status", "amount"] as const) {
      it.effect(`by ${s} are walked by cursor, each once, while others come in between`, () =>
        Effect.gen(function* () {
          const { ada } = yield* people
          const some = (from: number) =>
            Effect.forEach(Array.from({ length: 12 }), (_, n) =>
              push(
                ada,
                {
                  type: n % 2 === 0 ? "payment" : "adjustment",
                  status: n % 3 === 0 ? "paid" : "pending",
                  amount: usd(1 + (n % 4)),
                  createdAt: new Date(Date.UTC(2026, 0, 1 + (n % 5)))
                },
                `${s}-${(n * 5) % 12}-${from}`
              )
            )
          for (const st of ["asc", "desc"] as const) {
            const before = yield* Effect.map(some(st === "asc" ? 1 : 2), (pushed) => pushed.map(({ id }) => String(id)))
            const all = yield* idsOf(ada, { s, st })
            const walked: Array<string> = []
            let cursor: string | null | undefined
            while (cursor !== null) {
              const query = { s, st, ps: 5, ...(cursor === undefined ? {} : { cursor }) }
              const page = yield* Transactions.use((transactions) => transactions.list(query)).pipe(as(ada))
              walked.push(...page.data.map(({ id }) => String(id)))
              cursor = page.nextCursor
              yield* push(ada, { createdAt: new Date(Date.UTC(2026, 0, 3)) }, `${s}-${walked.length}-${st}`)
            }

            assert.includeMembers(walked, before)
            assert.strictEqual(new Set(walked).size, walked.length)
            assert.deepStrictEqual(
              walked.filter((id) => all.includes(id)),
              all
            )
          }
        })
      )
    }

    it.effect("come up to date by a second push, and stay where they are in time", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const first = yield* push(ada, { status: "pending" }, "one")

        const second = yield* push(ada, { status: "paid" }, "one")

        assert.deepStrictEqual(second, { ...first, status: "paid" })
        assert.deepStrictEqual(yield* idsOf(ada), ["one"])
      })
    )

    it.effect("are not taken for a customer who does not exist, is erased or is of another org", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory } = yield* people
        yield* erase(eve)

        const refused = yield* Effect.forEach(["nobody", eve.customerId, mallory.customerId], (id) =>
          Effect.flip(push(ada, { customerId: CustomerId.make(id) }))
        )

        assert.deepStrictEqual(
          refused.map(({ _tag }) => _tag),
          ["CustomerNotFound", "CustomerNotFound", "CustomerNotFound"]
        )
      })
    )
  })
})

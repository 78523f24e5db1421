import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { CustomerId } from "../../src/domain/Ids.ts"
import type { WalletEntryPush } from "../../src/domain/Wallet.ts"
import { PlatformSql } from "../../src/services/Database.ts"
import { Wallet } from "../../src/services/Wallet.ts"
import { as, asPlatform, type Customer, erase, nextNumber, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const usd = (amount: number) => ({ amount, currency: "USD" })
const push = (customer: Customer, amount: number, more: Partial<WalletEntryPush> = {}) =>
  Wallet.use((wallet) =>
    wallet.push({ customerId: customer.customerId, amount: usd(amount), reference: `ref-${nextNumber()}`, ...more })
  ).pipe(asPlatform(customer.orgId))
const balanceOf = (customer: Customer) => Wallet.use((wallet) => wallet.balance).pipe(as(customer))
const sumOf = (customer: Customer) =>
  PlatformSql.use(
    (sql) => sql<{ readonly sum: number }>`
      SELECT coalesce(sum(amount), 0)::int AS sum FROM wallet_entries
      WHERE org_id = ${customer.orgId} AND customer_id = ${customer.customerId}`
  ).pipe(
    asPlatform(customer.orgId),
    Effect.map(([row]) => row!.sum)
  )

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A wallet", () => {
    it.effect("adds up its entries, is empty before the first, and is nobody else's", () =>
      Effect.gen(function* () {
        const { ada, eve, namesake } = yield* people
        assert.isNull(yield* balanceOf(ada))

        yield* push(ada, 500)
        const { added, entry } = yield* push(ada, -200, { description: "Order 7", reference: "order-7" })
        yield* push(eve, 100, { reference: "order-7" })

        assert.deepStrictEqual(
          [added, entry.amount, entry.balance, entry.description],
          [true, usd(-200), usd(300), "Order 7"]
        )
        assert.deepStrictEqual(yield* Effect.forEach([ada, eve, namesake], balanceOf), [usd(300), usd(100), null])
      })
    )

    it.effect("counts a reference once, under a hundred parallel pushes and with whatever amount it comes again", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people

        const all = yield* Effect.all(
          Array.from({ length: 100 }, () => push(ada, 70, { reference: "gift" })),
          { concurrency: "unbounded" }
        )
        const later = yield* push(ada, 9999, { reference: "gift" })
        yield* push(eve, 5, { reference: "gift" })

        assert.strictEqual(all.filter(({ added }) => added).length, 1)
        assert.deepStrictEqual([later.added, later.entry], [false, all[0]!.entry])
        assert.deepStrictEqual([yield* balanceOf(ada), yield* balanceOf(eve)], [usd(70), usd(5)])
      })
    )

    it.effect("is never overdrawn, however many take from it at once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* push(ada, 100)

        const all = yield* Effect.all(
          Array.from({ length: 50 }, () => Effect.exit(push(ada, -30))),
          { concurrency: "unbounded" }
        )

        assert.strictEqual(all.filter(Exit.isSuccess).length, 3)
        assert.deepStrictEqual([yield* balanceOf(ada), yield* sumOf(ada)], [usd(10), 10])
      })
    )

    it.effect("equals the sum of its entries after any history of parallel pushes", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        const random = (
          (seed: number) => () =>
            (seed = (seed * 48271) % 2147483647)
        )(20261123)

        yield* Effect.forEach(
          Array.from({ length: 200 }, () => [(random() % 2000) - 900, random() % 120, random() % 2] as const),
          ([amount, reference, who]) =>
            Effect.ignore(push(who === 0 ? ada : eve, amount, { reference: `history-${reference}` })),
          { concurrency: 20 }
        )

        for (const customer of [ada, eve]) {
          assert.strictEqual((yield* balanceOf(customer))?.amount ?? 0, yield* sumOf(customer))
        }
      })
    )

    it.effect("refuses to be overdrawn or mixed, and such an entry leaves no trace", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* push(ada, 10)

        const overdrawn = yield* Effect.flip(push(ada, -11, { reference: "again" }))
        const mixed = yield* Effect.flip(push(ada, 1, { amount: { amount: 1, currency: "EUR" } }))
        const retried = yield* push(ada, -10, { reference: "again" })

        assert.deepStrictEqual([overdrawn._tag, mixed._tag], ["InsufficientFunds", "WalletCurrencyMismatch"])
        assert.deepStrictEqual([retried.added, yield* balanceOf(ada)], [true, usd(0)])
      })
    )

    it.effect("holds no more than can be told exactly, and what is too much leaves no trace", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* push(ada, Number.MAX_SAFE_INTEGER)

        const tooMuch = yield* Effect.flip(push(ada, 1, { reference: "again" }))
        yield* push(ada, -1)
        const retried = yield* push(ada, 1, { reference: "again" })

        assert.strictEqual(tooMuch._tag, "InvalidRequest")
        assert.deepStrictEqual([retried.added, yield* balanceOf(ada)], [true, usd(Number.MAX_SAFE_INTEGER)])
      })
    )

    it.effect("is not opened for a customer who does not exist, is erased or is of another org", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory } = yield* people
        yield* erase(eve)

        const refused = yield* Effect.forEach(["nobody", eve.customerId, mallory.customerId], (id) =>
          Effect.flip(push(ada, 5, { customerId: CustomerId.make(id) }))
        )

        assert.deepStrictEqual(
          refused.map(({ _tag }) => _tag),
          ["CustomerNotFound", "CustomerNotFound", "CustomerNotFound"]
        )
      })
    )

    it.effect("has entries that not even the platform can change or delete", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* push(ada, 10)

        const tried = yield* PlatformSql.use((sql) =>
          Effect.all([
            Effect.exit(sql`UPDATE wallet_entries SET amount = 99 WHERE org_id = ${ada.orgId}`),
            Effect.exit(sql`DELETE FROM wallet_entries WHERE org_id = ${ada.orgId}`)
          ])
        ).pipe(asPlatform(ada.orgId))

        assert.deepStrictEqual(tried.map(Exit.isFailure), [true, true])
        assert.strictEqual(yield* sumOf(ada), 10)
      })
    )
  })
})

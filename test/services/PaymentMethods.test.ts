import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as CardVaultLocal from "../../src/layers/CardVaultLocal.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { PaymentMethods } from "../../src/services/PaymentMethods.ts"
import { PaymentSettlement } from "../../src/services/PaymentSettlement.ts"
import {
  add,
  addPayPal,
  atLocalStripe,
  idsOf,
  openChecks,
  paymentsAt,
  remove,
  setDefault,
  shown
} from "../support/Payments.ts"
import { as, type Customer, people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestServices from "../support/TestServices.ts"

const parallel = { concurrency: "unbounded" } as const
const brands = ["visa", "mastercard", "amex", "discover", "jcb"]

/** Five cards, the first of them the default. */
const fiveCards = Effect.forEach(brands, (brand) => Effect.map(add(`pm_card_${brand}`), ({ method }) => method.id))

/** Makes a card good for so many months more. */
const expire = ({ customerId, orgId }: Customer, id: string, months: number) =>
  CustomerSql.use(
    (sql) => sql`
      UPDATE payment_methods SET
        exp_year = extract(year FROM now() AT TIME ZONE 'UTC' + make_interval(months => ${months}::int)),
        exp_month = extract(month FROM now() AT TIME ZONE 'UTC' + make_interval(months => ${months}::int))
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
  )

const tagOf = <E extends { readonly _tag: string }, R>(effect: Effect.Effect<unknown, E, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("Payment methods", () => {
    it.effect("are listed default first, then newest, and to nobody else", () =>
      Effect.gen(function* () {
        const { ada, eve, namesake } = yield* people

        yield* Effect.gen(function* () {
          yield* add("pm_card_visa")
          yield* add("pm_card_amex")
          yield* addPayPal
          assert.deepStrictEqual(yield* shown, ["visa*", "ada@paypal.example", "amex"])
        }).pipe(as(ada))

        for (const other of [eve, namesake]) assert.deepStrictEqual(yield* shown.pipe(as(other)), [])
      })
    )

    it.effect("begin with the default one, and have another when that is asked for", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const first = yield* add("pm_card_visa", false)
          const second = yield* add("pm_card_amex")
          const third = yield* add("pm_card_jcb", true)
          const preferred = yield* setDefault(second.method.id)

          assert.deepStrictEqual(
            [first, second, third].map(({ added, method }) => [added, method.isDefault]),
            [
              [true, true],
              [true, false],
              [true, true]
            ]
          )
          assert.isTrue(preferred.isDefault)
          assert.deepStrictEqual(yield* shown, ["amex*", "jcb", "visa"])
          assert.deepInclude(yield* atLocalStripe, { id: second.method.id, isDefault: true })
        }).pipe(as(ada))
      })
    )

    it.effect("are one and the same when they are added again, by whichever id", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const { method } = yield* add("pm_card_visa")
          yield* add("pm_card_amex", true)

          const [byTestId, byId] = [yield* add("pm_card_visa"), yield* add(method.id)]
          const preferred = yield* add(method.id, true)

          assert.deepStrictEqual(
            [byTestId, byId].map(({ added, method }) => [added, method.id]),
            [
              [false, method.id],
              [false, method.id]
            ]
          )
          assert.deepStrictEqual(preferred, { added: false, method })
          assert.deepStrictEqual(yield* shown, ["visa*", "amex"])
        }).pipe(as(ada))
      })
    )

    it.effect("leave no trace when they are refused", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        const { method } = yield* add("pm_card_visa").pipe(as(eve))

        const refusals = yield* Effect.forEach(["pm_card_chargeDeclined", "pm_never", method.id], (id) =>
          tagOf(add(id).pipe(as(ada)))
        )

        assert.deepStrictEqual(refusals, ["CardDeclined", "PaymentMethodNotFound", "PaymentMethodInUse"])
        assert.deepStrictEqual(yield* shown.pipe(as(ada)), [])
        assert.strictEqual(yield* openChecks(ada), 0)
      })
    )

    it.effect("hand the default on to the newest of the rest", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const [visa, mastercard, amex, discover, jcb] = yield* fiveCards
          yield* remove(discover!)
          yield* remove(visa!)
          const afterDefault = yield* shown
          for (const id of [jcb!, amex!, mastercard!]) yield* remove(id)

          assert.deepStrictEqual(afterDefault, ["jcb*", "amex", "mastercard"])
          assert.deepStrictEqual([yield* shown, yield* atLocalStripe], [[], []])
          assert.strictEqual(yield* tagOf(remove(visa!)), "PaymentMethodNotFound")
        }).pipe(as(ada))
      })
    )

    it.effect("are active, expiring in the current month and the next, and expired after that", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const ids = yield* fiveCards
          yield* Effect.forEach([-12, -1, 0, 1, 2], (months, index) => expire(ada, ids[index]!, months))
          yield* addPayPal

          const { data } = yield* PaymentMethods.use((methods) => methods.list({ s: "createdAt", st: "asc" }))

          const statuses = ["expired", "expired", "expiring", "expiring", "active", "active"]
          assert.deepStrictEqual(
            data.map(({ status }) => status),
            statuses as never
          )
        }).pipe(as(ada))
      })
    )

    it.effect("come in pages, in each order", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          yield* fiveCards
          const methods = yield* PaymentMethods
          const first = yield* methods.list({ ps: 2 })
          const second = yield* methods.list({ ps: 2, cursor: first.nextCursor! })
          const last = yield* methods.list({ ps: 2, p: 3 })

          const all = [first, second, last].flatMap(({ data }) => data.map(({ brand }) => brand))
          assert.deepStrictEqual(all, ["visa", "jcb", "discover", "amex", "mastercard"])
          assert.deepStrictEqual([first.total, last.hasNext], [5, false])
        }).pipe(as(ada))
      })
    )
  })

  describe("PayPal", () => {
    it.effect("is added with an approval, once, and for its own customer only", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        const methods = yield* PaymentMethods

        const { added, method, setupToken } = yield* addPayPal.pipe(as(ada))
        const again = yield* methods.add({ type: "paypal", setupToken }).pipe(as(ada))
        const taken = yield* tagOf(methods.add({ type: "paypal", setupToken }).pipe(as(eve)))
        const unknown = yield* tagOf(methods.add({ type: "paypal", setupToken: "unknown" }).pipe(as(eve)))

        assert.deepInclude(method, { type: "paypal", email: "ada@paypal.example", brand: null, isDefault: true })
        assert.deepStrictEqual([added, again], [true, { added: false, method }])
        // eve had no vault at PayPal, and an approval for ada's does not become hers.
        assert.deepStrictEqual([taken, unknown], ["PaymentMethodInUse", "PaymentMethodNotFound"])
        assert.deepStrictEqual(yield* shown.pipe(as(eve)), [])
      })
    )

    it.effect("can be the default, and then Stripe charges no card by default", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const visa = yield* add("pm_card_visa")
          const payPal = yield* addPayPal
          yield* setDefault(payPal.method.id)
          const cleared = yield* atLocalStripe
          yield* remove(payPal.method.id)

          assert.deepStrictEqual(cleared, [{ id: visa.method.id, isDefault: false }])
          assert.deepStrictEqual(yield* atLocalStripe, [{ id: visa.method.id, isDefault: true }])
        }).pipe(as(ada))
      })
    )

    it.effect("has one vault for a customer, however many approvals begin at once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const added = yield* Effect.all(
          Array.from({ length: 10 }, () => addPayPal),
          parallel
        ).pipe(as(ada))

        assert.strictEqual(new Set(added.map(({ method }) => method.id)).size, 10)
        assert.strictEqual(added.filter(({ added }) => added).length, 10)
      })
    )
  })

  describe("A stranger", () => {
    const settled = PaymentSettlement.use(({ settle }) => settle("stripe", [])).pipe(
      Effect.provide(paymentsAt(CardVaultLocal.layer))
    )
    for (const policies of ["with row security", "by the statements alone"]) {
      it.effect(`neither sees, prefers nor removes somebody else's, ${policies}`, () =>
        Effect.gen(function* () {
          const { ada, eve, namesake } = yield* people
          const { method } = yield* add("pm_card_visa").pipe(as(ada))
          yield* Effect.forEach([eve, namesake], (other) => add("pm_card_amex").pipe(as(other)))
          if (policies !== "with row security") yield* TestDatabase.withoutPolicies

          for (const stranger of [eve, namesake]) {
            const attempts = [remove(method.id), setDefault(method.id)].map((attempt) =>
              tagOf(attempt.pipe(as(stranger)))
            )
            assert.deepStrictEqual(yield* Effect.all(attempts), ["PaymentMethodNotFound", "PaymentMethodNotFound"])
            assert.strictEqual(yield* tagOf(add(method.id).pipe(as(stranger))), "PaymentMethodInUse")
            assert.deepStrictEqual(yield* shown.pipe(as(stranger)), ["amex*"])
            const second = yield* add("pm_card_mastercard").pipe(as(stranger))
            yield* setDefault(second.method.id).pipe(as(stranger))
            yield* settled.pipe(as(stranger))
            assert.deepStrictEqual(yield* shown.pipe(as(stranger)), ["mastercard*", "amex"])
          }
          assert.deepStrictEqual(yield* shown.pipe(as(ada)), ["visa*"])
          assert.deepStrictEqual(yield* atLocalStripe.pipe(as(ada)), [{ id: method.id, isDefault: true }])
        })
      )
    }
  })

  describe("At once", () => {
    it.effect("fifty first calls make one customer at Stripe, and one default", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const added = yield* Effect.all(
            Array.from({ length: 50 }, (_, index) => add(`pm_card_${brands[index % 5]}`)),
            parallel
          )

          assert.strictEqual(added.filter(({ added }) => added).length, 5)
          assert.strictEqual((yield* idsOf).length, 5)
          yield* agree
        }).pipe(as(ada))
      })
    )

    /** A flip that Stripe refuses compares us with Stripe, and may be the first to take out what is detached there. */
    const removeUnlessGone = (id: string) => Effect.catchTag(remove(id), "PaymentMethodNotFound", () => Effect.void)

    it.effect("fifty flips of the default, removals and additions leave exactly one, the same at Stripe", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const ids = yield* fiveCards
          yield* Effect.all(
            [
              ...Array.from({ length: 50 }, (_, index) => Effect.ignore(setDefault(ids[index % 5]!))),
              removeUnlessGone(ids[0]!),
              removeUnlessGone(ids[3]!),
              add("pm_card_visa_debit", true),
              add("pm_card_diners", true)
            ],
            parallel
          )

          assert.strictEqual((yield* idsOf).length, 5)
          yield* agree
        }).pipe(as(ada))
      })
    )

    it.effect("removals of the same one succeed once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.gen(function* () {
          const [visa] = yield* fiveCards
          const exits = yield* Effect.all(
            Array.from({ length: 8 }, () => Effect.exit(remove(visa!))),
            parallel
          )

          assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
          yield* agree
        }).pipe(as(ada))
      })
    )

    /** One default if there is any, and Stripe knows the same cards and the same default. */
    const agree = Effect.gen(function* () {
      const { data } = yield* PaymentMethods.use((methods) => methods.list({}))
      const ours = data.filter(({ type }) => type === "card").map(({ id, isDefault }) => ({ id, isDefault }))
      assert.strictEqual(data.filter(({ isDefault }) => isDefault).length, 1)
      assert.sameDeepMembers([...(yield* atLocalStripe)], ours)
    })
  })

  describe("The database", () => {
    it.effect("lets there be neither two defaults nor none", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* fiveCards.pipe(as(ada))
        const sql = yield* CustomerSql
        const mine = sql`WHERE org_id = ${ada.orgId} AND customer_id = ${ada.customerId}`

        const exits = yield* Effect.forEach(
          [
            sql`UPDATE payment_methods SET is_default = true ${mine}`,
            sql`UPDATE payment_methods SET is_default = false ${mine}`,
            sql`DELETE FROM payment_methods ${mine} AND is_default`,
            sql`UPDATE payment_methods SET last4 = '4242424242424242' ${mine}`
          ],
          (statement) => Effect.exit(statement.pipe(as(ada)))
        )

        assert.isTrue(exits.every(Exit.isFailure))
        assert.deepStrictEqual(yield* shown.pipe(as(ada)), ["visa*", "jcb", "discover", "amex", "mastercard"])
      })
    )
  })

  describe("Attempts", () => {
    it.effect("are limited to sixty an hour, of which only those count that a provider is asked about", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people

        yield* Effect.gen(function* () {
          const { method } = yield* add("pm_card_visa")
          for (let count = 0; count < 59; count++) yield* Effect.flip(add("pm_card_chargeDeclined"))

          const over = yield* Effect.flip(add("pm_card_amex"))

          assert.strictEqual(over._tag, "RateLimited")
          assert.isFalse((yield* add(method.id)).added)
        }).pipe(as(ada))
        assert.isTrue((yield* add("pm_card_visa").pipe(as(eve))).added)
      })
    )
  })
})

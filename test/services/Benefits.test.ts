import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { BenefitId, type BenefitsQuery } from "../../src/domain/Benefit.ts"
import { EnrollmentStatus } from "../../src/domain/Enrollment.ts"
import type { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import { ProductId } from "../../src/domain/Product.ts"
import { Benefits } from "../../src/services/Benefits.ts"
import { Enrollments } from "../../src/services/Enrollments.ts"
import { Pricing } from "../../src/services/Pricing.ts"
import { aBenefit, push } from "../support/Benefits.ts"
import { as, asPlatform, type Customer, erase, fingerprint, people } from "../support/People.ts"
import { SqlClient } from "effect/sql"
import { guards } from "../support/TestServices.ts"
import * as TestServices from "../support/TestServices.ts"
import { later } from "../support/Time.ts"

const list = (customer: Customer, query: BenefitsQuery = {}) =>
  Benefits.use((benefits) => benefits.list(query)).pipe(as(customer))
const find = (orgId: OrgId, id: string) =>
  Benefits.use((benefits) => benefits.find(BenefitId.make(id))).pipe(asPlatform(orgId))
const enroll = (customer: Customer, benefitId: string) =>
  Enrollments.use((enrollments) => enrollments.enroll({ benefitId })).pipe(as(customer))

const usd = (amount: number) => ({ amount, currency: "USD" })
const priceFor = (orgId: OrgId, customerId: CustomerId) =>
  Pricing.use(({ price }) =>
    price({
      customerId,
      items: [{ productId: ProductId.make("slide-rule"), quantity: 2, unitPrice: usd(5000) }],
      shipping: usd(900)
    })
  ).pipe(asPlatform(orgId))
/** Discount, shipping and total for the customer. */
const price = ({ customerId, orgId }: Customer) =>
  Effect.map(priceFor(orgId, customerId), ({ discount, shipping, total }) =>
    [discount, shipping, total].map(({ amount }) => amount)
  )
const undiscounted = [0, 900, 10_900]

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A programme", () => {
    it.effect("is made or replaced by its id, and counts a version only when something changes", () =>
      Effect.gen(function* () {
        const { acme } = yield* people

        const made = yield* push(acme, "student")
        const same = yield* push(acme, "student", { description: null, validity: null, active: true })
        const whole = yield* push(acme, "student", {
          title: "Half price",
          description: "For everybody.",
          requiresApproval: false,
          legalAgreement: "I agree.",
          perks: { discountType: "percentage", discount: 12.5 },
          validity: { duration: 6, unit: "months" },
          active: false
        })
        const bare = yield* push(acme, "student")

        const { createdAt, updatedAt, ...rest } = made
        assert.deepStrictEqual(rest, {
          ...aBenefit,
          id: BenefitId.make("student"),
          description: null,
          legalAgreement: null,
          agreementVersion: null,
          validity: null,
          active: true,
          perks: { discountType: "percentage", discount: 10, freeShipping: false },
          version: 1
        })
        assert.deepStrictEqual([updatedAt, same], [createdAt, made])
        assert.deepStrictEqual(whole, {
          ...made,
          title: "Half price",
          description: "For everybody.",
          requiresApproval: false,
          legalAgreement: "I agree.",
          agreementVersion: 1,
          perks: { discountType: "percentage", discount: 12.5, freeShipping: false },
          validity: { duration: 6, unit: "months" },
          active: false,
          version: 2,
          updatedAt: whole.updatedAt
        })
        assert.deepStrictEqual(bare, { ...made, version: 3, updatedAt: bare.updatedAt })
        assert.deepStrictEqual(yield* find(acme, "student"), bare)
      })
    )

    it.effect("counts the texts of its agreement, and no text twice in a row", () =>
      Effect.gen(function* () {
        const { acme } = yield* people
        const versions = []
        for (const text of ["One.", "One.", "Two.", null, "Two.", "One."]) {
          const { agreementVersion, legalAgreement } = yield* push(acme, "student", { legalAgreement: text })
          versions.push([agreementVersion, legalAgreement])
        }

        assert.deepStrictEqual(versions, [
          [1, "One."],
          [1, "One."],
          [2, "Two."],
          [null, null],
          [2, "Two."],
          [3, "One."]
        ])
      })
    )

    it.effect("pushed many times at once has every text under a number of its own", () =>
      Effect.gen(function* () {
        const { acme } = yield* people

        const pushed = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => `Text ${n}.`),
          (legalAgreement) => push(acme, "student", { legalAgreement }),
          { concurrency: "unbounded" }
        )

        assert.deepStrictEqual(
          pushed.map(({ agreementVersion }) => agreementVersion!).sort((a, b) => a - b),
          Array.from({ length: 20 }, (_, n) => n + 1)
        )
        assert.strictEqual(new Set(pushed.map(({ legalAgreement }) => legalAgreement)).size, 20)
        const last = pushed.find(({ agreementVersion }) => agreementVersion === 20)
        assert.deepStrictEqual(yield* find(acme, "student"), last)
      })
    )

    it.effect("is in the list while it is active, which sorts and whose cursors walk all of it", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        for (const [id, title] of [
          ["a", "Third"],
          ["b", "First"],
          ["c", "Second"]
        ] as const) {
          yield* push(acme, id, { title, name: `Name of ${id}` })
          yield* Effect.sleep("3 millis")
        }
        yield* push(acme, "d", { active: false })

        const sorted = yield* Effect.forEach(["createdAt", "id", "name", "title"] as const, (s) =>
          Effect.map(list(ada, { s, st: "asc" }), ({ data }) => data.map(({ id }) => id).join())
        )
        const first = yield* list(ada, { ps: 2 })
        const second = yield* list(ada, { ps: 2, cursor: first.nextCursor! })

        assert.deepStrictEqual(sorted, ["a,b,c", "a,b,c", "a,b,c", "b,c,a"])
        assert.deepStrictEqual(
          [...first.data, ...second.data].map(({ id }) => id),
          ["c", "b", "a"].map((id) => BenefitId.make(id))
        )
        assert.deepStrictEqual([first.total, second.hasNext, "active" in first.data[0]!], [3, false, false])
      })
    )
  })

  describe("A price", () => {
    it.effect("is another one for as long as the customer's enrollment is active, and for no other status", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        const sql = yield* SqlClient.SqlClient
        yield* push(acme, "student")
        yield* enroll(ada, "student")

        for (const status of EnrollmentStatus.literals) {
          yield* sql`UPDATE enrollments SET status = ${status} WHERE org_id = ${acme}`
          assert.deepStrictEqual(yield* price(ada), status === "active" ? [1000, 900, 9900] : undiscounted, status)
          assert.deepStrictEqual(yield* price(eve), undiscounted)
        }
      })
    )

    it.effect("is as before from the instant at which the enrollment is over, swept or not", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "student", { requiresApproval: false, validity: { duration: 1, unit: "days" } })
        yield* enroll(ada, "student")

        assert.deepStrictEqual(yield* price(ada).pipe(later("23 hours")), [1000, 900, 9900])
        assert.deepStrictEqual(yield* price(ada).pipe(later("24 hours")), undiscounted)
      })
    )

    it.effect("follows the programme: its perks of today, and none once it is not active", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "student", { requiresApproval: false })
        yield* push(acme, "shipping", {
          requiresApproval: false,
          title: "Shipping",
          perks: { discountType: "fixed", discount: 0, freeShipping: true }
        })
        for (const id of ["student", "shipping"]) yield* enroll(ada, id)

        assert.deepStrictEqual(yield* price(ada), [1000, 0, 9000])
        yield* push(acme, "student", { perks: { discountType: "fixed", discount: 20_000 } })
        assert.deepStrictEqual(yield* price(ada), [10_000, 0, 0])
        yield* push(acme, "student", { active: false })
        assert.deepStrictEqual(yield* price(ada), [0, 0, 10_000])
        assert.deepStrictEqual((yield* priceFor(acme, ada.customerId)).applied, [
          { benefitId: BenefitId.make("shipping"), amount: usd(900), reason: "Shipping: free shipping" }
        ])
      })
    )

    for (const [guard, lift] of guards) {
      it.effect(`is for a customer of the org, and by benefits of the org, by ${guard}`, () =>
        Effect.gen(function* () {
          const { acme, ada, eve, mallory, namesake, other } = yield* people
          yield* push(acme, "student", { requiresApproval: false })
          yield* push(other, "student")
          yield* enroll(ada, "student")
          yield* erase(eve)
          const before = yield* fingerprint
          yield* lift

          const refused = yield* Effect.forEach(
            [mallory.customerId, eve.customerId, "nobody" as CustomerId],
            (customerId) => Effect.flip(priceFor(acme, customerId))
          )

          assert.deepStrictEqual([...new Set(refused.map(({ code }) => code))], ["customer_not_found"])
          assert.deepStrictEqual(yield* price(namesake), undiscounted)
          assert.deepStrictEqual(yield* price(ada), [1000, 900, 9900])
          assert.deepStrictEqual(yield* fingerprint, before)
        })
      )
    }
  })
})

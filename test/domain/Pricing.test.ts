import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { BenefitId, BenefitPush, expiryOf, type Perks } from "../../src/domain/Benefit.ts"
import { Basket, type LiveBenefit, price } from "../../src/domain/Pricing.ts"
import { ProductId } from "../../src/domain/Product.ts"
import { randomFrom } from "../support/Random.ts"

const usd = (amount: number) => ({ amount, currency: "USD" })
const item = (amount: number, quantity = 1) => ({
  productId: ProductId.make(`product-${amount}`),
  quantity,
  unitPrice: usd(amount)
})
const benefit = (id: string, perks: Partial<Perks>): LiveBenefit => ({
  id: BenefitId.make(id),
  title: id,
  perks: { discountType: "percentage", discount: 0, freeShipping: false, ...perks }
})
const percent = (discount: number, id = "percent") => benefit(id, { discount })
const fixed = (discount: number, id = "fixed") => benefit(id, { discountType: "fixed", discount })
const ships = benefit("ships", { freeShipping: true })

const basketOf = (amounts: ReadonlyArray<number>, shipping?: number) => ({
  items: amounts.map((amount) => item(amount)),
  ...(shipping === undefined ? {} : { shipping: usd(shipping) })
})
/** Subtotal, discount, shipping and total, and who gave what. */
const priced = (basket: Omit<Basket, "customerId">, ...benefits: ReadonlyArray<LiveBenefit>) => {
  const { applied, discount, shipping, subtotal, total } = price(basket, benefits)
  return [
    ...[subtotal, discount, shipping, total].map(({ amount }) => amount),
    ...applied.map(({ amount, benefitId }) => `${benefitId} ${amount.amount}`)
  ]
}

describe("A basket", () => {
  it("costs what it costs without a benefit", () => {
    assert.deepStrictEqual(priced({ items: [item(8900), item(1000, 4)], shipping: usd(900) }), [12900, 0, 900, 13800])
    assert.deepStrictEqual(priced(basketOf([0])), [0, 0, 0, 0])
  })

  it("is rounded once for all its items, half a minor unit up", () => {
    for (const [amounts, discount, expected] of [
      [[5], 10, 1],
      [[4], 10, 0],
      [[15], 10, 2],
      [[5, 5, 5], 10, 2],
      [[14], 10, 1],
      [[999], 12.5, 125],
      [[10000], 0.01, 1],
      [[4999], 0.01, 0],
      [[5000], 0.01, 1],
      [[1999], 33.33, 666],
      [[Number.MAX_SAFE_INTEGER], 50, 4503599627370496],
      [[Number.MAX_SAFE_INTEGER], 99.99, 9006298534815517]
    ] as const) {
      assert.strictEqual(priced(basketOf(amounts), percent(discount))[1], expected, `${discount}% of ${amounts.join()}`)
    }
  })

  it("costs nothing at a hundred percent, and all of it at none", () => {
    assert.deepStrictEqual(priced(basketOf([Number.MAX_SAFE_INTEGER - 5], 5), percent(100)), [
      Number.MAX_SAFE_INTEGER - 5,
      Number.MAX_SAFE_INTEGER - 5,
      5,
      5,
      `percent ${Number.MAX_SAFE_INTEGER - 5}`
    ])
    assert.deepStrictEqual(priced(basketOf([100], 5), percent(0), fixed(0)), [100, 0, 5, 105])
  })

  it("has no more taken off by a fixed discount than its items cost", () => {
    assert.deepStrictEqual(priced(basketOf([700], 50), fixed(1000)), [700, 700, 50, 50, "fixed 700"])
    assert.deepStrictEqual(priced(basketOf([700], 50), fixed(699)), [700, 699, 50, 51, "fixed 699"])
  })

  it("gets the best single discount, and free shipping besides", () => {
    assert.deepStrictEqual(priced(basketOf([10000], 500), percent(10), fixed(999), ships), [
      10000,
      1000,
      0,
      9000,
      "percent 1000",
      "ships 500"
    ])
    assert.deepStrictEqual(priced(basketOf([9000], 500), percent(10), fixed(999)), [9000, 999, 500, 8501, "fixed 999"])
    const both = benefit("zz", { discount: 20, freeShipping: true })
    assert.deepStrictEqual(priced(basketOf([100], 5), both, ships), [100, 20, 0, 80, "zz 20", "zz 5"])
    assert.deepStrictEqual(priced(basketOf([100]), ships), [100, 0, 0, 100])
    assert.deepStrictEqual(priced(basketOf([100], 0), ships), [100, 0, 0, 100])
  })

  it("never costs less than nothing or more than without, by the best of its discounts, in whatever order", () => {
    const random = randomFrom(20261124)
    const amount = () => [random(10), random(100_000), random(2 ** 31), 0][random(4)]!
    const shuffled = <A>(values: ReadonlyArray<A>) =>
      values
        .map((value) => [random(1_000_000), value] as const)
        .sort((a, b) => a[0] - b[0])
        .map(([, value]) => value)

    for (let n = 0; n < 5000; n++) {
      const items = Array.from({ length: 1 + random(6) }, () => item(amount(), 1 + random(1000)))
      const basket = { items, ...(random(3) === 0 ? {} : { shipping: usd(amount()) }) }
      const benefits = Array.from({ length: random(6) }, (_, at) =>
        benefit(`b-${at}`, {
          ...(random(2) === 0
            ? { discountType: "fixed", discount: amount() }
            : { discountType: "percentage", discount: [0, 100, random(101), random(10_001) / 100][random(4)]! }),
          freeShipping: random(3) === 0
        })
      )

      const whole = price(basket, [])
      const result = price(basket, benefits)
      const singles = benefits.map((single) => price(basket, [single]).discount.amount)
      const seen = JSON.stringify({ basket, benefits, result })

      assert.deepStrictEqual(price({ ...basket, items: shuffled(items) }, shuffled(benefits)), result, seen)
      assert.strictEqual(result.discount.amount, Math.max(0, ...singles), seen)
      for (const { amount } of [result.subtotal, result.discount, result.shipping, result.total]) {
        assert.isTrue(Number.isSafeInteger(amount) && amount >= 0, seen)
      }
      assert.isAtMost(result.total.amount, whole.total.amount, seen)
      assert.strictEqual(
        result.total.amount,
        result.subtotal.amount - result.discount.amount + result.shipping.amount,
        seen
      )
      const saved = result.applied.reduce((sum, { amount }) => sum + amount.amount, 0)
      assert.strictEqual(whole.total.amount - result.total.amount, saved, seen)
      const shipsFree = benefits.some(({ perks }) => perks.freeShipping)
      assert.strictEqual(result.shipping.amount, shipsFree ? 0 : whole.shipping.amount, seen)
    }
  })

  it("is of one currency, of amounts that are not negative and can be added up, and not empty", () => {
    const is = Schema.is(Basket)
    const good = { customerId: "ada", items: [item(100)], shipping: usd(5) }
    assert.isTrue(is(good))
    assert.isTrue(is({ customerId: "ada", items: [item(Number.MAX_SAFE_INTEGER)] }))
    for (const more of [
      { items: [] },
      { items: [item(100), { ...item(100), unitPrice: { amount: 1, currency: "EUR" } }] },
      { shipping: { amount: 0, currency: "EUR" } },
      { items: [item(-1)] },
      { items: [item(1.5)] },
      { items: [item(100, 0)] },
      { items: [item(100, -1)] },
      { items: [item(100, 1_000_001)] },
      { shipping: usd(-1) },
      { items: [item(Number.MAX_SAFE_INTEGER)], shipping: usd(1) },
      { items: [item(Number.MAX_SAFE_INTEGER), item(1)] },
      { items: [item(2 ** 40, 1_000_000)] },
      { items: Array.from({ length: 1001 }, () => item(1)) }
    ]) {
      assert.isFalse(is({ ...good, ...more }), JSON.stringify(more).slice(0, 200))
    }
  })
})

describe("A programme's perks", () => {
  it("are a percentage of two decimals at most, or an integer of minor units", () => {
    const is = Schema.is(BenefitPush)
    const taken = (discountType: string, discount: number) =>
      is({ name: "x", title: "x", requiresApproval: false, perks: { discountType, discount, freeShipping: false } })

    for (let hundredths = 0; hundredths <= 10_000; hundredths++) assert.isTrue(taken("percentage", hundredths / 100))
    for (const discount of [-1, -0.01, 100.01, 101, 0.001, 12.345, Number.NaN, Infinity, 1e-9]) {
      assert.isFalse(taken("percentage", discount), `${discount}%`)
    }
    for (const discount of [0, 1, Number.MAX_SAFE_INTEGER]) assert.isTrue(taken("fixed", discount))
    for (const discount of [-1, 0.5, 2 ** 53, Infinity]) assert.isFalse(taken("fixed", discount), `${discount}`)
  })
})

describe("The end of an enrollment", () => {
  for (const [what, duration, unit, zone, from, end] of [
    [
      "a month after 31 January is the last day of February",
      1,
      "months",
      "UTC",
      "2027-01-31T10:00",
      "2027-02-28T10:00"
    ],
    ["which in a leap year is the 29th", 1, "months", null, "2028-01-31T10:00", "2028-02-29T10:00"],
    ["a year after 29 February is 28 February", 1, "years", "UTC", "2028-02-29T10:00", "2029-02-28T10:00"],
    ["four years after it is 29 February", 4, "years", "UTC", "2028-02-29T10:00", "2032-02-29T10:00"],
    ["a day is 23 hours where clocks go forward", 1, "days", "Europe/Berlin", "2027-03-27T12:00", "2027-03-28T11:00"],
    ["and 25 where they go back", 1, "days", "Europe/Berlin", "2027-10-30T12:00", "2027-10-31T13:00"],
    ["or half an hour more", 1, "days", "Australia/Lord_Howe", "2027-04-03T00:00", "2027-04-04T00:30"],
    ["a time that clocks skip is the one after", 1, "days", "America/New_York", "2027-03-13T07:30", "2027-03-14T07:30"],
    ["months are those of the zone, not of UTC", 1, "months", "Asia/Tokyo", "2027-01-30T15:30", "2027-02-27T15:30"],
    ["thirty days are thirty days", 30, "days", "UTC", "2027-02-01T00:00", "2027-03-03T00:00"]
  ] as const) {
    it(`${what}`, () => {
      const at = expiryOf({ duration, unit }, new Date(`${from}:00.000Z`), zone)
      assert.strictEqual(at?.toISOString(), `${end}:00.000Z`)
    })
  }
})

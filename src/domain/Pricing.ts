import { Schema } from "effect"
import { BenefitId, hundredthsOf, type Perks } from "./Benefit.ts"
import { CustomerId } from "./Ids.ts"
import { Money } from "./Money.ts"
import { OrderItem } from "./Order.ts"
import { ProductId } from "./Product.ts"

const Price = Money.check(
  Schema.makeFilter(({ amount }) => amount >= 0 || { path: ["amount"], issue: "Expected no negative amount" })
)

const sum = (items: ReadonlyArray<{ readonly quantity: number; readonly unitPrice: Money }>): bigint =>
  items.reduce((total, { quantity, unitPrice }) => total + BigInt(quantity) * BigInt(unitPrice.amount), 0n)

/** What somebody is about to buy, as the platform prices it. */
export const Basket = Schema.Struct({
  customerId: CustomerId,
  items: Schema.Array(
    Schema.Struct({ productId: ProductId, quantity: OrderItem.fields.quantity, unitPrice: Price })
  ).check(Schema.isMinLength(1), Schema.isMaxLength(1000)),
  shipping: Schema.optionalKey(Price)
})
  .annotate({
    examples: [
      {
        customerId: CustomerId.make("ada"),
        items: [{ productId: ProductId.make("slide-rule"), quantity: 1, unitPrice: { amount: 8900, currency: "USD" } }],
        shipping: { amount: 900, currency: "USD" }
      }
    ]
  })
  .check(
    Schema.makeFilter(
      ({ items, shipping }) =>
        new Set(
          [...items.map(({ unitPrice }) => unitPrice), ...(shipping ? [shipping] : [])].map(({ currency }) => currency)
        ).size === 1 || "Expected every amount of a basket in one currency"
    ),
    Schema.makeFilter(
      ({ items, shipping }) =>
        sum(items) + BigInt(shipping?.amount ?? 0) <= Number.MAX_SAFE_INTEGER ||
        "Expected amounts that can be added up without rounding"
    )
  )
  // After the check, which a name from before would not cover.
  .annotate({ identifier: "Basket" })
export type Basket = typeof Basket.Type

const AppliedBenefit = Schema.Struct({
  benefitId: BenefitId,
  amount: Money.annotateKey({ description: "How much less it costs for this" }),
  reason: Schema.String.annotate({ description: "A sentence fit for a receipt" })
}).annotate({ identifier: "AppliedBenefit" })

const usd = (amount: number) => ({ amount, currency: "USD" })

export const PricedBasket = Schema.Struct({
  subtotal: Money.annotateKey({ description: "The items, before any discount" }),
  discount: Money.annotateKey({ description: "On the items" }),
  shipping: Money.annotateKey({ description: "What is left to pay of it" }),
  total: Money.annotateKey({ description: "`subtotal` less `discount`, and `shipping`" }),
  applied: Schema.Array(AppliedBenefit)
}).annotate({
  identifier: "PricedBasket",
  examples: [
    {
      subtotal: usd(8900),
      discount: usd(890),
      shipping: usd(900),
      total: usd(8910),
      applied: [
        { benefitId: BenefitId.make("student"), amount: usd(890), reason: "Student discount: 10% off the items" }
      ]
    }
  ]
})
export type PricedBasket = typeof PricedBasket.Type

/** A programme that a customer is enrolled in. */
export interface LiveBenefit {
  readonly id: BenefitId
  readonly title: string
  readonly perks: Perks
}

/** Percent of the items together, half a minor unit up; what is fixed is never more than they cost. */
const discountOf = (subtotal: bigint, { discount, discountType }: Perks): bigint => {
  if (discountType === "percentage") return (subtotal * BigInt(hundredthsOf(discount) ?? 0) + 5000n) / 10_000n
  return subtotal < BigInt(discount) ? subtotal : BigInt(discount)
}

/** The best single discount on the items, the first by id of equals; free shipping besides, of the same one if it can be. */
export const price = (basket: Omit<Basket, "customerId">, benefits: ReadonlyArray<LiveBenefit>): PricedBasket => {
  const { currency } = basket.items[0]!.unitPrice
  const money = (amount: bigint) => ({ amount: Number(amount), currency })
  const subtotal = sum(basket.items)
  const asked = BigInt(basket.shipping?.amount ?? 0)

  const byId = [...benefits].sort((a, b) => (a.id < b.id ? -1 : 1))
  const [best] = byId
    .map((benefit) => ({ benefit, amount: discountOf(subtotal, benefit.perks) }))
    .filter(({ amount }) => amount > 0n)
    .sort((a, b) => (a.amount === b.amount ? 0 : a.amount > b.amount ? -1 : 1))
  const shipsFree = byId.filter(({ perks }) => perks.freeShipping && asked > 0n)
  const carrier = shipsFree.find((benefit) => benefit === best?.benefit) ?? shipsFree[0]

  const discount = best?.amount ?? 0n
  const shipping = carrier === undefined ? asked : 0n
  const applied = []
  if (best !== undefined) {
    const { id, perks, title } = best.benefit
    const off =
      perks.discountType === "percentage" ? `${perks.discount}% off the items` : "a fixed amount off the items"
    applied.push({ benefitId: id, amount: money(discount), reason: `${title}: ${off}` })
  }
  if (carrier !== undefined) {
    applied.push({ benefitId: carrier.id, amount: money(asked), reason: `${carrier.title}: free shipping` })
  }
  return {
    subtotal: money(subtotal),
    discount: money(discount),
    shipping: money(shipping),
    total: money(subtotal - discount + shipping),
    applied
  }
}

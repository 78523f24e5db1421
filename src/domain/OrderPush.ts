import { Schema, Struct } from "effect"
import { CustomerId, PlatformId } from "./Ids.ts"
import { Currency, Money } from "./Money.ts"
import { Line, OrderAddress, OrderItem, OrderStatus, Shipment } from "./Order.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"
import { Url } from "./Url.ts"

const partial = <F extends Schema.Struct.Fields>(struct: Schema.Struct<F>) =>
  struct.mapFields(Struct.map(Schema.optionalKey))

type Amount = { readonly amount: number }

/** What a push that leaves the subtotal out says it is. */
export const subtotalOf = (order: {
  readonly subtotal?: Amount
  readonly discount?: Amount
  readonly tax?: Amount
  readonly shipping?: Amount
  readonly total: Amount
}): number =>
  order.subtotal?.amount ??
  order.total.amount - (order.tax?.amount ?? 0) - (order.shipping?.amount ?? 0) + (order.discount?.amount ?? 0)

/** What a push that leaves an item's total out says it is. */
export const itemTotalOf = (item: {
  readonly quantity: number
  readonly unitPrice: Amount
  readonly total?: Amount
}): number => item.total?.amount ?? item.unitPrice.amount * item.quantity

/** An order as the platform pushes it; the platform's id is in the path. What is left out is empty or nothing. */
export const OrderPush = Schema.Struct({
  customerId: CustomerId,
  number: Text(1, 100),
  status: OrderStatus,
  currency: Schema.optionalKey(Currency),
  subtotal: Schema.optionalKey(Money),
  discount: Schema.optionalKey(Money),
  tax: Schema.optionalKey(Money),
  shipping: Schema.optionalKey(Money),
  total: Money,
  items: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        id: Schema.optionalKey(PlatformId),
        productId: Schema.optionalKey(Schema.NullOr(PlatformId)),
        sku: Schema.optionalKey(Schema.NullOr(Line)),
        name: Text(1, 500),
        image: Schema.optionalKey(Schema.NullOr(Url)),
        quantity: OrderItem.fields.quantity,
        unitPrice: Money,
        total: Schema.optionalKey(Money)
      })
    ).check(Schema.isMaxLength(1000))
  ),
  shippingAddress: Schema.optionalKey(Schema.NullOr(partial(OrderAddress))),
  billingAddress: Schema.optionalKey(Schema.NullOr(partial(OrderAddress))),
  shipments: Schema.optionalKey(Schema.Array(partial(Shipment)).check(Schema.isMaxLength(100))),
  placedAt: Schema.optionalKey(Timestamp)
})
  .annotate({
    examples: [
      { customerId: "ada" as CustomerId, number: "1001", status: "paid", total: { amount: 4999, currency: "USD" } }
    ]
  })
  .check(
    Schema.makeFilter((order) => {
      const currency = order.currency ?? order.total.currency
      const others = [order.subtotal, order.discount, order.tax, order.shipping, order.total]
        .concat(...(order.items ?? []).map((item) => [item.unitPrice, item.total]))
        .filter((money) => money !== undefined && money.currency !== currency)
      return others.length === 0 || "Expected every amount of an order in the order's currency"
    }),
    Schema.makeFilter(
      (order) =>
        [subtotalOf(order), ...(order.items ?? []).map(itemTotalOf)].every(Number.isSafeInteger) ||
        "Expected amounts that can be added up without rounding"
    )
  )
  // After the check, which a name from before would not cover.
  .annotate({ identifier: "OrderPush" })
export type OrderPush = typeof OrderPush.Type

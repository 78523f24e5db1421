import { Schema } from "effect"
import { example } from "./Example.ts"
import { PlatformId } from "./Ids.ts"
import { DayOrInstant } from "./Moment.ts"
import { Currency, Money } from "./Money.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { NullableTimestamp, Timestamp } from "./Timestamp.ts"
import { Url } from "./Url.ts"

export const OrderId = PlatformId.pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

export const OrderStatus = Schema.Literals([
  "new",
  "awaiting-payment",
  "paid-partial",
  "paid",
  "confirmed",
  "processing",
  "on-hold",
  "shipped",
  "partially-shipped",
  "delivered",
  "partially-delivered",
  "completed",
  "failed",
  "returned",
  "refunded",
  "cancelled"
]).annotate({ identifier: "OrderStatus" })

export const Line = Text(0, 200)

const usd = (amount: number) => ({ amount, currency: "USD" })

export const OrderAddress = Schema.Struct({
  name: Schema.NullOr(Line),
  company: Schema.NullOr(Line),
  phone: Schema.NullOr(Line),
  street1: Schema.NullOr(Line),
  street2: Schema.NullOr(Line),
  city: Schema.NullOr(Line),
  state: Schema.NullOr(Line),
  zip: Schema.NullOr(Line),
  country: Schema.NullOr(
    Schema.String.check(Schema.isPattern(/^[A-Z]{2}$/u, { message: "Expected an ISO 3166-1 alpha-2 code" }))
  )
}).annotate({ identifier: "OrderAddress" })

export const OrderItem = Schema.Struct({
  id: PlatformId,
  productId: Schema.NullOr(PlatformId),
  sku: Schema.NullOr(Line),
  name: Text(1, 500),
  image: Schema.NullOr(Url),
  quantity: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })),
  unitPrice: Money,
  total: Money
}).annotate({ identifier: "OrderItem" })

export const Shipment = Schema.Struct({
  carrier: Schema.NullOr(Line),
  trackingNumber: Schema.NullOr(Line),
  trackingUrl: Schema.NullOr(Url),
  status: Schema.NullOr(Line),
  shippedAt: NullableTimestamp,
  deliveredAt: NullableTimestamp
}).annotate({ identifier: "Shipment" })

export const Order = Schema.Struct({
  id: OrderId,
  number: Schema.String,
  status: OrderStatus,
  currency: Currency,
  subtotal: Money,
  discount: Money,
  tax: Money,
  shipping: Money,
  total: Money,
  items: Schema.Array(OrderItem),
  shippingAddress: Schema.NullOr(OrderAddress),
  billingAddress: Schema.NullOr(OrderAddress),
  shipments: Schema.Array(Shipment),
  placedAt: Timestamp,
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}).annotate({
  identifier: "Order",
  examples: [
    example({
      id: OrderId.make("order-1001"),
      number: "1001",
      status: "shipped",
      currency: "USD",
      subtotal: usd(8900),
      discount: usd(890),
      tax: usd(641),
      shipping: usd(500),
      total: usd(9151),
      items: [
        {
          id: "1",
          productId: "slide-rule",
          sku: "SR-10",
          name: "Slide rule",
          image: "https://shop.example/slide-rule.jpg",
          quantity: 1,
          unitPrice: usd(8900),
          total: usd(8900)
        }
      ],
      shippingAddress: {
        name: "Ada Lovelace",
        company: null,
        phone: "+442079460123",
        street1: "12 St James's Square",
        street2: null,
        city: "London",
        state: null,
        zip: "SW1Y 4JH",
        country: "GB"
      },
      billingAddress: null,
      shipments: [
        {
          carrier: "DHL",
          trackingNumber: "00340434161094042557",
          trackingUrl: "https://www.dhl.com/track?id=00340434161094042557",
          status: "in transit",
          shippedAt: new Date("2026-11-03T08:00:00.000Z"),
          deliveredAt: null
        }
      ],
      placedAt: new Date("2026-11-02T17:31:00.000Z"),
      version: 3,
      createdAt: new Date("2026-11-02T17:31:02.118Z"),
      updatedAt: new Date("2026-11-03T08:00:04.530Z")
    })
  ]
})
export type Order = typeof Order.Type

/** Statuses of an order that is still under way: something is to be paid, sent or received. */
export const openStatuses: ReadonlyArray<typeof OrderStatus.Type> = [
  "new",
  "awaiting-payment",
  "paid-partial",
  "paid",
  "confirmed",
  "processing",
  "on-hold",
  "shipped",
  "partially-shipped",
  "partially-delivered"
]

/** Fields that a list of orders sorts by. */
export const orderSorts = {
  id: "text",
  number: "text",
  status: "text",
  currency: "text",
  subtotal: "integer",
  discount: "integer",
  tax: "integer",
  shipping: "integer",
  total: "integer",
  placedAt: "instant",
  version: "integer",
  createdAt: "instant",
  updatedAt: "instant"
} as const

export const OrdersQuery = Schema.Struct({
  ...listQuery(orderSorts, "placedAt"),
  status: Schema.optionalKey(Schema.Array(OrderStatus).check(Schema.isMaxLength(16))),
  from: Schema.optionalKey(DayOrInstant),
  to: Schema.optionalKey(DayOrInstant)
})
export type OrdersQuery = typeof OrdersQuery.Type

export const OrdersPage = pageOf("OrdersPage", Order)

/** Also the answer for an order of somebody else: a stranger must not learn that it exists. */
export class OrderNotFound extends Problem<OrderNotFound>()("OrderNotFound", {
  code: "order_not_found",
  status: 404,
  title: "Order not found",
  detail: "There is no such order."
}) {}

import { Effect, Schema } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerPush } from "../domain/Customer.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { type OrderId, OrderPush } from "../domain/Order.ts"
import type { ProductId } from "../domain/Product.ts"
import { type TransactionId, TransactionPush } from "../domain/Transaction.ts"
import { Addresses } from "../services/Addresses.ts"
import { MessageSending } from "../services/MessageSending.ts"
import { Orders } from "../services/Orders.ts"
import { Products } from "../services/Products.ts"
import { Orgs } from "../services/Orgs.ts"
import { Profiles } from "../services/Profiles.ts"
import { Tickets } from "../services/Tickets.ts"
import { Transactions } from "../services/Transactions.ts"
import { Wallet } from "../services/Wallet.ts"
import { Wishlist } from "../services/Wishlist.ts"

export const org = "demo" as OrgId

const customer = Schema.decodeUnknownSync(Schema.toCodecJson(CustomerPush))
const order = Schema.decodeUnknownSync(Schema.toCodecJson(OrderPush))

const transaction = Schema.decodeUnknownSync(Schema.toCodecJson(TransactionPush))

const ada = { orgId: org, customerId: "ada" as CustomerId }
const grace = { orgId: org, customerId: "grace" as CustomerId }

const usd = (amount: number) => ({ amount, currency: "USD" })

const customers = {
  ada: customer({
    email: "ada@example.com",
    emailVerified: true,
    name: "Ada Lovelace",
    phone: "+442079460958",
    phoneVerified: true,
    language: "en-GB",
    timezone: "Europe/London",
    about: "Collects mechanical calculators.",
    userId: "user-ada"
  }),
  grace: customer({
    email: "grace@example.com",
    emailVerified: true,
    name: "Grace Hopper",
    phone: "+12025550123",
    language: "en-US",
    timezone: "America/New_York"
  })
}

const address = (name: string, street1: string, city: string, zip: string, country: string) => ({
  name,
  street1,
  city,
  zip,
  country
})
const london = address("Ada Lovelace", "12 St James's Square", "London", "SW1Y 4LB", "GB")
const arlington = address("Grace Hopper", "2111 Wilson Boulevard", "Arlington", "22201", "US")

const mill = address("Ada Lovelace", "1 St Peter's Square", "Manchester", "M2 3DE", "GB")

const orders = {
  "ord-1001": {
    customerId: "ada",
    number: "1001",
    status: "delivered",
    subtotal: usd(12900),
    shipping: usd(900),
    tax: usd(2760),
    total: usd(16560),
    items: [
      { productId: "slide-rule", sku: "SR-10", name: "Slide rule, 25 cm", quantity: 1, unitPrice: usd(8900) },
      { productId: "graph-paper", sku: "GP-A4", name: "Graph paper, 100 sheets", quantity: 4, unitPrice: usd(1000) }
    ],
    shippingAddress: london,
    billingAddress: london,
    shipments: [
      {
        carrier: "Royal Mail",
        trackingNumber: "AB123456789GB",
        status: "delivered",
        shippedAt: "2026-09-03T08:00:00.000Z",
        deliveredAt: "2026-09-05T13:20:00.000Z"
      }
    ],
    placedAt: "2026-09-02T10:15:00.000Z"
  },
  "ord-1002": {
    customerId: "ada",
    number: "1002",
    status: "shipped",
    subtotal: usd(24900),
    discount: usd(2490),
    tax: usd(4482),
    total: usd(26892),
    items: [
      { productId: "comptometer", sku: "CM-8", name: "Comptometer, eight columns", quantity: 1, unitPrice: usd(24900) }
    ],
    shippingAddress: london,
    billingAddress: london,
    shipments: [
      { carrier: "DPD", trackingNumber: "15976888", status: "in transit", shippedAt: "2026-11-20T09:30:00.000Z" }
    ],
    placedAt: "2026-11-18T19:42:00.000Z"
  },
  "ord-1003": {
    customerId: "ada",
    number: "1003",
    status: "awaiting-payment",
    total: usd(4999),
    items: [
      { productId: "punch-cards", sku: "PC-500", name: "Punch cards, box of 500", quantity: 1, unitPrice: usd(4999) }
    ],
    shippingAddress: london,
    placedAt: "2026-11-22T07:05:00.000Z"
  },
  "ord-1004": {
    customerId: "grace",
    number: "1004",
    status: "processing",
    subtotal: usd(3200),
    shipping: usd(500),
    total: usd(3700),
    items: [{ productId: "wire-30cm", sku: "NS-1", name: "One nanosecond of wire", quantity: 16, unitPrice: usd(200) }],
    shippingAddress: arlington,
    billingAddress: arlington,
    placedAt: "2026-11-21T15:00:00.000Z"
  }
}

const products = {
  "slide-rule": { sku: "SR-10", name: "Slide rule, 25 cm", price: usd(8900), available: true },
  "graph-paper": { sku: "GP-A4", name: "Graph paper, 100 sheets", price: usd(1000), available: true },
  comptometer: { sku: "CM-8", name: "Comptometer, eight columns", price: usd(24900), available: true },
  "punch-cards": { sku: "PC-500", name: "Punch cards, box of 500", price: usd(4999), available: true },
  "wire-30cm": { sku: "NS-1", name: "One nanosecond of wire", price: usd(200), available: true },
  arithmometer: { sku: "AM-1820", name: "Arithmometer, 1820", price: usd(420000), available: false }
}

const transactions = {
  "txn-1": {
    customerId: "ada",
    type: "payment",
    status: "paid",
    amount: usd(16560),
    method: { type: "card", label: "Visa 4242" },
    gateway: "stripe",
    orderId: "ord-1001",
    reference: "ch_1001",
    createdAt: "2026-09-02T10:16:00.000Z"
  },
  "txn-2": {
    customerId: "ada",
    type: "refund",
    status: "refunded",
    amount: usd(-1000),
    method: { type: "card", label: "Visa 4242" },
    gateway: "stripe",
    orderId: "ord-1001",
    reference: "re_1001",
    description: "One pack of graph paper arrived wet",
    createdAt: "2026-09-09T08:00:00.000Z"
  },
  "txn-3": {
    customerId: "ada",
    type: "payment",
    status: "paid",
    amount: usd(26892),
    method: { type: "paypal", label: "ada@example.com" },
    gateway: "paypal",
    orderId: "ord-1002",
    createdAt: "2026-11-18T19:43:00.000Z"
  },
  "txn-4": {
    customerId: "grace",
    type: "payment",
    status: "pending",
    amount: usd(3700),
    method: { type: "card", label: "Mastercard 4444" },
    gateway: "stripe",
    orderId: "ord-1004",
    createdAt: "2026-11-21T15:01:00.000Z"
  }
}

/** What ada and the staff have said to each other. */
const correspondence = Effect.gen(function* () {
  const tickets = yield* Tickets
  const { push, send } = yield* MessageSending
  const asAda = Effect.provideService(CurrentCustomer, ada)
  const asStaff = Effect.provideService(CurrentPlatform, { orgId: org })

  const { number } = yield* asAda(
    tickets.open({
      title: "The cursor of my slide rule is loose",
      description: "The hairline moves by half a millimetre when I turn it over.",
      orderId: "ord-1001" as OrderId
    })
  )
  const reply = { text: "Could you send us a photograph of the two screws?", author: "Charles" }
  yield* asStaff(tickets.answer(number, { status: "pending", reply }))
  yield* asAda(
    tickets.open({
      title: "An invoice with the address of my workshop",
      description: "Please put Manchester on the invoice of order 1002.",
      priority: "low",
      orderId: "ord-1002" as OrderId
    })
  )
  const { message } = yield* asAda(send({ subject: "My comptometer", text: "When will it arrive?" }))
  const from = { kind: "staff", id: "charles", name: "Charles" } as const
  const text = "It left the workshop this morning, so most likely on Thursday."
  const { conversationId } = message
  yield* asStaff(push({ customerId: ada.customerId, conversationId, from, text }))
})

/** Fills the demo org once: what a visitor changes afterwards stays changed. */
export const seed = Effect.gen(function* () {
  const orgs = yield* Orgs
  const made = yield* orgs.create(org, "Demo")
  if (!made) return false
  const addresses = yield* Addresses
  const profiles = yield* Profiles
  const orders_ = yield* Orders
  const products_ = yield* Products
  const transactions_ = yield* Transactions
  const wallet = yield* Wallet
  const wishlist = yield* Wishlist
  yield* Effect.gen(function* () {
    for (const [id, pushed] of Object.entries(customers)) yield* profiles.push(id as CustomerId, pushed)
    for (const [id, pushed] of Object.entries(orders)) yield* orders_.push(id as OrderId, order(pushed))
    for (const [id, pushed] of Object.entries(products)) yield* products_.push(id as ProductId, pushed)
    for (const [id, pushed] of Object.entries(transactions)) {
      yield* transactions_.push(id as TransactionId, transaction(pushed))
    }
    yield* wallet.push({
      customerId: ada.customerId,
      amount: usd(5000),
      reference: "gift-card-77",
      description: "Gift card"
    })
    yield* wallet.push({
      customerId: ada.customerId,
      amount: usd(-1250),
      reference: "ord-1002",
      description: "Order 1002"
    })
  }).pipe(Effect.provideService(CurrentPlatform, { orgId: org }))
  yield* addresses.upsert({ ...london, mailing: true }).pipe(Effect.provideService(CurrentCustomer, ada))
  yield* addresses.upsert({ ...mill, type: "work" }).pipe(Effect.provideService(CurrentCustomer, ada))
  yield* addresses.upsert({ ...arlington, state: "VA" }).pipe(Effect.provideService(CurrentCustomer, grace))
  yield* wishlist.add("comptometer").pipe(Effect.provideService(CurrentCustomer, ada))
  yield* wishlist.add("arithmometer").pipe(Effect.provideService(CurrentCustomer, ada))
  yield* correspondence
  return true
}).pipe(Effect.orDie)

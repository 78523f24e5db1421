import { Schema } from "effect"
import { BenefitPush } from "../domain/Benefit.ts"
import { CustomerPush } from "../domain/Customer.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { OrderPush } from "../domain/OrderPush.ts"
import { TransactionPush } from "../domain/Transaction.ts"

export const org = "demo" as OrgId

const customer = Schema.decodeUnknownSync(Schema.toCodecJson(CustomerPush))
export const order = Schema.decodeUnknownSync(Schema.toCodecJson(OrderPush))

export const transaction = Schema.decodeUnknownSync(Schema.toCodecJson(TransactionPush))

export const ada = { orgId: org, customerId: "ada" as CustomerId }
export const grace = { orgId: org, customerId: "grace" as CustomerId }

export const usd = (amount: number) => ({ amount, currency: "USD" })

export const customers = {
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
export const london = address("Ada Lovelace", "12 St James's Square", "London", "SW1Y 4LB", "GB")
export const arlington = address("Grace Hopper", "2111 Wilson Boulevard", "Arlington", "22201", "US")

export const mill = address("Ada Lovelace", "1 St Peter's Square", "Manchester", "M2 3DE", "GB")

export const orders = {
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

export const products = {
  "slide-rule": { sku: "SR-10", name: "Slide rule, 25 cm", price: usd(8900), available: true },
  "graph-paper": { sku: "GP-A4", name: "Graph paper, 100 sheets", price: usd(1000), available: true },
  comptometer: { sku: "CM-8", name: "Comptometer, eight columns", price: usd(24900), available: true },
  "punch-cards": { sku: "PC-500", name: "Punch cards, box of 500", price: usd(4999), available: true },
  "wire-30cm": { sku: "NS-1", name: "One nanosecond of wire", price: usd(200), available: true },
  arithmometer: { sku: "AM-1820", name: "Arithmometer, 1820", price: usd(420000), available: false }
}

const benefit = Schema.decodeUnknownSync(Schema.toCodecJson(BenefitPush))

export const benefits = {
  student: benefit({
    name: "student",
    title: "Student discount",
    description: "Ten percent off everything for whoever studies; send a picture of your student card.",
    requiresApproval: true,
    legalAgreement: "I am enrolled at a university, and will say so when I no longer am.",
    perks: { discountType: "percentage", discount: 10, freeShipping: false },
    validity: { duration: 1, unit: "years" }
  }),
  employer: benefit({
    name: "employer",
    title: "Employee benefit",
    description: "The Analytical Engine Company pays for the shipping of its people.",
    requiresApproval: false,
    perks: { discountType: "fixed", discount: 0, freeShipping: true }
  })
}

export const transactions = {
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

import { Effect } from "effect"
import type { BenefitId } from "../domain/Benefit.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { CustomerId } from "../domain/Ids.ts"
import type { OrderId } from "../domain/Order.ts"
import type { ProductId } from "../domain/Product.ts"
import type { TransactionId } from "../domain/Transaction.ts"
import { Addresses } from "../services/Addresses.ts"
import { Benefits } from "../services/Benefits.ts"
import { Enrollments } from "../services/Enrollments.ts"
import { Broadcasts } from "../services/Broadcasts.ts"
import { MessageSending } from "../services/MessageSending.ts"
import { Orders } from "../services/Orders.ts"
import { Products } from "../services/Products.ts"
import { PushTokens } from "../services/PushTokens.ts"
import { Orgs } from "../services/Orgs.ts"
import { Profiles } from "../services/Profiles.ts"
import { TicketAnswers } from "../services/TicketAnswers.ts"
import { Tickets } from "../services/Tickets.ts"
import { Transactions } from "../services/Transactions.ts"
import { Wallet } from "../services/Wallet.ts"
import { Wishlist } from "../services/Wishlist.ts"
import {
  ada,
  arlington,
  benefits,
  customers,
  grace,
  london,
  mill,
  order,
  orders,
  org,
  products,
  transaction,
  transactions,
  usd
} from "./DemoAccounts.ts"
import { appointments } from "./DemoReservations.ts"

/** What ada and the staff have said to each other. */
const correspondence = Effect.gen(function* () {
  const tickets = yield* Tickets
  const { answer } = yield* TicketAnswers
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
  yield* asStaff(answer(number, { status: "pending", reply }))
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

/** What the org offers: ada ships for free already, and waits for her student discount to be approved. */
const programmes = Effect.gen(function* () {
  const { push } = yield* Benefits
  const { enroll } = yield* Enrollments
  for (const [id, pushed] of Object.entries(benefits)) {
    yield* Effect.provideService(push(id as BenefitId, pushed), CurrentPlatform, { orgId: org })
  }
  const formData = { university: "University of London", since: 2025 }
  for (const enrollment of [{ benefitId: "employer" }, { benefitId: "student", agreementAccepted: true, formData }]) {
    yield* Effect.provideService(enroll(enrollment), CurrentCustomer, ada)
  }
})

/** What the org tells them, besides what they are told of by themselves; ada hears it on her phone as well. */
const news = Effect.gen(function* () {
  const broadcasts = yield* Broadcasts
  const tokens = yield* PushTokens
  const token = "demo-phone-of-ada:no-device-has-this-token"
  yield* tokens
    .register({ token, platform: "android", deviceId: "ada-phone", appVersion: "1.0.0" })
    .pipe(Effect.provideService(CurrentCustomer, ada))
  yield* Effect.gen(function* () {
    yield* broadcasts.accept({
      customerIds: [ada.customerId],
      type: "order",
      title: "Order 1002: shipped",
      body: "Your order 1002 is on its way.",
      data: { orderId: "ord-1002", status: "shipped" },
      link: "/orders/ord-1002"
    })
    yield* broadcasts.accept({
      customerIds: "all",
      type: "marketing",
      title: "Punch cards: buy two boxes, get three",
      body: "Until Sunday, in the shop and at the counter."
    })
  }).pipe(Effect.provideService(CurrentPlatform, { orgId: org }))
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
  yield* programmes
  yield* appointments
  yield* news
  return true
}).pipe(Effect.orDie)

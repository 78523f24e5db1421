import { Schema } from "effect"
import { example } from "./Example.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const PaymentMethodId = Text(1, 255, "The provider's id").pipe(Schema.brand("PaymentMethodId"))
export type PaymentMethodId = typeof PaymentMethodId.Type

export const PaymentMethodType = Schema.Literals(["card", "paypal"])
export type PaymentMethodType = typeof PaymentMethodType.Type

export const PaymentMethod = Schema.Struct({
  id: PaymentMethodId,
  type: PaymentMethodType,
  brand: Schema.NullOr(Schema.String).annotate({ description: "As Stripe calls it: visa, mastercard, amex ..." }),
  last4: Schema.NullOr(Schema.String),
  expMonth: Schema.NullOr(Schema.Int),
  expYear: Schema.NullOr(Schema.Int),
  email: Schema.NullOr(Schema.String).annotate({ description: "The PayPal account" }),
  isDefault: Schema.Boolean.annotate({ description: "Exactly one is, while there is any" }),
  status: Schema.Literals(["active", "expiring", "expired"]).annotate({
    description: "A card is expiring in the last month it is good for and in the month before (UTC)"
  }),
  createdAt: Timestamp
}).annotate({
  identifier: "PaymentMethod",
  examples: [
    example({
      id: PaymentMethodId.make("pm_1QRsT2LkdIwHu7ixbVwXyZab"),
      type: "card" as const,
      brand: "visa",
      last4: "4242",
      expMonth: 12,
      expYear: 2030,
      email: null,
      isDefault: true,
      status: "active" as const,
      createdAt: new Date("2026-11-02T17:31:02.118Z")
    })
  ]
})
export type PaymentMethod = typeof PaymentMethod.Type

/** Fields that a list of payment methods sorts by. */
export const paymentMethodSorts = { isDefault: "text", createdAt: "instant", type: "text", id: "text" } as const

export const PaymentMethodsQuery = Schema.Struct(listQuery(paymentMethodSorts, "isDefault"))
export type PaymentMethodsQuery = typeof PaymentMethodsQuery.Type

export const PaymentMethodsPage = pageOf("PaymentMethodsPage", PaymentMethod)

const setAsDefault = Schema.optionalKey(Schema.Boolean).annotate({ description: "The first one becomes it anyway" })

const CardAddition = Schema.Struct({
  type: Schema.optionalKey(Schema.Literal("card")),
  paymentMethodId: Schema.String.annotate({ description: "What Stripe Elements gave the browser" }).check(
    Schema.isPattern(/^pm_[A-Za-z0-9_]{1,250}$/u, { message: "Expected a Stripe payment method's id, as pm_..." })
  ),
  setAsDefault
})

const PayPalAddition = Schema.Struct({
  type: Schema.Literal("paypal"),
  setupToken: Schema.String.annotate({
    description: "Of POST /client-data/payment-methods/setup, once approved"
  }).check(Schema.isPattern(/^[A-Za-z0-9_-]{1,255}$/u, { message: "Expected a PayPal setup token" })),
  setAsDefault
})

export const PaymentMethodAddition = Schema.Union([CardAddition, PayPalAddition]).annotate({
  identifier: "PaymentMethodAddition",
  examples: [
    { paymentMethodId: "pm_card_visa", setAsDefault: true },
    { type: "paypal", setupToken: "5C991763VB2781612" }
  ]
})
export type PaymentMethodAddition = typeof PaymentMethodAddition.Type

export const PaymentSetupRequest = Schema.Struct({ type: PaymentMethodType }).annotate({
  identifier: "PaymentSetupRequest",
  examples: [{ type: "card" }]
})

/** What the browser needs to have a card authenticated (SCA) or a PayPal account approved, before it is added here. */
export const PaymentSetup = Schema.Union([
  Schema.Struct({
    provider: Schema.Literal("stripe"),
    clientSecret: Schema.String.annotate({ description: "Of a SetupIntent, for Stripe.js" })
  }),
  Schema.Struct({
    provider: Schema.Literal("paypal"),
    setupToken: Schema.String,
    approvalUrl: Schema.String.annotate({ description: "Where the payer approves it" })
  })
]).annotate({ identifier: "PaymentSetup" })
export type PaymentSetup = typeof PaymentSetup.Type

/** Also the answer for somebody else's: a stranger must not learn that it exists. */
export class PaymentMethodNotFound extends Problem<PaymentMethodNotFound>()("PaymentMethodNotFound", {
  code: "payment_method_not_found",
  status: 404,
  title: "Payment method not found",
  detail: "There is no such payment method."
}) {}

/** The detail is the provider's sentence, which is meant for the customer. */
export class CardDeclined extends Problem<CardDeclined>()("CardDeclined", {
  code: "card_declined",
  status: 402,
  title: "Card declined",
  detail: "Your card was declined."
}) {}

export class PaymentMethodInUse extends Problem<PaymentMethodInUse>()("PaymentMethodInUse", {
  code: "payment_method_in_use",
  status: 409,
  title: "Payment method in use",
  detail: "This payment method belongs to somebody else."
}) {}

export class ApprovalRequired extends Problem<ApprovalRequired>()("ApprovalRequired", {
  code: "approval_required",
  status: 422,
  title: "Not approved yet",
  detail: "The payer has not approved this at PayPal yet; send them to the approvalUrl first."
}) {}

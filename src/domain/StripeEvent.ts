import { Effect, Schema } from "effect"
import { Problem } from "./Problem.ts"

/** Also the answer for an org that does not exist. */
export class InvalidSignature extends Problem<InvalidSignature>()("InvalidSignature", {
  code: "invalid_signature",
  status: 400,
  title: "Signature not accepted",
  detail: "The Stripe-Signature header does not prove that Stripe has sent this body, or not in the last five minutes."
}) {}

const Id = Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,255}$/u))

// Events of other kinds have other things under the same names.
const ifWellFormed = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(schema).pipe(Schema.catchDecoding(() => Effect.succeedNone))

/** Of an event of Stripe's, whom it is about, and what the local stand-in for Stripe learns from it. */
export const StripeEvent = Schema.Struct({
  id: Id,
  type: Schema.String,
  created: ifWellFormed(Schema.Int),
  data: Schema.Struct({
    object: Schema.Struct({
      id: ifWellFormed(Id),
      customer: ifWellFormed(Schema.NullOr(Id)),
      card: ifWellFormed(
        Schema.Struct({ brand: Schema.String, last4: Schema.String, exp_month: Schema.Int, exp_year: Schema.Int })
      ),
      invoice_settings: ifWellFormed(Schema.Struct({ default_payment_method: Schema.NullOr(Id) }))
    }),
    previous_attributes: ifWellFormed(Schema.Struct({ customer: ifWellFormed(Schema.NullOr(Id)) }))
  })
})
export type StripeEvent = typeof StripeEvent.Type

/** Events after which our rows may no longer be true. */
export const followed: ReadonlySet<string> = new Set([
  "payment_method.attached",
  "payment_method.automatically_updated",
  "payment_method.detached",
  "payment_method.updated",
  "customer.updated"
])

export const StripeEventReceived = Schema.Struct({ received: Schema.Literal(true) }).annotate({
  identifier: "StripeEventReceived"
})

import { Schema } from "effect"

/** ISO 4217, three capital letters. */
export const Currency = Schema.String.annotate({ examples: ["USD"] }).check(
  Schema.isPattern(/^[A-Z]{3}$/u, { message: "Expected an ISO 4217 currency code such as USD" })
)

/** An amount in the currency's smallest unit, so that no cent is ever rounded away. */
export const Money = Schema.Struct({
  amount: Schema.Int.annotate({ description: "In the currency's minor unit: 4999 is 49.99 USD" }),
  currency: Currency
}).annotate({ identifier: "Money", examples: [{ amount: 4999, currency: "USD" }] })
export type Money = typeof Money.Type

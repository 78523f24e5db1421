import { Schema } from "effect"
import { example } from "./Example.ts"
import { CustomerId } from "./Ids.ts"
import { Money } from "./Money.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

/** One movement of a customer's wallet, and what was in it afterwards. Never changed, never taken back: only offset. */
export const WalletEntry = Schema.Struct({
  id: Schema.String,
  customerId: CustomerId,
  amount: Money.annotateKey({ description: "Negative for what is taken out" }),
  balance: Money,
  reference: Schema.String,
  description: Schema.NullOr(Schema.String),
  createdAt: Timestamp
}).annotate({
  identifier: "WalletEntry",
  examples: [
    example({
      id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
      customerId: CustomerId.make("ada"),
      amount: { amount: 2500, currency: "USD" },
      balance: { amount: 4000, currency: "USD" },
      reference: "gift-card-77",
      description: "Gift card",
      createdAt: new Date("2026-11-02T17:31:02.118Z")
    })
  ]
})
export type WalletEntry = typeof WalletEntry.Type

/** The same `reference` for the same customer counts once, whatever else is sent with it. */
export const WalletEntryPush = Schema.Struct({
  customerId: CustomerId,
  amount: Money,
  reference: Text(1, 200),
  description: Schema.optionalKey(Schema.NullOr(Text(0, 500)))
}).annotate({
  identifier: "WalletEntryPush",
  examples: [{ customerId: "ada" as CustomerId, amount: { amount: 2500, currency: "USD" }, reference: "gift-card-77" }]
})
export type WalletEntryPush = typeof WalletEntryPush.Type

export class InsufficientFunds extends Problem<InsufficientFunds>()("InsufficientFunds", {
  code: "insufficient_funds",
  status: 409,
  title: "Not enough in the wallet",
  detail: "The wallet holds less than this entry would take out."
}) {}

export class WalletCurrencyMismatch extends Problem<WalletCurrencyMismatch>()("WalletCurrencyMismatch", {
  code: "currency_mismatch",
  status: 409,
  title: "The wallet holds another currency",
  detail: "A wallet holds one currency, that of its first entry."
}) {}

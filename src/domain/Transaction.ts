import { Schema } from "effect"
import { example } from "./Example.ts"
import { CustomerId, PlatformId } from "./Ids.ts"
import { DayOrInstant } from "./Moment.ts"
import { Money } from "./Money.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const TransactionId = PlatformId.pipe(Schema.brand("TransactionId"))
export type TransactionId = typeof TransactionId.Type

export const TransactionType = Schema.Literals(["payment", "refund", "adjustment"])
export const TransactionStatus = Schema.Literals([
  "new",
  "pending",
  "paid",
  "failed",
  "mismatch",
  "cancelled",
  "refunded"
])

const Method = Schema.Struct({
  type: Text(1, 50),
  label: Schema.NullOr(Text(0, 200))
})

export const Transaction = Schema.Struct({
  id: TransactionId,
  type: TransactionType,
  status: TransactionStatus,
  amount: Money.annotateKey({ description: "Negative for refunds" }),
  method: Schema.Struct({ type: Schema.String, label: Schema.NullOr(Schema.String) }),
  gateway: Schema.NullOr(Schema.String),
  orderId: Schema.NullOr(PlatformId),
  reference: Schema.NullOr(Schema.String),
  description: Schema.NullOr(Schema.String),
  createdAt: Timestamp
}).annotate({
  identifier: "Transaction",
  examples: [
    example({
      id: TransactionId.make("txn-1001"),
      type: "payment",
      status: "paid",
      amount: { amount: 9151, currency: "USD" },
      method: { type: "card", label: "Visa 4242" },
      gateway: "stripe",
      orderId: "order-1001",
      reference: "ch_3PqK2e",
      description: null,
      createdAt: new Date("2026-11-02T17:31:02.118Z")
    })
  ]
})
export type Transaction = typeof Transaction.Type

/** Fields that a list of transactions sorts by. */
export const transactionSorts = {
  createdAt: "instant",
  id: "text",
  type: "text",
  status: "text",
  amount: "integer"
} as const

export const TransactionsQuery = Schema.Struct({
  ...listQuery(transactionSorts, "createdAt"),
  status: Schema.optionalKey(Schema.Array(TransactionStatus).check(Schema.isMaxLength(7))),
  paymentMethod: Schema.optionalKey(Text(1, 50, "A gateway, or a method's type")),
  from: Schema.optionalKey(DayOrInstant),
  to: Schema.optionalKey(DayOrInstant)
})
export type TransactionsQuery = typeof TransactionsQuery.Type

export const TransactionsPage = pageOf("TransactionsPage", Transaction)

/** A transaction as the platform pushes it; the platform's id is in the path. */
export const TransactionPush = Schema.Struct({
  customerId: CustomerId,
  type: TransactionType,
  status: TransactionStatus,
  amount: Money,
  method: Schema.Struct({ type: Method.fields.type, label: Schema.optionalKey(Method.fields.label) }),
  gateway: Schema.optionalKey(Schema.NullOr(Text(1, 50))),
  orderId: Schema.optionalKey(Schema.NullOr(PlatformId)),
  reference: Schema.optionalKey(Schema.NullOr(Text(1, 200))),
  description: Schema.optionalKey(Schema.NullOr(Text(0, 500))),
  createdAt: Schema.optionalKey(Timestamp)
})
  .annotate({
    examples: [
      {
        customerId: "ada" as CustomerId,
        type: "payment",
        status: "paid",
        amount: { amount: 4999, currency: "USD" },
        method: { type: "card", label: "Visa 4242" },
        gateway: "stripe"
      }
    ]
  })
  .check(
    Schema.makeFilter(
      ({ amount, type }) =>
        type === "adjustment" ||
        (type === "refund" ? amount.amount <= 0 : amount.amount >= 0) ||
        "Expected a negative amount for a refund, a positive one for a payment"
    )
  )
  // After the check, which a name from before would not cover.
  .annotate({ identifier: "TransactionPush" })
export type TransactionPush = typeof TransactionPush.Type

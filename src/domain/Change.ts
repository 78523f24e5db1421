import { Schema } from "effect"
import { Problem } from "./Problem.ts"

/** A change as the customer's log keeps it, with the record as it is now. */
export const Change = Schema.Struct({
  sequence: Schema.Int.annotate({ description: "Counts this customer's changes, without holes" }),
  type: Schema.String.annotate({
    description:
      "profile, verification, address, paymentMethod, order, ticket, conversation, message, notification, pushToken, wishlistItem, reservation, file, benefit, enrollment, transaction, wallet; may gain some"
  }),
  op: Schema.Literals(["upsert", "delete"]),
  id: Schema.String.annotate({
    description:
      "The record's id; of a file its path, of an item its product's; of the profile, the verification and the wallet the customer's"
  }),
  record: Schema.NullOr(Schema.Record(Schema.String, Schema.Json)).annotate({
    description: "As its own GET shows it now, but for signed urls, which are null; null for what is gone"
  })
}).annotate({
  identifier: "Change",
  examples: [
    { sequence: 42, type: "wallet", op: "upsert", id: "ada", record: { balance: { amount: 4000, currency: "USD" } } },
    { sequence: 43, type: "address", op: "delete", id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c", record: null }
  ]
})
export type Change = typeof Change.Type

export const ChangeCursor = Schema.String.annotate({
  description: "The `cursor` of `/client-data/all`, of the last call, or the last event's id"
}).check(
  Schema.isPattern(/^[A-Za-z0-9_-]{1,128}$/u, {
    message: "Expected the cursor of an earlier answer of this customer's"
  })
)

export const ChangesQuery = Schema.Struct({
  since: ChangeCursor,
  ps: Schema.optionalKey(
    Schema.Int.annotate({ description: "How many at most", default: 50 }).check(
      Schema.isBetween({ minimum: 1, maximum: 200 })
    )
  )
})
export type ChangesQuery = typeof ChangesQuery.Type

export const ChangesPage = Schema.Struct({
  data: Schema.Array(Change),
  cursor: Schema.String.annotate({ description: "Where to go on from" }),
  hasNext: Schema.Boolean
}).annotate({ identifier: "ChangesPage" })
export type ChangesPage = typeof ChangesPage.Type

export class CursorExpired extends Problem<CursorExpired>()("CursorExpired", {
  code: "cursor_expired",
  status: 410,
  title: "Cursor expired",
  detail: "The log no longer reaches back that far; read /client-data/all again and go on from its cursor."
}) {}

import { Schema } from "effect"

const AccountRecord = Schema.Record(Schema.String, Schema.Json).annotate({
  identifier: "AccountRecord",
  description: "A record as its own GET shows it, but for signed urls, which are null"
})
const records = Schema.Array(AccountRecord)

/** Everything that a customer can see, as of one moment. */
export const Account = Schema.Struct({
  profile: AccountRecord,
  verification: AccountRecord,
  addresses: records,
  paymentMethods: records,
  orders: records,
  tickets: records,
  conversations: records,
  messages: records,
  notifications: records,
  pushTokens: records,
  wishlist: records,
  reservations: records,
  files: records,
  benefits: records,
  enrollments: records,
  transactions: records,
  wallet: Schema.Struct({ balance: Schema.NullOr(AccountRecord) }),
  cursor: Schema.String.annotate({ description: "Where `/client-data/changes` and `/client-data/events` go on from" }),
  asOf: Schema.String.annotate({ format: "date-time" })
}).annotate({ identifier: "Account" })

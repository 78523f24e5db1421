import { Schema } from "effect"
import { example } from "./Example.ts"
import { Money } from "./Money.ts"
import { openStatuses } from "./Order.ts"
import { Timestamp } from "./Timestamp.ts"

const count = (description: string) => Schema.Int.annotate({ description: `The \`total\` of ${description}` })

/** The landing page, as of one moment. */
export const Dashboard = Schema.Struct({
  orders: Schema.Struct({
    total: count("`/client-data/orders`"),
    open: count(`\`/client-data/orders?${openStatuses.map((status) => `status=${status}`).join("&")}\``)
  }),
  tickets: Schema.Struct({ pending: count("`/client-data/tickets?status=pending`") }),
  messages: Schema.Struct({
    unread: Schema.Int.annotate({ description: "The sum of `unreadCount` in `/client-data/conversations`" })
  }),
  notifications: Schema.Struct({
    unread: Schema.Int.annotate({ description: "The `unread` of `/client-data/notifications`" })
  }),
  reservations: Schema.Struct({ upcoming: count("`/client-data/reservations?when=upcoming`") }),
  wallet: Schema.Struct({ balance: Schema.NullOr(Money) }),
  recentActivity: Schema.Array(
    Schema.Struct({
      type: Schema.String.annotate({ description: "As of a change" }),
      id: Schema.String,
      title: Schema.String.annotate({ description: "A line for a person" }),
      at: Timestamp
    })
  ).annotate({ description: "What was changed last, newest first: each record once, ten at most" }),
  asOf: Timestamp
}).annotate({
  identifier: "Dashboard",
  examples: [
    example({
      orders: { total: 12, open: 2 },
      tickets: { pending: 1 },
      messages: { unread: 3 },
      notifications: { unread: 2 },
      reservations: { upcoming: 1 },
      wallet: { balance: { amount: 4000, currency: "USD" } },
      recentActivity: [
        { type: "order", id: "order-1001", title: "Order 1001: shipped", at: new Date("2026-11-23T08:00:04.530Z") }
      ],
      asOf: new Date("2026-11-23T10:00:00.000Z")
    })
  ]
})
export type Dashboard = typeof Dashboard.Type

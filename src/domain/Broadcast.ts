import { Schema } from "effect"
import { example } from "./Example.ts"
import { CustomerId } from "./Ids.ts"
import { Channel, Link, NotificationData, NotificationType } from "./Notification.ts"
import { listQuery } from "./Page.ts"
import { Text } from "./Text.ts"
import { NullableTimestamp, Timestamp } from "./Timestamp.ts"

/** The most customers that are told by name; for more there is `all`. */
export const mostNamed = 10_000

const content = {
  type: NotificationType,
  title: Text(1, 200),
  body: Text(1, 2000),
  data: Schema.optionalKey(NotificationData),
  link: Schema.optionalKey(Schema.NullOr(Link)),
  channels: Schema.optionalKey(
    Schema.Array(Channel).check(Schema.isMinLength(1), Schema.isMaxLength(4), Schema.isUnique())
  ).annotate({ description: "Those alone, of the ones that a customer's preferences allow" })
}

export const NewBroadcast = Schema.Struct({
  customerIds: Schema.Union([
    Schema.Literal("all"),
    Schema.Array(CustomerId).check(Schema.isMinLength(1), Schema.isMaxLength(mostNamed))
  ]).annotate({ description: "`all`: whoever is a customer of the org now" }),
  ...content
}).annotate({
  identifier: "NewBroadcast",
  examples: [
    {
      customerIds: [CustomerId.make("ada")],
      type: "order",
      title: "Your comptometer is ready",
      body: "You may fetch it from Monday on.",
      link: "/orders/1002"
    },
    { customerIds: "all", type: "marketing", title: "Slide rules at half price", body: "Until Sunday." }
  ]
})
export type NewBroadcast = typeof NewBroadcast.Type

export const BroadcastAccepted = Schema.Struct({ id: Schema.String }).annotate({
  identifier: "BroadcastAccepted",
  examples: [{ id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c" }]
})

export const DeliveryState = Schema.Literals(["queued", "sent", "delivered", "failed", "skipped"])

export const Delivery = Schema.Struct({
  id: Schema.String,
  customerId: CustomerId,
  channel: Channel,
  state: DeliveryState,
  reason: Schema.NullOr(Schema.String).annotate({
    description: "Why it was skipped or failed, as `preferences`, `no_device`, `no_address`, or what the provider said"
  }),
  attempts: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}).annotate({ identifier: "Delivery" })
export type Delivery = typeof Delivery.Type

/** Fields that the deliveries of a broadcast sort by. */
export const deliverySorts = {
  createdAt: "instant",
  customerId: "text",
  channel: "text",
  state: "text",
  id: "text"
} as const

export const BroadcastQuery = Schema.Struct({
  ...listQuery(deliverySorts, "createdAt"),
  state: Schema.optionalKey(DeliveryState),
  channel: Schema.optionalKey(Channel)
})
export type BroadcastQuery = typeof BroadcastQuery.Type

const states = Schema.Struct({
  queued: Schema.Int,
  sent: Schema.Int,
  delivered: Schema.Int,
  failed: Schema.Int,
  skipped: Schema.Int
}).annotate({ identifier: "DeliveryCounts" })

export const Broadcast = Schema.Struct({
  id: Schema.String,
  type: Schema.String,
  title: Schema.String,
  body: Schema.String,
  data: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])),
  link: Schema.NullOr(Schema.String),
  channels: Schema.NullOr(Schema.Array(Channel)),
  createdAt: Timestamp,
  finishedAt: NullableTimestamp.annotate({ description: "When everybody had got theirs or had it on its way" }),
  customers: Schema.Struct({ total: Schema.Int, told: Schema.Int }).annotate({
    identifier: "BroadcastProgress",
    description: "How many it is for, and for how many it has been recorded by now"
  }),
  counts: states,
  deliveries: Schema.Array(Delivery).annotate({ description: "One page of them" }),
  total: Schema.optionalKey(Schema.Int),
  hasNext: Schema.Boolean,
  page: Schema.optionalKey(Schema.Int),
  pageSize: Schema.Int,
  totalPages: Schema.optionalKey(Schema.Int),
  nextCursor: Schema.NullOr(Schema.String)
}).annotate({
  identifier: "Broadcast",
  examples: [
    example({
      id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
      type: "order",
      title: "Your comptometer is ready",
      body: "You may fetch it from Monday on.",
      data: {},
      link: "/orders/1002",
      channels: null,
      createdAt: new Date("2026-11-20T17:31:02.118Z"),
      finishedAt: new Date("2026-11-20T17:31:02.304Z"),
      customers: { total: 1, told: 1 },
      counts: { queued: 0, sent: 0, delivered: 1, failed: 0, skipped: 0 },
      deliveries: [
        {
          id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5d:inApp",
          customerId: CustomerId.make("ada"),
          channel: "inApp" as const,
          state: "delivered" as const,
          reason: null,
          attempts: 0,
          createdAt: new Date("2026-11-20T17:31:02.304Z"),
          updatedAt: new Date("2026-11-20T17:31:02.304Z")
        }
      ],
      total: 1,
      hasNext: false,
      page: 1,
      pageSize: 50,
      totalPages: 1,
      nextCursor: null
    })
  ]
})
export type Broadcast = typeof Broadcast.Type

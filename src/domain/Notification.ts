import { Schema } from "effect"
import { example } from "./Example.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { NullableTimestamp, Timestamp } from "./Timestamp.ts"

export const Channel = Schema.Literals(["inApp", "push", "email", "sms"]).annotate({ identifier: "Channel" })
export type Channel = typeof Channel.Type

/** What preferences tell apart. */
export const topics = [
  "order",
  "ticket",
  "message",
  "reservation",
  "benefit",
  "payment",
  "security",
  "marketing",
  "other"
] as const
export type Topic = (typeof topics)[number]

export const NotificationType = Schema.String.annotate({
  description: `What it is about: ${topics.join(", ")}, alone or with more behind it, as \`order.shipped\`; any other word counts as \`other\` in the preferences`,
  examples: ["order"]
}).check(
  Schema.isPattern(/^[A-Za-z][A-Za-z0-9._:-]{0,63}$/u, {
    message: "Expected a letter and up to 63 letters, digits, dots, underscores, colons or hyphens"
  })
)

/** Which of the preferences a notification of this type goes by. */
export const topicOf = (type: string): Topic => {
  const word = /^[A-Za-z]+/.exec(type)?.[0]
  return topics.find((topic) => topic === word) ?? "other"
}

export const NotificationId = Text(1, 128, "The notification's id")

/** What an app needs to act on it. */
export const NotificationData = Schema.Record(
  Schema.String,
  Schema.Union([Text(0, 1000), Schema.Finite, Schema.Boolean, Schema.Null])
)
  .annotate({ description: "Names and values, at most 2000 bytes in all" })
  .check(
    Schema.makeFilter(
      (data: Readonly<Record<string, unknown>>) =>
        (Object.keys(data).every((key) => /^[A-Za-z0-9._-]{1,64}$/.test(key)) &&
          new TextEncoder().encode(JSON.stringify(data)).length <= 2000) ||
        "Expected names of up to 64 letters, digits, dots, underscores or hyphens, and at most 2000 bytes in all"
    )
  )
export type NotificationData = typeof NotificationData.Type

/** Where it leads: a page of the portal, as `/orders/1001`, or an address elsewhere. */
export const Link = Schema.String.annotate({ examples: ["/orders/1001"] }).check(
  Schema.isPattern(/^(?:https?:\/\/|\/(?![/\\]))[\x21-\x7e]{0,2000}$/u, {
    message: "Expected a path such as /orders/1001, or an http or https address"
  })
)

const about = example({
  id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
  type: "order",
  title: "Order 1001: shipped",
  body: "Your order 1001 is on its way.",
  data: { orderId: "order-1001", status: "shipped" },
  link: "/orders/1001",
  read: false,
  readAt: null,
  createdAt: new Date("2026-11-20T17:31:02.118Z")
})

export const Notification = Schema.Struct({
  id: Schema.String,
  type: Schema.String,
  title: Schema.String,
  body: Schema.String,
  data: Schema.Record(
    Schema.String,
    Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])
  ).annotate({ description: "What an app needs to act on it" }),
  link: Schema.NullOr(Schema.String).annotate({ description: "A path of the portal, or an address" }),
  read: Schema.Boolean,
  readAt: NullableTimestamp,
  createdAt: Timestamp
}).annotate({ identifier: "Notification", examples: [about] })
export type Notification = typeof Notification.Type

/** Fields that a list of notifications sorts by. */
export const notificationSorts = { createdAt: "instant", type: "text", title: "text", id: "text" } as const

export const NotificationsQuery = Schema.Struct({
  ...listQuery(notificationSorts, "createdAt"),
  read: Schema.optionalKey(Schema.Boolean)
})
export type NotificationsQuery = typeof NotificationsQuery.Type

const unread = Schema.Int.annotate({ description: "How many there are that were not read, whatever the filter" })

export const NotificationsPage = Schema.Struct({
  ...pageOf("NotificationRows", Notification).fields,
  unread
}).annotate({ identifier: "NotificationsPage" })
export type NotificationsPage = typeof NotificationsPage.Type

export const UnreadNotifications = Schema.Struct({ unread }).annotate({
  identifier: "UnreadNotifications",
  examples: [{ unread: 0 }]
})

/** Also the answer for a notification of somebody else: a stranger must not learn that it exists. */
export class NotificationNotFound extends Problem<NotificationNotFound>()("NotificationNotFound", {
  code: "notification_not_found",
  status: 404,
  title: "Notification not found",
  detail: "There is no such notification."
}) {}

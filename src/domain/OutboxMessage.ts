import { Schema } from "effect"
import { example } from "./Example.ts"
import { CustomerId } from "./Ids.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Timestamp } from "./Timestamp.ts"

export const Channel = Schema.Literals(["email", "sms", "push"]).annotate({ identifier: "OutboxChannel" })
export type Channel = typeof Channel.Type

/** A message that would have left, had there been anybody to take it. */
export const OutboxMessage = Schema.Struct({
  id: Schema.String.annotate({ description: "The delivery's" }),
  customerId: CustomerId,
  channel: Channel,
  to: Schema.String.annotate({ description: "The address, the number, or the provider and token of a device" }),
  subject: Schema.NullOr(Schema.String).annotate({ description: "null of a text message" }),
  text: Schema.String,
  code: Schema.NullOr(Schema.String).annotate({ description: "Of a verification message only" }),
  createdAt: Timestamp
}).annotate({
  identifier: "OutboxMessage",
  examples: [
    example({
      id: "0198f7b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
      customerId: CustomerId.make("ada"),
      channel: "email" as const,
      to: "ada@example.com",
      subject: "Your code",
      text: "204816 is your code. It is good for 10 minutes.",
      code: "204816",
      createdAt: new Date("2026-11-23T10:00:00.000Z")
    })
  ]
})
export type OutboxMessage = typeof OutboxMessage.Type

/** Fields that the outbox sorts by. */
export const outboxSorts = { channel: "text", createdAt: "instant" } as const

export const OutboxQuery = Schema.Struct({
  ...listQuery(outboxSorts, "createdAt"),
  customerId: Schema.optionalKey(CustomerId)
})
export type OutboxQuery = typeof OutboxQuery.Type

export const OutboxPage = pageOf("OutboxPage", OutboxMessage)

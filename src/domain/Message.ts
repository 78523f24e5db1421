import { Schema } from "effect"
import { Attachment, AttachmentPaths } from "./Attachment.ts"
import { example } from "./Example.ts"
import { CustomerId, PlatformId } from "./Ids.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { NullableTimestamp, Timestamp } from "./Timestamp.ts"

export const PartyKind = Schema.Literals(["customer", "staff", "expert"]).annotate({ identifier: "PartyKind" })

export const MessageStatus = Schema.Literals(["sent", "delivered", "read", "archived"]).annotate({
  identifier: "MessageStatus"
})

const facts = {
  id: Schema.String,
  conversationId: Schema.String,
  sequence: Schema.Int.annotate({ description: "Counts the conversation's messages from 1, without holes" }),
  from: Schema.Struct({ kind: PartyKind, name: Schema.NullOr(Schema.String) }),
  text: Schema.String,
  attachments: Schema.Array(Attachment),
  clientMessageId: Schema.NullOr(Schema.String),
  status: MessageStatus.annotateKey({
    description:
      "To the customer: `delivered` until it is `read` or `archived`. From the customer: `sent`, then `delivered` or `read` as the staff say; an answer of theirs means `read`"
  }),
  createdAt: Timestamp,
  readAt: NullableTimestamp
}

const said = {
  id: "0198f7a0-11c4-7c1d-8a55-6a1f0b7c9d2e",
  conversationId: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
  sequence: 2,
  from: { kind: "staff" as const, name: "Charles" },
  text: "It left the workshop this morning.",
  attachments: [],
  clientMessageId: null,
  status: "delivered" as const,
  createdAt: new Date("2026-11-21T09:12:40.009Z"),
  readAt: null
}

export const messageExample = example(said)

export const Message = Schema.Struct(facts).annotate({ identifier: "Message", examples: [messageExample] })
export type Message = typeof Message.Type

/** A message as the staff see it. */
export const PlatformMessage = Schema.Struct({ ...facts, customerId: CustomerId }).annotate({
  identifier: "PlatformMessage",
  examples: [example({ ...said, customerId: CustomerId.make("ada") })]
})
export type PlatformMessage = typeof PlatformMessage.Type

/** Fields that a list of messages sorts by. */
export const messageSorts = { createdAt: "instant", sequence: "integer", id: "text" } as const

export const ConversationId = Text(1, 128)
export const MessageId = Text(1, 128, "The message's id")

const Sequence = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 }))

const window = {
  ...listQuery(messageSorts, "createdAt"),
  conversationId: Schema.optionalKey(ConversationId).annotate({
    description: "Only this conversation's, by `sequence`; absent: all of them"
  }),
  before: Schema.optionalKey(Sequence).annotate({ description: "Only with a smaller `sequence`, nearest first" }),
  after: Schema.optionalKey(Sequence).annotate({ description: "Only with a greater `sequence`, nearest first" })
}

const inConversation = Schema.makeFilter(
  (query: { readonly conversationId?: string; readonly before?: number; readonly after?: number }) =>
    query.conversationId !== undefined ||
    (query.before === undefined && query.after === undefined) || {
      path: ["conversationId"],
      issue: "Expected with before or after: a sequence counts within one conversation"
    }
)

export const MessagesQuery = Schema.Struct(window).check(inConversation)
export type MessagesQuery = typeof MessagesQuery.Type

export const PlatformMessagesQuery = Schema.Struct({
  ...window,
  customerId: Schema.optionalKey(CustomerId)
}).check(inConversation)
export type PlatformMessagesQuery = typeof PlatformMessagesQuery.Type

export const MessagesPage = pageOf("MessagesPage", Message)
export const PlatformMessagesPage = pageOf("PlatformMessagesPage", PlatformMessage)

const Words = Text(1, 10_000)
const Subject = Text(1, 200, "Of a new conversation")

const opensOnly =
  (...keys: ReadonlyArray<string>) =>
  (message: { readonly conversationId?: string }) => {
    const key = keys.find((key) => message.conversationId !== undefined && key in message)
    return key === undefined || { path: [key], issue: "Expected only where a new conversation is opened" }
  }

/** What the customer writes: into a conversation of theirs, or without `conversationId` into a new one. */
export const NewMessage = Schema.Struct({
  conversationId: Schema.optionalKey(ConversationId).annotate({ description: "Absent: opens a conversation" }),
  to: Schema.optionalKey(
    Schema.Struct({
      kind: Schema.Literals(["staff", "expert"]),
      id: Schema.optionalKey(PlatformId).annotate({ description: "Absent: whoever of them is there" })
    })
  ).annotate({ description: "Whom a new conversation is with; the staff if absent" }),
  subject: Schema.optionalKey(Subject),
  text: Words,
  attachments: Schema.optionalKey(AttachmentPaths),
  clientMessageId: Schema.optionalKey(
    Text(1, 128, "The client's own id: the same one again is the same message, which is written once")
  )
})
  .annotate({
    examples: [{ subject: "My comptometer", text: "When will it be sent?", clientMessageId: "c7e2a1" }]
  })
  .check(Schema.makeFilter(opensOnly("to", "subject")))
  .annotate({ identifier: "NewMessage" })
export type NewMessage = typeof NewMessage.Type

/** What the staff or an expert write to a customer. */
export const MessagePush = Schema.Struct({
  customerId: CustomerId,
  conversationId: Schema.optionalKey(ConversationId).annotate({ description: "Absent: opens a conversation" }),
  from: Schema.Struct({
    kind: Schema.Literals(["staff", "expert"]),
    id: PlatformId,
    name: Text(1, 120, "The name that the customer sees")
  }),
  subject: Schema.optionalKey(Subject),
  text: Words
})
  .annotate({
    examples: [
      {
        customerId: "ada" as CustomerId,
        from: { kind: "staff", id: "charles", name: "Charles" },
        text: "It left the workshop this morning."
      }
    ]
  })
  .check(Schema.makeFilter(opensOnly("subject")))
  .annotate({ identifier: "MessagePush" })
export type MessagePush = typeof MessagePush.Type

/** Also the answer for a message of somebody else: a stranger must not learn that it exists. */
export class MessageNotFound extends Problem<MessageNotFound>()("MessageNotFound", {
  code: "message_not_found",
  status: 404,
  title: "Message not found",
  detail: "There is no such message."
}) {}

import { Schema } from "effect"
import { example } from "./Example.ts"
import { CustomerId } from "./Ids.ts"
import { Message, messageExample, PartyKind } from "./Message.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Timestamp } from "./Timestamp.ts"

export const ConversationStatus = Schema.Literals(["open", "closed"]).annotate({ identifier: "ConversationStatus" })

export const Party = Schema.Struct({
  kind: PartyKind,
  id: Schema.NullOr(Schema.String).annotate({ description: "null: whoever of that kind answers first" }),
  name: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Party" })
export type Party = typeof Party.Type

const facts = {
  id: Schema.String,
  subject: Schema.NullOr(Schema.String),
  status: ConversationStatus.annotateKey({
    description: "The staff close a conversation; whoever writes into it opens it again"
  }),
  parties: Schema.Array(Party),
  lastMessage: Message,
  unreadCount: Schema.Int.annotate({ description: "Messages to the customer that are neither read nor archived" }),
  updatedAt: Timestamp
}

const about = {
  id: messageExample.conversationId,
  subject: "My comptometer",
  status: "open" as const,
  parties: [
    { kind: "customer" as const, id: "ada", name: "Ada Lovelace" },
    { kind: "staff" as const, id: "charles", name: "Charles" }
  ],
  lastMessage: messageExample,
  unreadCount: 1,
  updatedAt: new Date("2026-11-21T09:12:40.009Z")
}

export const Conversation = Schema.Struct(facts).annotate({ identifier: "Conversation", examples: [example(about)] })
export type Conversation = typeof Conversation.Type

/** A conversation as the staff see it. */
export const PlatformConversation = Schema.Struct({ ...facts, customerId: CustomerId }).annotate({
  identifier: "PlatformConversation",
  examples: [example({ ...about, customerId: CustomerId.make("ada") })]
})
export type PlatformConversation = typeof PlatformConversation.Type

/** Fields that a list of conversations sorts by. */
export const conversationSorts = {
  lastMessageAt: "instant",
  updatedAt: "instant",
  subject: "text",
  status: "text",
  id: "text"
} as const

export const ConversationsQuery = Schema.Struct(listQuery(conversationSorts, "lastMessageAt"))
export type ConversationsQuery = typeof ConversationsQuery.Type

export const PlatformConversationsQuery = Schema.Struct({
  ...listQuery(conversationSorts, "lastMessageAt"),
  customerId: Schema.optionalKey(CustomerId)
})
export type PlatformConversationsQuery = typeof PlatformConversationsQuery.Type

export const ConversationsPage = pageOf("ConversationsPage", Conversation)
export const PlatformConversationsPage = pageOf("PlatformConversationsPage", PlatformConversation)

/** What the staff change of a conversation. */
export const ConversationChanges = Schema.Struct({ status: ConversationStatus }).annotate({
  identifier: "ConversationChanges",
  examples: [{ status: "closed" }]
})
export type ConversationChanges = typeof ConversationChanges.Type

/** Also the answer for a conversation of somebody else: a stranger must not learn that it exists. */
export class ConversationNotFound extends Problem<ConversationNotFound>()("ConversationNotFound", {
  code: "conversation_not_found",
  status: 404,
  title: "Conversation not found",
  detail: "There is no such conversation."
}) {}

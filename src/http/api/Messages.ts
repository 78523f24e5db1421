import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ActionNotAllowed } from "../../domain/ActionNotAllowed.ts"
import {
  ConversationChanges,
  ConversationNotFound,
  ConversationsPage,
  ConversationsQuery,
  PlatformConversation,
  PlatformConversationsPage,
  PlatformConversationsQuery
} from "../../domain/Conversation.ts"
import { CustomerNotFound } from "../../domain/Customer.ts"
import {
  ConversationId,
  Message,
  MessageId,
  MessageNotFound,
  MessagePush,
  MessagesPage,
  MessagesQuery,
  NewMessage,
  PlatformMessage,
  PlatformMessagesPage,
  PlatformMessagesQuery
} from "../../domain/Message.ts"
import { FileNotFound } from "../../domain/StoredFile.ts"
import { createdOf, writeHeaders } from "../Records.ts"

const messageId = MessageId

export class ConversationsApi extends HttpApiGroup.make("conversations")
  .add(
    HttpApiEndpoint.get("list", "/", { query: ConversationsQuery, success: ConversationsPage }).annotate(
      OpenApi.Summary,
      "List the conversations"
    )
  )
  .prefix("/conversations")
  .annotateMerge(
    OpenApi.annotations({ title: "Conversations", description: "Threads between the customer and staff or experts." })
  ) {}

export class MessagesApi extends HttpApiGroup.make("messages")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: MessagesQuery,
      success: MessagesPage,
      error: ConversationNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "List the messages",
        description: "Newest first; with `after` oldest first, so that the next ones follow."
      })
    ),
    HttpApiEndpoint.get("get", "/:messageId", {
      params: { messageId },
      success: Message,
      error: MessageNotFound
    }).annotate(OpenApi.Summary, "Read a message"),
    HttpApiEndpoint.post("send", "/", {
      headers: writeHeaders,
      payload: NewMessage,
      success: [createdOf(Message), Message],
      error: [ConversationNotFound, FileNotFound]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Write a message",
        description:
          "Without a `conversationId` it opens a conversation; one that was closed it opens again. 200 with the first message when this `clientMessageId` was sent before, whatever the body says now."
      })
    ),
    HttpApiEndpoint.put("mark", "/:messageId/status/:status", {
      params: {
        messageId,
        status: Schema.Literals(["read", "archived", "unread"]).annotate({
          description: "`unread` takes `read` and `archived` back"
        })
      },
      headers: writeHeaders,
      success: Message,
      error: [MessageNotFound, ActionNotAllowed]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Mark a message as read, archived or unread",
        description: "Only messages to the customer; the same again changes nothing."
      })
    )
  )
  .prefix("/messages")
  .annotateMerge(OpenApi.annotations({ title: "Messages", description: "What was written in conversations." })) {}

export class PlatformConversationsApi extends HttpApiGroup.make("platformConversations")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: PlatformConversationsQuery,
      success: PlatformConversationsPage
    }).annotate(OpenApi.Summary, "List all conversations"),
    HttpApiEndpoint.put("change", "/:conversationId", {
      params: { conversationId: ConversationId },
      headers: writeHeaders,
      payload: ConversationChanges,
      success: PlatformConversation,
      error: ConversationNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Close or open a conversation",
        description: "A closed one opens again as soon as anybody writes into it."
      })
    )
  )
  .prefix("/conversations")
  .annotateMerge(
    OpenApi.annotations({ title: "Platform: conversations", description: "The staff's side of conversations." })
  ) {}

export class PlatformMessagesApi extends HttpApiGroup.make("platformMessages")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: PlatformMessagesQuery,
      success: PlatformMessagesPage,
      error: ConversationNotFound
    }).annotate(OpenApi.Summary, "List all messages"),
    HttpApiEndpoint.get("get", "/:messageId", {
      params: { messageId },
      success: PlatformMessage,
      error: MessageNotFound
    }).annotate(OpenApi.Summary, "Read any message"),
    HttpApiEndpoint.post("push", "/", {
      headers: writeHeaders,
      payload: MessagePush,
      success: createdOf(PlatformMessage),
      error: [CustomerNotFound, ConversationNotFound]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Write to a customer",
        description:
          "Without a `conversationId` it opens a conversation; one that was closed it opens again. What the customer had written there counts as read."
      })
    ),
    HttpApiEndpoint.put("receive", "/:messageId/status/:status", {
      params: { messageId, status: Schema.Literals(["delivered", "read"]) },
      headers: writeHeaders,
      success: PlatformMessage,
      error: [MessageNotFound, ActionNotAllowed]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Mark a customer's message as delivered or read",
        description: "Only messages from customers; what is read stays read."
      })
    )
  )
  .prefix("/messages")
  .annotateMerge(OpenApi.annotations({ title: "Platform: messages", description: "The staff's side of messages." })) {}

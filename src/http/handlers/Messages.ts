import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Conversations } from "../../services/Conversations.ts"
import { Messages } from "../../services/Messages.ts"
import { MessageSending } from "../../services/MessageSending.ts"
import { Api } from "../Api.ts"
import { Created } from "../Records.ts"

export const ConversationsHandlers = HttpApiBuilder.group(
  Api,
  "conversations",
  Effect.fn(function* (handlers) {
    const conversations = yield* Conversations

    return handlers.handleAll({ list: ({ query }) => conversations.list(query) })
  })
)

export const MessagesHandlers = HttpApiBuilder.group(
  Api,
  "messages",
  Effect.fn(function* (handlers) {
    const messages = yield* Messages
    const { send } = yield* MessageSending

    return handlers.handleAll({
      list: ({ query }) => messages.list(query),
      get: ({ params }) => messages.get(params.messageId),
      send: ({ payload }) =>
        Effect.map(send(payload), ({ message, sent }) =>
          sent ? new Created(message, `/client-data/messages/${message.id}`) : message
        ),
      mark: ({ params }) => messages.mark(params.messageId, params.status)
    })
  })
)

export const PlatformConversationsHandlers = HttpApiBuilder.group(
  Api,
  "platformConversations",
  Effect.fn(function* (handlers) {
    const conversations = yield* Conversations

    return handlers.handleAll({
      list: ({ query }) => conversations.listAll(query),
      change: ({ params, payload }) => conversations.change(params.conversationId, payload)
    })
  })
)

export const PlatformMessagesHandlers = HttpApiBuilder.group(
  Api,
  "platformMessages",
  Effect.fn(function* (handlers) {
    const messages = yield* Messages
    const { push } = yield* MessageSending

    return handlers.handleAll({
      list: ({ query }) => messages.listAll(query),
      get: ({ params }) => messages.find(params.messageId),
      push: ({ payload }) =>
        Effect.map(push(payload), (message) => new Created(message, `/platform/messages/${message.id}`)),
      receive: ({ params }) => messages.receive(params.messageId, params.status)
    })
  })
)

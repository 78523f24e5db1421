import { Context, Data, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient, Statement } from "effect/sql"
import { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { ConversationNotFound, Party } from "../domain/Conversation.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import type { OrgId } from "../domain/Ids.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import {
  type Message,
  MessageNotFound,
  type MessagePush,
  type MessagesQuery,
  type NewMessage,
  type PlatformMessage,
  type PlatformMessagesQuery
} from "../domain/Message.ts"
import type { Page } from "../domain/Page.ts"
import type { FileNotFound } from "../domain/StoredFile.ts"
import { linked } from "./Attachments.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import { FileLinks } from "./FileLinks.ts"
import { Files } from "./Files.ts"
import { insertAttachments, messageColumns, messageColumnsOfSorts, StoredMessage } from "./MessageRows.ts"
import { paginate } from "./Paging.ts"

export class Messages extends Context.Service<
  Messages,
  {
    /** Newest first; after a sequence, and without another sort, the nearest first. */
    readonly list: (
      query: MessagesQuery
    ) => Effect.Effect<Page<Message>, InvalidRequest | ConversationNotFound, CurrentCustomer>
    readonly get: (id: string) => Effect.Effect<Message, MessageNotFound, CurrentCustomer>
    /**
     * Writes into a conversation, which opens it again if it was closed, or opens a new one. `sent` is false when this
     * `clientMessageId` was sent before: then it is that message, whatever else is said now.
     */
    readonly send: (
      message: NewMessage
    ) => Effect.Effect<
      { readonly message: Message; readonly sent: boolean },
      ConversationNotFound | FileNotFound,
      CurrentCustomer
    >
    /** What has become of a message to the customer; repeats change nothing. */
    readonly mark: (
      id: string,
      status: "read" | "archived" | "unread"
    ) => Effect.Effect<Message, MessageNotFound | ActionNotAllowed, CurrentCustomer>
    /** Those of all customers. */
    readonly listAll: (
      query: PlatformMessagesQuery
    ) => Effect.Effect<Page<PlatformMessage>, InvalidRequest | ConversationNotFound, CurrentPlatform>
    readonly find: (id: string) => Effect.Effect<PlatformMessage, MessageNotFound, CurrentPlatform>
    /** Whoever answers has read what the customer had written in the conversation. */
    readonly push: (
      message: MessagePush
    ) => Effect.Effect<PlatformMessage, CustomerNotFound | ConversationNotFound, CurrentPlatform>
    /** What has become of a message from the customer: it is never unread again. */
    readonly receive: (
      id: string,
      status: "delivered" | "read"
    ) => Effect.Effect<PlatformMessage, MessageNotFound | ActionNotAllowed, CurrentPlatform>
  }
>()("portico/services/Messages") {
  static readonly layer = Layer.effect(
    Messages,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const files = yield* Files
      const links = yield* FileLinks
      const random = yield* SecureRandom.SecureRandom
      const columns = sql.literal(messageColumns)
      const decode = Schema.decodeUnknownEffect(StoredMessage)

      const mine = Effect.fnUntraced(function* (row: unknown) {
        const { customerId, ...message } = yield* decode(row)
        return yield* linked(links, { orgId: (yield* CurrentCustomer).orgId, customerId }, message)
      })
      const ours = Effect.fnUntraced(function* (row: unknown) {
        const message = yield* decode(row)
        return yield* linked(links, { ...(yield* CurrentPlatform), customerId: message.customerId }, message)
      })

      const selectPage = Effect.fnUntraced(function* (
        client: SqlClient.SqlClient,
        query: MessagesQuery,
        whose: Statement.Fragment
      ) {
        const { after, before, conversationId } = query
        const filters = [whose]
        if (conversationId !== undefined) filters.push(client`conversation_id = ${conversationId}`)
        if (before !== undefined) filters.push(client`sequence < ${before}`)
        if (after !== undefined) filters.push(client`sequence > ${after}`)
        const page = yield* paginate({
          sql: client,
          query: { ...(after !== undefined && before === undefined && { st: "asc" as const }), ...query },
          sorts: messageColumnsOfSorts,
          byDefault: conversationId === undefined ? "createdAt" : "sequence",
          item: StoredMessage,
          columns,
          from: client`messages WHERE ${client.and(filters)}`
        })
        if (page.data.length > 0 || conversationId === undefined) return page
        const [there] = yield* client`SELECT 1 FROM conversations WHERE ${whose} AND id = ${conversationId}`
        return there === undefined ? yield* new ConversationNotFound() : page
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

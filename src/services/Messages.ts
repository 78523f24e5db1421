import { Context, Effect, Layer, Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { ConversationNotFound } from "../domain/Conversation.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import {
  type Message,
  MessageNotFound,
  type MessagesQuery,
  type PlatformMessage,
  type PlatformMessagesQuery
} from "../domain/Message.ts"
import type { Page } from "../domain/Page.ts"
import { linked } from "./Attachments.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"
import { FileLinks } from "./FileLinks.ts"
import { messageColumns, messageColumnsOfSorts, StoredMessage } from "./MessageRows.ts"
import { paginate } from "./Paging.ts"

/** What customers and staff have written to each other. How it gets there: `MessageSending`. */
export class Messages extends Context.Service<
  Messages,
  {
    /** Newest first; after a sequence, and without another sort, the nearest first. */
    readonly list: (
      query: MessagesQuery
    ) => Effect.Effect<Page<Message>, InvalidRequest | ConversationNotFound, CurrentCustomer>
    readonly get: (id: string) => Effect.Effect<Message, MessageNotFound, CurrentCustomer>
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
      const links = yield* FileLinks
      const columns = sql.literal(messageColumns)
      const decode = Schema.decodeUnknownEffect(StoredMessage)

      const mine = Effect.fnUntraced(function* ({ customerId, ...message }: typeof StoredMessage.Type) {
        return yield* linked(links, { ...(yield* CurrentCustomer), customerId }, message)
      })
      const ours = Effect.fnUntraced(function* (message: typeof StoredMessage.Type) {
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

      const selectMine = Effect.fnUntraced(function* (id: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          SELECT ${columns} FROM messages WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
        return row === undefined ? yield* new MessageNotFound() : yield* mine(yield* decode(row))
      })

      const selectOurs = Effect.fnUntraced(function* (id: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql`SELECT ${columns} FROM messages WHERE org_id = ${orgId} AND id = ${id}`
        return row === undefined ? yield* new MessageNotFound() : yield* ours(yield* decode(row))
      })

      const list = Effect.fn("Messages.list")(
        function* (query: MessagesQuery) {
          const { customerId, orgId } = yield* CurrentCustomer
          const page = yield* selectPage(sql, query, sql`org_id = ${orgId} AND customer_id = ${customerId}`)
          return { ...page, data: yield* Effect.forEach(page.data, mine) }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const get = Effect.fn("Messages.get")(selectMine, Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      const mark = Effect.fn("Messages.mark")(
        function* (id: string, status: "read" | "archived" | "unread") {
          const { customerId, orgId } = yield* CurrentCustomer
          const [row] = yield* sql`
          UPDATE messages SET
            status = ${status === "unread" ? "delivered" : status},
            read_at = CASE WHEN ${status === "unread"} THEN NULL ELSE coalesce(read_at, now()) END
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} AND from_kind <> 'customer'
          RETURNING ${columns}`
          if (row !== undefined) return yield* mine(yield* decode(row))
          yield* selectMine(id)
          return yield* new ActionNotAllowed({ detail: "Only messages to you can be read, archived or unread." })
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const listAll = Effect.fn("Messages.listAll")(
        function* (query: PlatformMessagesQuery) {
          const { orgId } = yield* CurrentPlatform
          const all = platformSql`org_id = ${orgId}`
          const theirs =
            query.customerId === undefined ? all : platformSql`${all} AND customer_id = ${query.customerId}`
          const page = yield* selectPage(platformSql, query, theirs)
          return { ...page, data: yield* Effect.forEach(page.data, ours) }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const find = Effect.fn("Messages.find")(selectOurs, Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      const receive = Effect.fn("Messages.receive")(
        function* (id: string, status: "delivered" | "read") {
          const { orgId } = yield* CurrentPlatform
          const [row] = yield* platformSql`
          UPDATE messages SET
            status = CASE WHEN status = 'read' THEN status ELSE ${status} END,
            read_at = CASE WHEN ${status === "read"} THEN coalesce(read_at, now()) ELSE read_at END
          WHERE org_id = ${orgId} AND id = ${id} AND from_kind = 'customer'
          RETURNING ${columns}`
          if (row !== undefined) return yield* ours(yield* decode(row))
          yield* selectOurs(id)
          return yield* new ActionNotAllowed({ detail: "Only messages from the customer can be delivered or read." })
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return Messages.of({ list, get, mark, listAll, find, receive })
    })
  )
}

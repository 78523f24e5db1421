import { Context, Effect, Layer, Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import {
  type Conversation,
  type ConversationChanges,
  ConversationNotFound,
  conversationSorts,
  type ConversationsQuery,
  PlatformConversation,
  type PlatformConversationsQuery
} from "../domain/Conversation.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { OrgId } from "../domain/Ids.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import { linked } from "./Attachments.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"
import { FileLinks } from "./FileLinks.ts"
import { messageColumns, StoredMessage } from "./MessageRows.ts"
import { paginate } from "./Paging.ts"

export const conversationColumns = `
  conversations.id, conversations.customer_id, subject, status, updated_at,
  jsonb_build_object('kind', 'customer', 'id', conversations.customer_id, 'name', (
    SELECT name FROM customers WHERE org_id = conversations.org_id AND id = conversations.customer_id)) || parties
    AS parties,
  (SELECT to_jsonb(last) FROM (SELECT ${messageColumns} FROM messages
    WHERE org_id = conversations.org_id AND customer_id = conversations.customer_id
      AND conversation_id = conversations.id AND sequence = last_sequence) AS last) AS last_message,
  (SELECT count(*)::int FROM messages
    WHERE org_id = conversations.org_id AND customer_id = conversations.customer_id
      AND conversation_id = conversations.id AND read_at IS NULL AND from_kind <> 'customer') AS unread_count`

/** The threads that messages belong to. */
export class Conversations extends Context.Service<
  Conversations,
  {
    /** By their last message, newest first, unless the query sorts otherwise. */
    readonly list: (query: ConversationsQuery) => Effect.Effect<Page<Conversation>, InvalidRequest, CurrentCustomer>
    /** Those of all customers. */
    readonly listAll: (
      query: PlatformConversationsQuery
    ) => Effect.Effect<Page<PlatformConversation>, InvalidRequest, CurrentPlatform>
    readonly find: (id: string) => Effect.Effect<PlatformConversation, ConversationNotFound, CurrentPlatform>
    readonly change: (
      id: string,
      changes: ConversationChanges
    ) => Effect.Effect<PlatformConversation, ConversationNotFound, CurrentPlatform>
  }
>()("portico/services/Conversations") {
  static readonly layer = Layer.effect(
    Conversations,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const links = yield* FileLinks

      const columns = sql.literal(conversationColumns)

      const shown = (orgId: OrgId, conversation: typeof StoredConversation.Type) =>
        Effect.map(
          linked(links, { orgId, customerId: conversation.customerId }, conversation.lastMessage),
          ({ customerId: _, ...lastMessage }) => ({ ...conversation, lastMessage })
        )

      const selectPage = (
        client: SqlClient.SqlClient,
        query: ConversationsQuery,
        orgId: OrgId,
        whose: Statement.Fragment
      ) =>
        Effect.gen(function* () {
          const page = yield* paginate({
            sql: client,
            query,
            sorts: {
              lastMessageAt: { type: conversationSorts.lastMessageAt, column: "conversations.last_message_at" },
              updatedAt: { type: conversationSorts.updatedAt, column: "conversations.updated_at" },
              subject: { type: conversationSorts.subject, column: "coalesce(conversations.subject, '')" },
              status: { type: conversationSorts.status, column: "conversations.status" },
              id: { type: conversationSorts.id, column: "conversations.id" }
            },
            byDefault: "lastMessageAt",
            item: StoredConversation,
            columns,
            from: client`conversations WHERE ${whose}`
          })
          return { ...page, data: yield* Effect.forEach(page.data, (conversation) => shown(orgId, conversation)) }
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      const list = Effect.fn("Conversations.list")(function* (query: ConversationsQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        const page = yield* selectPage(sql, query, orgId, sql`org_id = ${orgId} AND customer_id = ${customerId}`)
        return { ...page, data: page.data.map(({ customerId: _, ...conversation }) => conversation) }
      })

      const listAll = Effect.fn("Conversations.listAll")(function* (query: PlatformConversationsQuery) {
        const { orgId } = yield* CurrentPlatform
        const ours = platformSql`org_id = ${orgId}`
        const theirs =
          query.customerId === undefined ? ours : platformSql`${ours} AND customer_id = ${query.customerId}`
        return yield* selectPage(platformSql, query, orgId, theirs)
      })

      const find = Effect.fn("Conversations.find")(function* (id: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql`
          SELECT ${columns} FROM conversations WHERE org_id = ${orgId} AND id = ${id}`.pipe(Effect.orDie)
        if (row === undefined) return yield* new ConversationNotFound()
        return yield* shown(orgId, yield* Effect.orDie(decode(row)))
      })

      const change = Effect.fn("Conversations.change")(function* (id: string, { status }: ConversationChanges) {
        const { orgId } = yield* CurrentPlatform
        yield* platformSql`
          UPDATE conversations SET status = ${status}, updated_at = clock_timestamp()
          WHERE org_id = ${orgId} AND id = ${id} AND status <> ${status}`.pipe(Effect.orDie)
        return yield* find(id)
      })

      return Conversations.of({ list, listAll, find, change })
    })
  )
}

/** A conversation as its row says, before its last message's attachments have urls. */
export const StoredConversation = Schema.Struct({
  ...PlatformConversation.fields,
  lastMessage: Schema.toCodecJson(StoredMessage)
})
const decode = Schema.decodeUnknownEffect(StoredConversation)

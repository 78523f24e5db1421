import { Context, Data, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient, Statement } from "effect/sql"
import { ConversationNotFound, type Party } from "../domain/Conversation.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { Message, MessagePush, NewMessage, PlatformMessage } from "../domain/Message.ts"
import type { FileNotFound } from "../domain/StoredFile.ts"
import { linked } from "./Attachments.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import { FileLinks } from "./FileLinks.ts"
import { Files } from "./Files.ts"
import { Notices } from "./Notices.ts"
import { insertAttachments, messageColumns, StoredMessage } from "./MessageRows.ts"

/** How messages get into conversations: whoever writes into a closed one opens it again. */
export class MessageSending extends Context.Service<
  MessageSending,
  {
    /** `sent` is false when this `clientMessageId` was sent before: then it is that message, whatever it says now. */
    readonly send: (
      message: NewMessage
    ) => Effect.Effect<
      { readonly message: Message; readonly sent: boolean },
      ConversationNotFound | FileNotFound,
      CurrentCustomer
    >
    /** Whoever answers has read what the customer had written in the conversation. The customer is told. */
    readonly push: (
      message: MessagePush
    ) => Effect.Effect<PlatformMessage, CustomerNotFound | ConversationNotFound, CurrentPlatform>
  }
>()("portico/services/MessageSending") {
  static readonly layer = Layer.effect(
    MessageSending,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const files = yield* Files
      const links = yield* FileLinks
      const notices = yield* Notices
      const random = yield* SecureRandom.SecureRandom
      const columns = sql.literal(messageColumns)
      const decode = Schema.decodeUnknownEffect(StoredMessage)

      const openConversation = Effect.fnUntraced(function* (
        client: SqlClient.SqlClient,
        { customerId, orgId }: Owner,
        subject: string | undefined,
        party: Party
      ) {
        const id = yield* random.uuidV7()
        const [place] = yield* client<Place>`
          INSERT INTO conversations (
            org_id, id, customer_id, subject, status, parties, last_sequence, last_message_at, updated_at
          )
          SELECT ${orgId}, ${id}, ${customerId}, ${subject ?? null}, 'open', ${JSON.stringify([party])}::text::jsonb, 1,
            at, at
          FROM (SELECT clock_timestamp() AS at) AS clock
          RETURNING id, last_sequence AS sequence, last_message_at AS at`
        return place!
      })

      // Its lock makes the next writer wait until this message is there for good, or the sequence as it was.
      const updateConversation = Effect.fnUntraced(function* (
        client: SqlClient.SqlClient,
        { customerId, orgId }: Owner,
        id: string
      ) {
        const [place] = yield* client<Place>`
          UPDATE conversations SET status = 'open', last_sequence = last_sequence + 1, (last_message_at, updated_at) = (
            SELECT at, at FROM (SELECT greatest(clock_timestamp(), last_message_at) AS at) AS clock)
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
          RETURNING id, last_sequence AS sequence, last_message_at AS at`
        return place === undefined ? yield* new ConversationNotFound() : place
      })

      const insertMessage = Effect.fnUntraced(function* (
        client: SqlClient.SqlClient,
        { customerId, orgId }: Owner,
        place: Place,
        { clientMessageId, from, status, text }: Written
      ) {
        const id = yield* random.uuidV7()
        const [row] = yield* client`
          INSERT INTO messages (
            org_id, id, customer_id, conversation_id, sequence, from_kind, from_id, from_name, text, client_message_id,
            status, created_at
          )
          VALUES (${orgId}, ${id}, ${customerId}, ${place.id}, ${place.sequence}, ${from.kind}, ${from.id}, ${from.name},
            ${text}, ${clientMessageId ?? null}, ${status}, ${place.at})
          ON CONFLICT (org_id, customer_id, client_message_id) WHERE client_message_id IS NOT NULL DO NOTHING
          RETURNING ${columns}`
        return row === undefined ? yield* new SentBefore() : yield* decode(row)
      })

      const selectSent = Effect.fnUntraced(function* (clientMessageId: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          SELECT ${columns} FROM messages
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND client_message_id = ${clientMessageId}`
        return row === undefined ? undefined : yield* decode(row)
      })

      const write = Effect.fnUntraced(function* (message: NewMessage) {
        const me = yield* CurrentCustomer
        const { attachments = [], clientMessageId, conversationId, subject, text, to } = message
        const party = { kind: "staff" as const, id: null, name: null, ...to }
        const place = yield* conversationId === undefined
          ? openConversation(sql, me, subject, party)
          : updateConversation(sql, me, conversationId)
        const attached = yield* files.attachable(attachments)
        const name = sql`(SELECT name FROM customers WHERE org_id = ${me.orgId} AND id = ${me.customerId})`
        const from = { kind: "customer", id: me.customerId, name } as const
        const written = yield* insertMessage(sql, me, place, { from, text, clientMessageId, status: "sent" })
        yield* insertAttachments(sql, { ...me, id: written.id }, attached)
        return { ...written, attachments: attached }
      }, transaction(sql))

      const push = Effect.fn("MessageSending.push")(
        function* ({ conversationId, customerId, from, subject, text }: MessagePush) {
          const { orgId } = yield* CurrentPlatform
          const them = { orgId, customerId }
          const [customer] = yield* platformSql`
            SELECT id FROM customers WHERE org_id = ${orgId} AND id = ${customerId} AND erased_at IS NULL`
          if (customer === undefined) return yield* new CustomerNotFound()
          const place = yield* conversationId === undefined
            ? openConversation(platformSql, them, subject, from)
            : Effect.andThen(join(them, conversationId, from), updateConversation(platformSql, them, conversationId))
          const named = { ...from, name: platformSql`${from.name}` }
          const written = yield* insertMessage(platformSql, them, place, { from: named, text, status: "delivered" })
          yield* platformSql`
            UPDATE messages SET status = 'read', read_at = ${place.at}
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND conversation_id = ${place.id}
              AND from_kind = 'customer' AND read_at IS NULL`
          yield* notices.tell({
            customerId,
            template: "message",
            facts: { from: from.name, text: beginningOf(text) },
            data: { conversationId: place.id, messageId: written.id },
            link: `/messages/${place.id}`
          })
          return yield* linked(links, them, written)
        },
        transaction(platformSql),
        Effect.catchTag(["SqlError", "SchemaError", "SentBefore"], Effect.die)
      )

      const join = Effect.fnUntraced(function* ({ customerId, orgId }: Owner, id: string, party: Party) {
        const [held] = yield* platformSql<{ readonly parties: ReadonlyArray<Party> }>`
          SELECT parties FROM conversations
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} FOR NO KEY UPDATE`
        if (held === undefined) return
        yield* platformSql`
          UPDATE conversations SET parties = ${JSON.stringify(joined(held.parties, party))}::text::jsonb
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
      })

      const send = Effect.fn("MessageSending.send")(
        function* (message: NewMessage) {
          const { clientMessageId } = message
          const before = clientMessageId === undefined ? undefined : yield* selectSent(clientMessageId)
          const written =
            before ??
            (yield* write(message).pipe(
              // Another request with this id was faster: all that this one did is undone.
              Effect.catchTag("SentBefore", () => Effect.succeed(undefined))
            ))
          const { customerId, ...shown } = written ?? (yield* selectSent(clientMessageId!))!
          return {
            message: yield* linked(links, { ...(yield* CurrentCustomer), customerId }, shown),
            sent: before === undefined && written !== undefined
          }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return MessageSending.of({ send, push })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

interface Owner {
  readonly orgId: OrgId
  readonly customerId: CustomerId
}

/** Where a message belongs. */
interface Place {
  readonly id: string
  readonly sequence: number
  readonly at: Date
}

interface Written {
  readonly from: { readonly kind: Party["kind"]; readonly id: string; readonly name: Statement.Fragment }
  readonly text: string
  readonly clientMessageId?: string | undefined
  readonly status: Message["status"]
}

const beginningOf = (text: string) => {
  const characters = [...text]
  return characters.length <= 200 ? text : `${characters.slice(0, 199).join("")}…`
}

/** Leaves the transaction: this message is there already. */
class SentBefore extends Data.TaggedError("SentBefore") {}

/** Who answers takes the place that was kept for whoever would. */
const joined = (parties: ReadonlyArray<Party>, party: Party): ReadonlyArray<Party> => {
  const own = parties.findIndex(({ id, kind }) => kind === party.kind && id === party.id)
  const kept = own >= 0 ? own : parties.findIndex(({ id, kind }) => kind === party.kind && id === null)
  return kept < 0 ? [...parties, party] : parties.map((other, index) => (index === kept ? party : other))
}

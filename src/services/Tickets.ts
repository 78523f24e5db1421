import { Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import { OrderNotFound } from "../domain/Order.ts"
import type { Page } from "../domain/Page.ts"
import type { FileNotFound, QuotaExceeded, StoredFile } from "../domain/StoredFile.ts"
import {
  actionsOf,
  type NewTicket,
  statusesFor,
  type Ticket,
  type TicketChanges,
  TicketNotFound,
  type TicketRow,
  type TicketsQuery
} from "../domain/Ticket.ts"
import { type IfMatch, VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { linked } from "./Attachments.ts"
import { CustomerSql, transaction } from "./Database.ts"
import { FileLinks } from "./FileLinks.ts"
import { Files } from "./Files.ts"
import { FileUploads, type Received } from "./FileUploads.ts"
import {
  insertAttachments,
  insertComment,
  selectTickets,
  StoredTicket,
  wholeTicketColumns,
  withLinks,
  type WrittenTicket
} from "./TicketRows.ts"

type Versions = typeof IfMatch.Type

export class Tickets extends Context.Service<
  Tickets,
  {
    /** Newest first, unless the query sorts otherwise. */
    readonly list: (query: TicketsQuery) => Effect.Effect<Page<TicketRow>, InvalidRequest, CurrentCustomer>
    /** By number or id. */
    readonly get: (numberOrId: string) => Effect.Effect<Ticket, TicketNotFound, CurrentCustomer>
    readonly open: (ticket: NewTicket) => Effect.Effect<Ticket, OrderNotFound | FileNotFound, CurrentCustomer>
    /** The files that came with it become the customer's own, among theirs in `tickets`. All of it happens, or nothing. */
    readonly openWith: (
      ticket: NewTicket,
      received: ReadonlyArray<Received>
    ) => Effect.Effect<Ticket, OrderNotFound | FileNotFound | QuotaExceeded, CurrentCustomer>
    /** Merges field by field; a comment opens a ticket again that is done. All of it happens, or nothing. */
    readonly change: (
      changes: TicketChanges,
      ifMatch?: Versions
    ) => Effect.Effect<Ticket, TicketNotFound | FileNotFound | ActionNotAllowed | VersionMismatch, CurrentCustomer>
  }
>()("portico/services/Tickets") {
  static readonly layer = Layer.effect(
    Tickets,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const files = yield* Files
      const uploads = yield* FileUploads
      const links = yield* FileLinks
      const random = yield* SecureRandom.SecureRandom
      const whole = sql.literal(wholeTicketColumns)
      const decode = Schema.decodeUnknownEffect(StoredTicket)

      // As late as it can be: the org's next number keeps everybody else waiting until the commit.
      const insertTicket = Effect.fnUntraced(function* ({ description, priority, title, ...ticket }: NewTicket) {
        const { customerId, orgId } = yield* CurrentCustomer
        const id = yield* random.uuidV7()
        const orderId = ticket.orderId ?? null
        const [row] = yield* sql<WrittenTicket>`
          WITH allowed AS (
            SELECT 1 WHERE ${orderId}::text IS NULL OR EXISTS (
              SELECT 1 FROM orders WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${orderId})
          ), numbered AS (
            INSERT INTO ticket_numbers AS counter (org_id, last) SELECT ${orgId}, 1001 FROM allowed
            ON CONFLICT (org_id) DO UPDATE SET last = counter.last + 1
            RETURNING last
          )
          INSERT INTO tickets (org_id, id, customer_id, number, title, description, status, priority, order_id)
          SELECT ${orgId}, ${id}, ${customerId}, last::text, ${title}, ${description}, 'new', ${priority ?? "medium"},
            ${orderId}
          FROM numbered
          RETURNING org_id, customer_id, id, comment_count`
        return row
      })

      const updateMine = Effect.fnUntraced(function* ({ ticketNumber, ...changes }: TicketChanges, ifMatch?: Versions) {
        const { customerId, orgId } = yield* CurrentCustomer
        const { comment, description = null, priority = null, status = null, title = null } = changes
        const says = comment !== undefined
        const [row] = yield* sql<WrittenTicket>`
          UPDATE tickets SET
            title = coalesce(${title}::text, title),
            description = coalesce(${description}::text, description),
            priority = coalesce(${priority}::text, priority),
            status = coalesce(${status}::text, CASE WHEN ${says} AND status = 'done' THEN 'open' ELSE status END),
            comment_count = comment_count + ${says}::int
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND (id = ${ticketNumber} OR number = ${ticketNumber})
            AND (${versionsLiteral(ifMatch)}::text IS NULL OR version = ANY (${versionsLiteral(ifMatch)}::text::int[]))
            AND status = ANY (${`{${statusesFor(actionsOf(changes)).join()}}`}::text::text[])
          RETURNING org_id, customer_id, id, comment_count`
        return row
      })

      const selectMine = Effect.fnUntraced(function* (numberOrId: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          SELECT ${whole} FROM tickets
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND (id = ${numberOrId} OR number = ${numberOrId})`
        if (row === undefined) return yield* new TicketNotFound()
        const { customerId: _, ...ticket } = yield* decode(row)
        return yield* withLinks(links, { orgId, customerId }, ticket)
      })

      const list = Effect.fn("Tickets.list")(
        function* (query: TicketsQuery) {
          const { customerId, orgId } = yield* CurrentCustomer
          const page = yield* selectTickets(sql, query, sql`org_id = ${orgId} AND customer_id = ${customerId}`)
          const data = yield* Effect.forEach(page.data, ({ customerId: _, ...ticket }) =>
            linked(links, { orgId, customerId }, ticket)
          )
          return { ...page, data }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const get = Effect.fn("Tickets.get")(selectMine, Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      const write = Effect.fnUntraced(
        function* <E>(ticket: NewTicket, kept: Effect.Effect<ReadonlyArray<StoredFile>, E, CurrentCustomer>) {
          const attached = [...(yield* files.attachable(ticket.attachments ?? [])), ...(yield* kept)]
          const made = yield* insertTicket(ticket)
          if (made === undefined) return yield* new OrderNotFound()
          yield* insertAttachments(sql, made, attached)
          return yield* Effect.catchTag(selectMine(made.id), "TicketNotFound", Effect.die)
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const open = Effect.fn("Tickets.open")((ticket: NewTicket) => write(ticket, Effect.succeed([])))

      const openWith = Effect.fn("Tickets.openWith")((ticket: NewTicket, received: ReadonlyArray<Received>) =>
        write(ticket, uploads.keep(received, "tickets"))
      )

      const change = Effect.fn("Tickets.change")(
        function* (changes: TicketChanges, ifMatch?: Versions) {
          const { customerId, orgId } = yield* CurrentCustomer
          const changed = yield* updateMine(changes, ifMatch)
          if (changed === undefined) {
            const { availableActions, status, version } = yield* selectMine(changes.ticketNumber)
            if (ifMatch?.includes(version) === false) return yield* new VersionMismatch()
            const allowed = availableActions.join(", ") || "nothing more"
            return yield* new ActionNotAllowed({ detail: `The ticket is ${status}, which allows: ${allowed}.` })
          }
          if (changes.comment !== undefined) {
            const { attachments = [], text } = changes.comment
            const name = sql`(SELECT name FROM customers WHERE org_id = ${orgId} AND id = ${customerId})`
            yield* insertComment(sql, changed, { id: yield* random.uuidV7(), kind: "customer", name, text })
            yield* insertAttachments(sql, changed, yield* files.attachable(attachments))
          }
          return yield* selectMine(changed.id)
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return Tickets.of({ list, get, open, openWith, change })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

import { Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import {
  type PlatformTicket,
  type PlatformTicketRow,
  type PlatformTicketsQuery,
  type TicketAnswer,
  TicketNotFound
} from "../domain/Ticket.ts"
import { type IfMatch, VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { linked } from "./Attachments.ts"
import { PlatformSql, transaction } from "./Database.ts"
import { FileLinks } from "./FileLinks.ts"
import { Notices } from "./Notices.ts"
import {
  insertComment,
  selectTickets,
  StoredTicket,
  wholeTicketColumns,
  withLinks,
  type WrittenTicket
} from "./TicketRows.ts"

type Versions = typeof IfMatch.Type

/** The platform's side of tickets. */
export class TicketAnswers extends Context.Service<
  TicketAnswers,
  {
    /** Those of all customers. */
    readonly list: (
      query: PlatformTicketsQuery
    ) => Effect.Effect<Page<PlatformTicketRow>, InvalidRequest, CurrentPlatform>
    readonly find: (numberOrId: string) => Effect.Effect<PlatformTicket, TicketNotFound, CurrentPlatform>
    /**
     * Any status may follow any other; a reply alone leaves it as it is. The customer is told of a reply, or else of a new
     * status.
     */
    readonly answer: (
      numberOrId: string,
      answer: TicketAnswer,
      ifMatch?: Versions
    ) => Effect.Effect<PlatformTicket, TicketNotFound | VersionMismatch, CurrentPlatform>
  }
>()("portico/services/TicketAnswers") {
  static readonly layer = Layer.effect(
    TicketAnswers,
    Effect.gen(function* () {
      const platformSql = yield* PlatformSql
      const links = yield* FileLinks
      const notices = yield* Notices
      const random = yield* SecureRandom.SecureRandom
      const whole = platformSql.literal(wholeTicketColumns)
      const decode = Schema.decodeUnknownEffect(StoredTicket)

      const update = Effect.fnUntraced(function* (numberOrId: string, answer: TicketAnswer, ifMatch?: Versions) {
        const { orgId } = yield* CurrentPlatform
        const { priority = null, reply, status = null } = answer
        const [row] = yield* platformSql<WrittenTicket>`
          UPDATE tickets SET
            status = coalesce(${status}::text, status), priority = coalesce(${priority}::text, priority),
            comment_count = comment_count + ${reply !== undefined}::int
          WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})
            AND (${versionsLiteral(ifMatch)}::text IS NULL OR version = ANY (${versionsLiteral(ifMatch)}::text::int[]))
          RETURNING org_id, customer_id, id, comment_count`
        return row
      })

      const select = Effect.fnUntraced(function* (numberOrId: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql`
          SELECT ${whole} FROM tickets WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})`
        if (row === undefined) return yield* new TicketNotFound()
        const ticket = yield* decode(row)
        return yield* withLinks(links, { orgId, customerId: ticket.customerId }, ticket)
      })

      const list = Effect.fn("TicketAnswers.list")(
        function* (query: PlatformTicketsQuery) {
          const { orgId } = yield* CurrentPlatform
          const page = yield* selectTickets(platformSql, query, platformSql`org_id = ${orgId}`)
          const data = yield* Effect.forEach(page.data, (ticket) =>
            linked(links, { orgId, customerId: ticket.customerId }, ticket)
          )
          return { ...page, data }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const find = Effect.fn("TicketAnswers.find")(select, Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      // Locked, so that of two answers at once the later one sees the earlier one's status.
      const selectStatus = Effect.fnUntraced(function* (numberOrId: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql<Pick<PlatformTicket, "status">>`
          SELECT status FROM tickets
          WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId}) FOR NO KEY UPDATE`
        return row?.status
      })

      const tell = Effect.fnUntraced(function* (
        { customerId, id, number, status, title }: PlatformTicket,
        before: PlatformTicket["status"] | undefined,
        reply: TicketAnswer["reply"]
      ) {
        const about = { customerId, data: { ticketId: id, number, status }, link: `/tickets/${number}` }
        if (reply !== undefined) {
          const { author } = reply
          yield* notices.tell({ ...about, template: "ticketReply", facts: { number, title, author } })
        } else if (status !== before) {
          yield* notices.tell({ ...about, template: "ticketStatus", facts: { number, title, status } })
        }
      })

      const answer = Effect.fn("TicketAnswers.answer")(
        function* (numberOrId: string, answer: TicketAnswer, ifMatch?: Versions) {
          const before = yield* selectStatus(numberOrId)
          const changed = yield* update(numberOrId, answer, ifMatch)
          if (changed === undefined) {
            yield* select(numberOrId)
            return yield* new VersionMismatch()
          }
          if (answer.reply !== undefined) {
            const { author, text } = answer.reply
            const comment = { id: yield* random.uuidV7(), kind: "staff", name: platformSql`${author}`, text } as const
            yield* insertComment(platformSql, changed, comment)
          }
          const ticket = yield* select(changed.id)
          yield* tell(ticket, before, answer.reply)
          return ticket
        },
        transaction(platformSql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return TicketAnswers.of({ list, find, answer })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

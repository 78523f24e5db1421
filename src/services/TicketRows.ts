import { Effect, Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { Attached } from "../domain/Attachment.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { SortType } from "../domain/Page.ts"
import type { StoredFile } from "../domain/StoredFile.ts"
import {
  actionsIn,
  PlatformTicketRow,
  type PlatformTicketsQuery,
  TicketComment,
  TicketPriority,
  ticketSorts,
  TicketStatus
} from "../domain/Ticket.ts"
import { attachedTo, linked } from "./Attachments.ts"
import type { FileLinks } from "./FileLinks.ts"
import { paginate } from "./Paging.ts"

const attachments = Schema.Array(Attached)

/** A ticket of a list as its row says, before its attachments have urls. */
const StoredTicketRow = Schema.Struct({ ...PlatformTicketRow.fields, attachments })

export const StoredTicket = Schema.Struct({
  ...StoredTicketRow.fields,
  comments: Schema.Array(Schema.Struct({ ...TicketComment.fields, attachments }))
})

const actions = JSON.stringify(Object.fromEntries(TicketStatus.literals.map((status) => [status, actionsIn(status)])))

export const ticketColumns = `
  tickets.id, number, title, description, status, priority, order_id, tickets.customer_id, version, tickets.created_at,
  updated_at, '${actions}'::jsonb -> status AS available_actions,
  ${attachedTo("ticket_attachments", "tickets", "ticket_id = tickets.id AND comment_sequence = 0")} AS attachments`

const comments = `
  (SELECT coalesce(jsonb_agg(jsonb_build_object(
    'id', comments.id, 'author', jsonb_build_object('kind', author_kind, 'name', author_name), 'text', text,
    'createdAt', comments.created_at, 'attachments',
    ${attachedTo("ticket_attachments", "tickets", "ticket_id = tickets.id AND comment_sequence = comments.sequence")}
  ) ORDER BY sequence), '[]')
  FROM ticket_comments AS comments
  WHERE org_id = tickets.org_id AND customer_id = tickets.customer_id AND ticket_id = tickets.id)`

/** With all that has been said. */
export const wholeTicketColumns = `${ticketColumns}, ${comments} AS comments`

type Sort = { readonly type: SortType; readonly column: `${string}.${string}` }

const sorts: Readonly<Record<keyof typeof ticketSorts, Sort>> = {
  id: { type: ticketSorts.id, column: "tickets.id" },
  number: { type: ticketSorts.number, column: "tickets.number::bigint" },
  title: { type: ticketSorts.title, column: "tickets.title" },
  status: { type: ticketSorts.status, column: "tickets.status" },
  priority: {
    type: ticketSorts.priority,
    column: `array_position('{${TicketPriority.literals.join()}}'::text[], tickets.priority)`
  },
  version: { type: ticketSorts.version, column: "tickets.version" },
  createdAt: { type: ticketSorts.createdAt, column: "tickets.created_at" },
  updatedAt: { type: ticketSorts.updatedAt, column: "tickets.updated_at" }
}

/** One page of the tickets that are `whose`, the customer or org first. */
export const selectTickets = (sql: SqlClient.SqlClient, query: PlatformTicketsQuery, whose: Statement.Fragment) => {
  const filters = [whose]
  if (query.status !== undefined) filters.push(sql.in("status", query.status))
  if (query.priority !== undefined) filters.push(sql.in("priority", query.priority))
  if (query.customerId !== undefined) filters.push(sql`customer_id = ${query.customerId}`)
  return paginate({
    sql,
    query,
    sorts,
    byDefault: "createdAt",
    item: StoredTicketRow,
    columns: sql.literal(ticketColumns),
    from: sql`tickets WHERE ${sql.and(filters)}`
  })
}

/** A ticket that this transaction has locked, and how many comments it has now. */
export interface WrittenTicket {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly id: string
  readonly commentCount: number
}

/** Writes down the last comment that a ticket has counted. */
export const insertComment = (
  sql: SqlClient.SqlClient,
  { commentCount, customerId, id, orgId }: WrittenTicket,
  comment: {
    readonly id: string
    readonly kind: "customer" | "staff"
    readonly name: Statement.Fragment
    readonly text: string
  }
) => sql`
  INSERT INTO ticket_comments (org_id, customer_id, ticket_id, sequence, id, author_kind, author_name, text)
  VALUES (${orgId}, ${customerId}, ${id}, ${commentCount}, ${comment.id}, ${comment.kind}, ${comment.name},
    ${comment.text})`

/** Attaches files to a ticket's last comment, or to a ticket that has none yet. */
export const insertAttachments = (
  sql: SqlClient.SqlClient,
  { commentCount, customerId, id, orgId }: WrittenTicket,
  files: ReadonlyArray<StoredFile>
) =>
  files.length === 0
    ? Effect.void
    : sql`
        INSERT INTO ticket_attachments (org_id, customer_id, ticket_id, comment_sequence, position, file_id)
        SELECT ${orgId}, ${customerId}, ${id}, ${commentCount}, position, file_id
        FROM unnest(${`{${files.map((file) => file.id).join()}}`}::text::text[])
          WITH ORDINALITY AS attached (file_id, position)`

type Owner = { readonly orgId: OrgId; readonly customerId: CustomerId }

/** Gives the attachments of a ticket and of its comments their urls. */
export const withLinks = Effect.fnUntraced(function* <
  A extends Pick<typeof StoredTicket.Type, "attachments" | "comments">
>(links: FileLinks["Service"], owner: Owner, ticket: A) {
  const comments = yield* Effect.forEach(ticket.comments, (comment) => linked(links, owner, comment))
  return { ...(yield* linked(links, owner, ticket)), comments }
})

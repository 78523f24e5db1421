import { Schema } from "effect"
import { Attachment, AttachmentPaths } from "./Attachment.ts"
import { example } from "./Example.ts"
import { CustomerId } from "./Ids.ts"
import { OrderId } from "./Order.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const TicketStatus = Schema.Literals([
  "new",
  "open",
  "pending",
  "inprogress",
  "blocked",
  "done",
  "canceled"
]).annotate({ identifier: "TicketStatus" })
export type TicketStatus = typeof TicketStatus.Type

/** In the order of urgency. */
export const TicketPriority = Schema.Literals(["low", "medium", "high", "urgent"]).annotate({
  identifier: "TicketPriority"
})

export const TicketAction = Schema.Literals(["edit", "comment", "cancel", "complete", "reopen"]).annotate({
  identifier: "TicketAction"
})
export type TicketAction = typeof TicketAction.Type

const live = ["new", "open", "pending", "inprogress", "blocked"] as const

/** What the customer may do in which status, and where it leads; the staff may do anything. */
export const ticketMoves: Readonly<
  Record<TicketAction, { readonly from: ReadonlyArray<TicketStatus>; readonly to?: TicketStatus }>
> = {
  edit: { from: [...live, "done"] },
  comment: { from: [...live, "done"] },
  cancel: { from: live, to: "canceled" },
  complete: { from: ["pending", "inprogress", "blocked"], to: "done" },
  reopen: { from: ["done"], to: "open" }
}

export const actionsIn = (status: TicketStatus): ReadonlyArray<TicketAction> =>
  TicketAction.literals.filter((action) => ticketMoves[action].from.includes(status))

/** The actions that a change consists of. */
export const actionsOf = (changes: Omit<TicketChanges, "ticketNumber">): ReadonlyArray<TicketAction> => {
  const { comment, description, priority, status, title } = changes
  return TicketAction.literals.filter((action) => {
    if (action === "edit") return title !== undefined || description !== undefined || priority !== undefined
    if (action === "comment") return comment !== undefined
    return status !== undefined && ticketMoves[action].to === status
  })
}

/** The statuses in which the customer may do all of it. */
export const statusesFor = (actions: ReadonlyArray<TicketAction>): ReadonlyArray<TicketStatus> =>
  TicketStatus.literals.filter((status) => actions.every((action) => ticketMoves[action].from.includes(status)))

export const TicketComment = Schema.Struct({
  id: Schema.String,
  author: Schema.Struct({ kind: Schema.Literals(["customer", "staff"]), name: Schema.NullOr(Schema.String) }),
  text: Schema.String,
  attachments: Schema.Array(Attachment),
  // Read as part of a jsonb value, so an instant is text there.
  createdAt: Schema.toCodecJson(Timestamp)
}).annotate({ identifier: "TicketComment" })

const facts = {
  id: Schema.String,
  number: Schema.String.annotate({ description: "Unique within the org; not every number is given out" }),
  title: Schema.String,
  description: Schema.String,
  status: TicketStatus,
  priority: TicketPriority,
  orderId: Schema.NullOr(OrderId),
  attachments: Schema.Array(Attachment),
  availableActions: Schema.Array(TicketAction).annotate({
    description:
      "What the customer may do now: `edit` title, description and priority; `comment`; `cancel`, `complete`, `reopen` (status canceled, done, open)"
  }),
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}

const about = {
  id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
  number: "1042",
  title: "Two keys of the comptometer stick",
  description: "The 7 and the 8 of the third column stay down.",
  status: "pending" as const,
  priority: "medium" as const,
  orderId: OrderId.make("order-1002"),
  attachments: [],
  availableActions: actionsIn("pending"),
  version: 2,
  createdAt: new Date("2026-11-20T17:31:02.118Z"),
  updatedAt: new Date("2026-11-21T09:12:40.009Z")
}
const said = {
  comments: [
    {
      id: "0198f7a0-11c4-7c1d-8a55-6a1f0b7c9d2e",
      author: { kind: "staff" as const, name: "Charles" },
      text: "Does it help to pull the clearing lever twice?",
      attachments: [],
      createdAt: new Date("2026-11-21T09:12:40.009Z")
    }
  ]
}
const ada = { customerId: CustomerId.make("ada") }

const comments = Schema.Array(TicketComment).annotate({ description: "Oldest first" })

export const Ticket = Schema.Struct({ ...facts, comments }).annotate({
  identifier: "Ticket",
  examples: [example({ ...about, ...said })]
})
export type Ticket = typeof Ticket.Type

/** A ticket as a list shows it. */
export const TicketRow = Schema.Struct(facts).annotate({ identifier: "TicketRow", examples: [example(about)] })
export type TicketRow = typeof TicketRow.Type

/** A ticket as the staff see it. */
export const PlatformTicket = Schema.Struct({ ...facts, customerId: CustomerId, comments }).annotate({
  identifier: "PlatformTicket",
  examples: [example({ ...about, ...ada, ...said })]
})
export type PlatformTicket = typeof PlatformTicket.Type

export const PlatformTicketRow = Schema.Struct({ ...facts, customerId: CustomerId }).annotate({
  identifier: "PlatformTicketRow",
  examples: [example({ ...about, ...ada })]
})
export type PlatformTicketRow = typeof PlatformTicketRow.Type

/** Fields that a list of tickets sorts by; priorities by urgency. */
export const ticketSorts = {
  id: "text",
  number: "integer",
  title: "text",
  status: "text",
  priority: "integer",
  version: "integer",
  createdAt: "instant",
  updatedAt: "instant"
} as const

const filters = {
  ...listQuery(ticketSorts, "createdAt"),
  status: Schema.optionalKey(Schema.Array(TicketStatus).check(Schema.isMaxLength(7))),
  priority: Schema.optionalKey(Schema.Array(TicketPriority).check(Schema.isMaxLength(4)))
}
export const TicketsQuery = Schema.Struct(filters)
export type TicketsQuery = typeof TicketsQuery.Type

export const PlatformTicketsQuery = Schema.Struct({ ...filters, customerId: Schema.optionalKey(CustomerId) })
export type PlatformTicketsQuery = typeof PlatformTicketsQuery.Type

export const TicketsPage = pageOf("TicketsPage", TicketRow)
export const PlatformTicketsPage = pageOf("PlatformTicketsPage", PlatformTicketRow)

export const TicketNumber = Text(1, 128, "The ticket's number or id")

/** What a new ticket says, apart from its attachments. */
export const ticketFields = {
  title: Text(1, 200),
  description: Text(1, 10_000),
  priority: Schema.optionalKey(TicketPriority).annotateKey({ description: "medium if absent" }),
  orderId: Schema.optionalKey(OrderId).annotate({ description: "The id of an order of the customer's own" })
}

export const NewTicket = Schema.Struct({
  ...ticketFields,
  attachments: Schema.optionalKey(AttachmentPaths)
}).annotate({
  identifier: "NewTicket",
  examples: [
    { title: "Two keys of the comptometer stick", description: "The 7 and the 8 of the third column stay down." }
  ]
})
export type NewTicket = typeof NewTicket.Type

/** The text of a form that opens a ticket; its files come beside it. */
export const TicketForm = Schema.Struct({
  ...ticketFields,
  attachments: Schema.optionalKey(
    Text(2, 16_000, "Paths of the customer's own files, as a JSON array").pipe(
      Schema.decodeTo(Schema.fromJsonString(AttachmentPaths))
    )
  )
})

/** What the customer changes; absent keys stay as they are. */
export const TicketChanges = Schema.Struct({
  ticketNumber: TicketNumber,
  title: Schema.optionalKey(ticketFields.title),
  description: Schema.optionalKey(ticketFields.description),
  priority: Schema.optionalKey(TicketPriority),
  comment: Schema.optionalKey(
    Schema.Struct({ text: Text(1, 10_000), attachments: Schema.optionalKey(AttachmentPaths) })
  ).annotate({ description: "Opens a ticket again that is done" }),
  status: Schema.optionalKey(Schema.Literals(["canceled", "done", "open"])).annotate({
    description: "Where `availableActions` allow it: `cancel`, `complete`, `reopen`"
  })
}).annotate({
  identifier: "TicketChanges",
  examples: [{ ticketNumber: "1042", comment: { text: "It does not." } }]
})
export type TicketChanges = typeof TicketChanges.Type

/** What the staff do with a ticket. */
export const TicketAnswer = Schema.Struct({
  status: Schema.optionalKey(TicketStatus),
  priority: Schema.optionalKey(TicketPriority),
  reply: Schema.optionalKey(
    Schema.Struct({
      text: Text(1, 10_000, "The customer reads it"),
      author: Text(1, 120, "The name that the customer sees")
    })
  )
}).annotate({
  identifier: "TicketAnswer",
  examples: [{ status: "pending", reply: { text: "Does it help to pull the lever twice?", author: "Charles" } }]
})
export type TicketAnswer = typeof TicketAnswer.Type

/** Also the answer for a ticket of somebody else: a stranger must not learn that it exists. */
export class TicketNotFound extends Problem<TicketNotFound>()("TicketNotFound", {
  code: "ticket_not_found",
  status: 404,
  title: "Ticket not found",
  detail: "There is no such ticket."
}) {}

import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type Ticket, TicketForm } from "../../domain/Ticket.ts"
import { TicketAnswers } from "../../services/TicketAnswers.ts"
import { Tickets } from "../../services/Tickets.ts"
import { Api } from "../Api.ts"
import { Created, versioned } from "../Records.ts"
import { readForm } from "../Uploads.ts"

const created = (ticket: Ticket) => new Created(ticket, `/client-data/tickets/${ticket.number}`)

export const TicketsHandlers = HttpApiBuilder.group(
  Api,
  "tickets",
  Effect.fn(function* (handlers) {
    const tickets = yield* Tickets

    return handlers.handleAll({
      list: ({ query }) => tickets.list(query),
      get: ({ params }) => Effect.map(tickets.get(params.ticketNumber), versioned),
      open: ({ payload }) => Effect.map(tickets.open(payload), created),
      openWith: () =>
        Effect.gen(function* () {
          const { fields, files } = yield* readForm(TicketForm)
          return created(yield* tickets.openWith(fields, files))
        }),
      change: ({ headers, payload }) => Effect.map(tickets.change(payload, headers["if-match"]), versioned)
    })
  })
)

export const PlatformTicketsHandlers = HttpApiBuilder.group(
  Api,
  "platformTickets",
  Effect.fn(function* (handlers) {
    const tickets = yield* TicketAnswers

    return handlers.handleAll({
      list: ({ query }) => tickets.list(query),
      get: ({ params }) => Effect.map(tickets.find(params.ticketNumber), versioned),
      answer: ({ headers, params, payload }) =>
        Effect.map(tickets.answer(params.ticketNumber, payload, headers["if-match"]), versioned)
    })
  })
)

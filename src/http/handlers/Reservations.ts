import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { ReservationBooking } from "../../services/ReservationBooking.ts"
import { ReservationDefinitions } from "../../services/ReservationDefinitions.ts"
import { Reservations } from "../../services/Reservations.ts"
import { Api } from "../Api.ts"
import { Created, versioned } from "../Records.ts"

const calendarFile = ({ name, text }: { readonly name: string; readonly text: string }) =>
  HttpServerResponse.text(text, {
    contentType: "text/calendar; charset=utf-8",
    headers: {
      "content-disposition": `attachment; filename="${name}"`,
      "content-security-policy": "sandbox; default-src 'none'"
    }
  })

export const ReservationsHandlers = HttpApiBuilder.group(
  Api,
  "reservations",
  Effect.fn(function* (handlers) {
    const definitions = yield* ReservationDefinitions
    const reservations = yield* Reservations
    const booking = yield* ReservationBooking

    return handlers.handleAll({
      definitions: ({ query }) => definitions.list(query),
      slots: ({ payload }) => reservations.slots(payload),
      list: ({ query }) => reservations.list(query),
      get: ({ params }) => Effect.map(reservations.get(params.reservationId), versioned),
      calendar: ({ params }) => Effect.map(reservations.calendar(params.reservationId), calendarFile),
      book: ({ payload }) =>
        Effect.map(
          booking.book(payload),
          (reservation) => new Created(reservation, `/client-data/reservations/${reservation.id}`)
        ),
      change: ({ headers, payload }) => Effect.map(booking.change(payload, headers["if-match"]), versioned),
      cancel: ({ headers, params }) => Effect.map(booking.cancel(params.reservationId, headers["if-match"]), versioned)
    })
  })
)

export const PlatformReservationDefinitionsHandlers = HttpApiBuilder.group(
  Api,
  "platformReservationDefinitions",
  Effect.fn(function* (handlers) {
    const definitions = yield* ReservationDefinitions

    return handlers.handleAll({
      get: ({ params }) => Effect.map(definitions.find(params.definitionId), versioned),
      push: ({ params, payload }) => Effect.map(definitions.push(params.definitionId, payload), versioned)
    })
  })
)

export const PlatformReservationsHandlers = HttpApiBuilder.group(
  Api,
  "platformReservations",
  Effect.fn(function* (handlers) {
    const reservations = yield* Reservations
    const booking = yield* ReservationBooking

    return handlers.handleAll({
      list: ({ query }) => reservations.listAll(query),
      get: ({ params }) => Effect.map(reservations.find(params.reservationId), versioned),
      decide: ({ headers, params, payload }) =>
        Effect.map(booking.decide(params.reservationId, payload, headers["if-match"]), versioned)
    })
  })
)

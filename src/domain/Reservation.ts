import { Schema } from "effect"
import { example } from "./Example.ts"
import { CustomerId } from "./Ids.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { DefinitionId } from "./ReservationDefinition.ts"
import { PartySize, ServiceName } from "./Slot.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const ReservationStatus = Schema.Literals([
  "pending",
  "confirmed",
  "used",
  "rescheduled",
  "cancelled",
  "no_show"
]).annotate({
  identifier: "ReservationStatus",
  description: "`rescheduled` is confirmed at another time than first; `pending` waits for the staff"
})
export type ReservationStatus = typeof ReservationStatus.Type

/** Still to come, as far as anybody knows: the spot is the customer's. */
export const liveStatuses: ReadonlyArray<ReservationStatus> = ["pending", "confirmed", "rescheduled"]

export const ReservationAction = Schema.Literals(["edit", "reschedule", "cancel"]).annotate({
  identifier: "ReservationActionName"
})
export type ReservationAction = typeof ReservationAction.Type

const Action = Schema.Struct({
  action: ReservationAction,
  deadline: Timestamp.annotate({ description: "Until when the customer may, or might have" }),
  reason: Schema.String.annotate({ description: "A sentence fit for the customer" })
}).annotate({ identifier: "ReservationAction" })

/** What the customer may do with a reservation at this moment, and what not, each with the reason. */
export const actionsAt = (
  {
    cancelUntil,
    start,
    status
  }: { readonly cancelUntil: Date; readonly start: Date; readonly status: ReservationStatus },
  now: number
) => {
  const availableActions: Array<typeof Action.Type> = []
  const unavailableActions: Array<typeof Action.Type> = []
  for (const action of ReservationAction.literals) {
    const deadline = action === "edit" ? start : cancelUntil
    const beforehand = start.getTime() - deadline.getTime()
    const until = beforehand === 0 ? "its start" : `${lasting(beforehand)} before its start`
    const obstacle = !liveStatuses.includes(status)
      ? `The reservation is ${status === "no_show" ? "over" : status}.`
      : now >= start.getTime()
        ? "The reservation has begun."
        : now > deadline.getTime()
          ? `This was possible until ${until}.`
          : undefined
    if (obstacle === undefined) availableActions.push({ action, deadline, reason: `Possible until ${until}.` })
    else unavailableActions.push({ action, deadline, reason: obstacle })
  }
  return { availableActions, unavailableActions }
}

const lasting = (milliseconds: number): string => {
  const minutes = Math.round(milliseconds / 60_000)
  const [count, unit] =
    minutes % 1440 === 0 ? [minutes / 1440, "day"] : minutes % 60 === 0 ? [minutes / 60, "hour"] : [minutes, "minute"]
  return `${count} ${unit}${count === 1 ? "" : "s"}`
}

const facts = {
  id: Schema.String,
  number: Schema.String.annotate({ description: "Unique within the org; not every number is given out" }),
  definitionId: DefinitionId,
  service: Schema.String,
  title: Schema.String,
  start: Timestamp,
  end: Timestamp,
  timezone: Schema.String.annotate({ description: "IANA: the business's own" }),
  partySize: Schema.Int,
  status: ReservationStatus,
  note: Schema.NullOr(Schema.String),
  location: Schema.NullOr(Schema.String),
  availableActions: Schema.Array(Action).annotate({
    description:
      "What the customer may do now: `edit` the note; `reschedule`, which is a new `start` or `partySize`; `cancel`. By the deadline it ends without a new version."
  }),
  unavailableActions: Schema.Array(Action).annotate({ description: "The others, and why not" }),
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}
const about = {
  id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
  number: "1001",
  definitionId: DefinitionId.make("workshop"),
  service: "Inspection",
  title: "Repairs",
  start: new Date("2026-12-01T09:00:00.000Z"),
  end: new Date("2026-12-01T09:45:00.000Z"),
  timezone: "Europe/London",
  partySize: 1,
  status: "confirmed" as const,
  note: "The comptometer of order 1002",
  location: "12 St James's Square, London",
  availableActions: [
    {
      action: "cancel" as const,
      deadline: new Date("2026-11-30T09:00:00.000Z"),
      reason: "Possible until 1 day before its start."
    }
  ],
  unavailableActions: [],
  version: 1,
  createdAt: new Date("2026-11-23T10:00:00.000Z"),
  updatedAt: new Date("2026-11-23T10:00:00.000Z")
}

export const Reservation = Schema.Struct(facts).annotate({ identifier: "Reservation", examples: [example(about)] })
export type Reservation = typeof Reservation.Type

/** A reservation as the staff see it. */
export const PlatformReservation = Schema.Struct({ ...facts, customerId: CustomerId }).annotate({
  identifier: "PlatformReservation",
  examples: [example({ ...about, customerId: CustomerId.make("ada") })]
})
export type PlatformReservation = typeof PlatformReservation.Type

export const reservationSorts = {
  id: "text",
  number: "integer",
  title: "text",
  service: "text",
  status: "text",
  start: "instant",
  end: "instant",
  partySize: "integer",
  version: "integer",
  createdAt: "instant",
  updatedAt: "instant"
} as const

const filters = {
  ...listQuery(reservationSorts, "start"),
  status: Schema.optionalKey(Schema.Array(ReservationStatus).check(Schema.isMaxLength(6))),
  when: Schema.optionalKey(
    Schema.Literals(["upcoming", "past"]).annotate({
      description:
        "upcoming: has not ended, and is pending, confirmed or rescheduled; past: has ended, whatever its status"
    })
  )
}
export const ReservationsQuery = Schema.Struct(filters)
export type ReservationsQuery = typeof ReservationsQuery.Type

export const PlatformReservationsQuery = Schema.Struct({
  ...filters,
  customerId: Schema.optionalKey(CustomerId),
  definitionId: Schema.optionalKey(DefinitionId)
})
export type PlatformReservationsQuery = typeof PlatformReservationsQuery.Type

export const ReservationsPage = pageOf("ReservationsPage", Reservation)
export const PlatformReservationsPage = pageOf("PlatformReservationsPage", PlatformReservation)

export const ReservationReference = Text(1, 128, "The reservation's id or number")

const note = Schema.NullOr(Text(0, 2000))

export const NewReservation = Schema.Struct({
  definitionId: DefinitionId,
  service: Schema.optionalKey(ServiceName),
  start: Timestamp.annotate({ description: "The start of an offered slot" }),
  partySize: Schema.optionalKey(PartySize),
  note: Schema.optionalKey(note)
}).annotate({
  identifier: "NewReservation",
  examples: [example({ definitionId: about.definitionId, service: about.service, start: about.start })]
})
export type NewReservation = typeof NewReservation.Type

/** What the customer changes; absent keys stay as they are. */
export const ReservationChanges = Schema.Struct({
  reservationId: ReservationReference,
  start: Schema.optionalKey(Timestamp.annotate({ description: "The start of another offered slot" })),
  partySize: Schema.optionalKey(PartySize).annotateKey({ description: "How many spots it takes" }),
  note: Schema.optionalKey(note)
}).annotate({
  identifier: "ReservationChanges",
  examples: [example({ reservationId: "1001", start: new Date("2026-12-01T10:00:00.000Z") })]
})
export type ReservationChanges = typeof ReservationChanges.Type

/** What the staff do with a reservation. */
export const ReservationDecision = Schema.Struct({
  status: Schema.Literals(["confirmed", "used", "no_show", "cancelled"]),
  note: Schema.optionalKey(note).annotateKey({
    description: "In place of the note that is there; the customer reads it"
  })
}).annotate({ identifier: "ReservationDecision", examples: [{ status: "confirmed" }] })
export type ReservationDecision = typeof ReservationDecision.Type

/** Also the answer for a reservation of somebody else: a stranger must not learn that it exists. */
export class ReservationNotFound extends Problem<ReservationNotFound>()("ReservationNotFound", {
  code: "reservation_not_found",
  status: 404,
  title: "Reservation not found",
  detail: "There is no such reservation."
}) {}

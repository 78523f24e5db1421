import { Effect } from "effect"
import type { OrgId } from "../../src/domain/Ids.ts"
import type { NewReservation, ReservationChanges, ReservationDecision } from "../../src/domain/Reservation.ts"
import {
  DefinitionId,
  type ReservationDefinitionPush,
  type ReservationDefinition,
  Weekday
} from "../../src/domain/ReservationDefinition.ts"
import type { SlotsQuery } from "../../src/domain/Slot.ts"
import { ReservationBooking } from "../../src/services/ReservationBooking.ts"
import { ReservationDefinitions } from "../../src/services/ReservationDefinitions.ts"
import { Reservations } from "../../src/services/Reservations.ts"
import { as, asPlatform, type Customer } from "./People.ts"

/** A day so many days from now, in UTC. */
export const dayFromNow = (days: number) => new Date(Date.now() + days * 864e5).toISOString().slice(0, 10)

/** So many hours after midnight in UTC of the tenth day from now. */
export const atHour = (hours: number) => new Date(Date.parse(dayFromNow(10)) + hours * 36e5)

export const everyDay = (open: string, close: string): ReservationDefinitionPush["hours"] =>
  Weekday.literals.map((day) => ({ day, open, close }))

export const workshop = DefinitionId.make("workshop")

/** Open every day from 9 to 17 UTC, an hour at a time for one. */
export const aDefinition = (more: Partial<ReservationDefinitionPush> = {}): ReservationDefinitionPush => ({
  title: "Repairs",
  timezone: "UTC",
  hours: everyDay("09:00", "17:00"),
  services: [{ name: "Inspection", duration: 60 }],
  spots: 1,
  ...more
})

export const define = (orgId: OrgId, more: Partial<ReservationDefinitionPush> = {}, id: DefinitionId = workshop) =>
  ReservationDefinitions.use((definitions): Effect.Effect<ReservationDefinition> =>
    definitions.push(id, aDefinition(more)).pipe(asPlatform(orgId))
  )

export const slotsFor = (customer: Customer, query: Partial<SlotsQuery> = {}) =>
  Reservations.use((reservations) =>
    reservations.slots({
      definitionId: workshop,
      ...(query.from === undefined && { date: dayFromNow(10) }),
      ...query
    })
  ).pipe(as(customer))

/** The hours in UTC at which slots begin, and how many spots each has. */
export const openFor = (customer: Customer, query: Partial<SlotsQuery> = {}) =>
  Effect.map(slotsFor(customer, query), ({ slots }) =>
    slots.map(({ spotsAvailable, start }) => `${start.toISOString().slice(11, 16)} ${spotsAvailable}`)
  )

export const book = (customer: Customer, hour: number, more: Partial<NewReservation> = {}) =>
  ReservationBooking.use((booking) => booking.book({ definitionId: workshop, start: atHour(hour), ...more })).pipe(
    as(customer)
  )

export const change = (
  customer: Customer,
  reservationId: string,
  changes: Omit<ReservationChanges, "reservationId">,
  ifMatch?: ReadonlyArray<number>
) => ReservationBooking.use((booking) => booking.change({ reservationId, ...changes }, ifMatch)).pipe(as(customer))

export const cancel = (customer: Customer, numberOrId: string, ifMatch?: ReadonlyArray<number>) =>
  ReservationBooking.use((booking) => booking.cancel(numberOrId, ifMatch)).pipe(as(customer))

export const decide = (
  orgId: OrgId,
  numberOrId: string,
  decision: ReservationDecision,
  ifMatch?: ReadonlyArray<number>
) => ReservationBooking.use((booking) => booking.decide(numberOrId, decision, ifMatch)).pipe(asPlatform(orgId))

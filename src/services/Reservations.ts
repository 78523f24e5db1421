import { Clock, Context, Effect, Layer } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import { daysFrom, offeredOf } from "../domain/OpeningHours.ts"
import type { Page } from "../domain/Page.ts"
import type {
  PlatformReservation,
  PlatformReservationsQuery,
  Reservation,
  ReservationNotFound,
  ReservationsQuery
} from "../domain/Reservation.ts"
import type { DefinitionNotFound } from "../domain/ReservationDefinition.ts"
import { type AvailableSlots, openOf, type SlotsQuery } from "../domain/Slot.ts"
import { look, serviceOf } from "./Availability.ts"
import { Calendar } from "./Calendar.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"
import { selectMine, selectOurs, selectReservations, shown, shownToOwner } from "./ReservationRows.ts"

export class Reservations extends Context.Service<
  Reservations,
  {
    readonly slots: (
      query: SlotsQuery
    ) => Effect.Effect<AvailableSlots, DefinitionNotFound | InvalidRequest, CurrentCustomer>
    /** Latest first, unless the query sorts otherwise. */
    readonly list: (query: ReservationsQuery) => Effect.Effect<Page<Reservation>, InvalidRequest, CurrentCustomer>
    /** By number or id. */
    readonly get: (numberOrId: string) => Effect.Effect<Reservation, ReservationNotFound, CurrentCustomer>
    /** The reservation as a file for calendars. */
    readonly calendar: (
      numberOrId: string
    ) => Effect.Effect<{ readonly name: string; readonly text: string }, ReservationNotFound, CurrentCustomer>
    /** Those of all customers. */
    readonly listAll: (
      query: PlatformReservationsQuery
    ) => Effect.Effect<Page<PlatformReservation>, InvalidRequest, CurrentPlatform>
    readonly find: (numberOrId: string) => Effect.Effect<PlatformReservation, ReservationNotFound, CurrentPlatform>
  }
>()("portico/services/Reservations") {
  static readonly layer = Layer.effect(
    Reservations,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const calendars = yield* Calendar

      const slots = Effect.fn("Reservations.slots")(
        function* ({ date, definitionId, from = date!, partySize, service, to = date! }: SlotsQuery) {
          const days = daysFrom(from, to)
          const seen = yield* look(sql, { ...(yield* CurrentCustomer), definitionId }, days)
          const offered = offeredOf(seen, yield* serviceOf(seen, service), days, seen.now)
          return { timezone: seen.timezone, slots: openOf(offered, seen.spots, seen.taken, seen.own, partySize) }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const list = Effect.fn("Reservations.list")(
        function* (query: ReservationsQuery) {
          const { customerId, orgId } = yield* CurrentCustomer
          const whose = sql`org_id = ${orgId} AND customer_id = ${customerId}`
          const { now, page } = yield* selectReservations(sql, query, whose)
          return { ...page, data: page.data.map((reservation) => shownToOwner(reservation, now)) }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const get = Effect.fn("Reservations.get")(
        function* (numberOrId: string) {
          return shownToOwner(yield* selectMine(sql, numberOrId), yield* Clock.currentTimeMillis)
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const calendar = Effect.fn("Reservations.calendar")(
        function* (numberOrId: string) {
          const { end, id, location, note, number, service, start, status, title, updatedAt, version } =
            yield* selectMine(sql, numberOrId)
          const text = calendars.file({
            uid: `${id}@portico`,
            sequence: version,
            changedAt: updatedAt,
            start,
            end,
            title: `${title}: ${service}`,
            location,
            description: [`Reservation ${number}`, note ?? ""].join("\n\n").trim(),
            status: status === "cancelled" ? "cancelled" : status === "pending" ? "tentative" : "confirmed"
          })
          return { name: `reservation-${number}.ics`, text }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const listAll = Effect.fn("Reservations.listAll")(
        function* (query: PlatformReservationsQuery) {
          const { orgId } = yield* CurrentPlatform
          const { now, page } = yield* selectReservations(platformSql, query, platformSql`org_id = ${orgId}`)
          return { ...page, data: page.data.map((reservation) => shown(reservation, now)) }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const find = Effect.fn("Reservations.find")(
        function* (numberOrId: string) {
          return shown(yield* selectOurs(platformSql, numberOrId), yield* Clock.currentTimeMillis)
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return Reservations.of({ slots, list, get, calendar, listAll, find })
    })
  )
}

import { Clock, Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Slot as Time } from "../domain/OpeningHours.ts"
import {
  actionsAt,
  type NewReservation,
  type PlatformReservation,
  type Reservation,
  type ReservationAction,
  type ReservationChanges,
  type ReservationDecision,
  type ReservationNotFound
} from "../domain/Reservation.ts"
import type { DefinitionNotFound } from "../domain/ReservationDefinition.ts"
import { SlotNotOffered, SlotUnavailable } from "../domain/Slot.ts"
import { type IfMatch, VersionMismatch } from "../domain/Version.ts"
import { type Availability, daysAround, gone, hasRoom, look, serviceOf, slotAt, without } from "./Availability.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import { Notices } from "./Notices.ts"
import { noticeOf } from "./ReservationNotices.ts"
import {
  isFull,
  selectMine,
  selectOurs,
  shown,
  shownToOwner,
  type StoredReservation,
  timesOf
} from "./ReservationRows.ts"
import { insertReservation, updateCancelled, updateNote, updateSlot, updateStatus } from "./ReservationWrites.ts"

type Versions = typeof IfMatch.Type

/**
 * Takes spots and frees them.
 *
 * Whoever does waits for the lock of the definition first, and for rows only then; a trigger counts the spots before
 * anything is committed, so the database has the last word.
 */
export class ReservationBooking extends Context.Service<
  ReservationBooking,
  {
    readonly book: (
      reservation: NewReservation
    ) => Effect.Effect<
      Reservation,
      DefinitionNotFound | InvalidRequest | SlotNotOffered | SlotUnavailable | ActionNotAllowed,
      CurrentCustomer
    >
    /** Merges field by field. The old slot is free once the new one is won, and not before. */
    readonly change: (
      changes: ReservationChanges,
      ifMatch?: Versions
    ) => Effect.Effect<
      Reservation,
      ReservationNotFound | SlotNotOffered | SlotUnavailable | ActionNotAllowed | VersionMismatch,
      CurrentCustomer
    >
    /** What is cancelled stays so: again, and nothing happens. */
    readonly cancel: (
      numberOrId: string,
      ifMatch?: Versions
    ) => Effect.Effect<Reservation, ReservationNotFound | ActionNotAllowed | VersionMismatch, CurrentCustomer>
    /** Any status may follow any other, but what was cancelled needs its spots back. */
    readonly decide: (
      numberOrId: string,
      decision: ReservationDecision,
      ifMatch?: Versions
    ) => Effect.Effect<PlatformReservation, ReservationNotFound | SlotUnavailable | VersionMismatch, CurrentPlatform>
  }
>()("portico/services/ReservationBooking") {
  static readonly layer = Layer.effect(
    ReservationBooking,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const notices = yield* Notices
      const random = yield* SecureRandom.SecureRandom

      // The customer's own bookings take turns, or two of them at once would overlap unseen or exceed what one may hold.
      const lockFor = Effect.fnUntraced(function* ({ definitionId }: Pick<NewReservation, "definitionId">) {
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          SELECT lock_bookings_of(${orgId}::text, ${customerId}::text),
            lock_definition(${orgId}::text, ${definitionId}::text)`
      })

      /** As it is from now until the transaction ends. */
      const lockMine = Effect.fnUntraced(function* (numberOrId: string, ifMatch?: Versions) {
        yield* lockFor(yield* selectMine(sql, numberOrId))
        const mine = yield* selectMine(sql, numberOrId)
        if (ifMatch?.includes(mine.version) === false) return yield* new VersionMismatch()
        return mine
      })

      const attempt = Effect.fnUntraced(function* (asked: NewReservation) {
        const { partySize = 1, start } = asked
        const seen = yield* look(sql, { ...(yield* CurrentCustomer), ...asked }, daysAround(start))
        const service = yield* serviceOf(seen, asked.service)
        const slot = slotAt(seen, service, start)
        if (slot === undefined) return yield* new SlotNotOffered()
        if (partySize > seen.spots) return yield* tooMany(seen)
        if (!hasRoom(seen, slot, partySize)) return yield* gone(seen, service, slot.start, partySize)
        if (seen.held >= seen.maxPerCustomer) return yield* new ActionNotAllowed({ detail: tooOften(seen) })
        return yield* Effect.andThen(
          lockFor(asked),
          insertReservation(sql, yield* random.uuidV7(), asked, seen, service, slot)
        ).pipe(
          // What waits for the staff is not confirmed yet.
          Effect.tap((made) =>
            made?.status === "confirmed" ? notices.confirm(noticeOf("reservationConfirmed", made)) : Effect.void
          ),
          transaction(sql),
          Effect.catchIf(isFull, () => gone(seen, service, slot.start, partySize)),
          Effect.map((made) => made && shownToOwner(made, seen.now))
        )
      })

      const book = Effect.fn("ReservationBooking.book")(
        function* (asked: NewReservation) {
          // Something else than the spots has changed since it was looked at: a look at what it is now tells.
          for (let times = 0; times < 4; times++) {
            const made = yield* attempt(asked)
            if (made !== undefined) return made
          }
          return yield* new SlotUnavailable({ alternatives: [] })
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const move = Effect.fnUntraced(function* (mine: StoredReservation, changes: ReservationChanges) {
        const { partySize = mine.partySize, start = mine.start } = changes
        const asked = { ...(yield* CurrentCustomer), definitionId: mine.definitionId }
        const seen = yield* look(sql, asked, daysAround(start)).pipe(
          Effect.map((seen) => without(seen, mine)),
          Effect.catchTag("DefinitionNotFound", () => new SlotNotOffered({ detail: "It cannot be booked any more." }))
        )
        const stays = start.getTime() === mine.start.getTime()
        const service = seen.services.find(({ name }) => name === mine.service)
        const slot = stays ? timeOf(mine) : service && slotAt(seen, service, start)
        if (service === undefined || slot === undefined) return yield* new SlotNotOffered()
        if (partySize > seen.spots) return yield* tooMany(seen)
        const unavailable = gone(seen, service, slot.start, partySize)
        if (!hasRoom(seen, slot, partySize) && !(stays && partySize < mine.partySize)) return yield* unavailable
        const times = stays
          ? { ...timesOf(slot, seen, seen.now), cancelUntil: mine.cancelUntil.toISOString() }
          : timesOf(slot, seen, seen.now)
        const status = stays ? mine.status : seen.requiresConfirmation ? "pending" : "rescheduled"
        const moved = yield* Effect.catchIf(updateSlot(sql, mine, times, partySize, status), isFull, () => unavailable)
        if (moved === undefined) return yield* unavailable
        if (moved.status === "rescheduled" && !stays) yield* notices.confirm(noticeOf("reservationChanged", moved))
        return moved
      })

      const change = Effect.fn("ReservationBooking.change")(
        function* (changes: ReservationChanges, ifMatch?: Versions) {
          const { note, partySize, start } = changes
          let mine = yield* lockMine(changes.reservationId, ifMatch)
          const now = yield* Clock.currentTimeMillis
          const moves = start !== undefined || partySize !== undefined
          if (moves) yield* allow("reschedule", mine, now)
          yield* allow("edit", mine, now)
          if (note !== undefined && note !== mine.note) mine = yield* updateNote(sql, mine, note)
          if (moves) mine = yield* move(mine, changes)
          return shownToOwner(mine, now)
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const cancel = Effect.fn("ReservationBooking.cancel")(
        function* (numberOrId: string, ifMatch?: Versions) {
          const mine = yield* lockMine(numberOrId, ifMatch)
          const now = yield* Clock.currentTimeMillis
          if (mine.status === "cancelled") return shownToOwner(mine, now)
          yield* allow("cancel", mine, now)
          const cancelled = yield* updateCancelled(sql, mine)
          yield* notices.confirm(noticeOf("reservationCancelled", cancelled))
          return shownToOwner(cancelled, now)
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const decide = Effect.fn("ReservationBooking.decide")(
        function* (numberOrId: string, decision: ReservationDecision, ifMatch?: Versions) {
          const { orgId } = yield* CurrentPlatform
          const { definitionId } = yield* selectOurs(platformSql, numberOrId)
          yield* platformSql`SELECT lock_definition(${orgId}::text, ${definitionId}::text)`
          const ours = yield* selectOurs(platformSql, numberOrId)
          if (ifMatch?.includes(ours.version) === false) return yield* new VersionMismatch()
          const now = yield* Clock.currentTimeMillis
          const decided = yield* updateStatus(platformSql, ours, decision)
          const news = newsOf(decided.status)
          // What is corrected in the records afterwards is no news.
          if (news !== undefined && decided.status !== ours.status && decided.end.getTime() > now) {
            yield* notices.tell(noticeOf(news, decided))
          }
          return shown(decided, now)
        },
        transaction(platformSql),
        Effect.catchIf(isFull, () => new SlotUnavailable({ alternatives: [] })),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return ReservationBooking.of({ book, change, cancel, decide })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

const timeOf = ({ busyUntil, end, start }: StoredReservation): Time => ({
  start: start.getTime(),
  end: end.getTime(),
  busyUntil: busyUntil.getTime()
})

const newsOf = (status: StoredReservation["status"]) =>
  status === "confirmed" ? "reservationConfirmed" : status === "cancelled" ? "reservationCancelled" : undefined

const tooMany = ({ spots }: Availability) =>
  new SlotNotOffered({ detail: `There are ${spots} spot${spots === 1 ? "" : "s"} at a time, and no more.` })

const tooOften = ({ maxPerCustomer }: Availability) =>
  `You hold ${maxPerCustomer} of these, which is as many as one customer may; one that was cancelled counts for a day.`

const allow = (action: ReservationAction, reservation: StoredReservation, now: number) => {
  const obstacle = actionsAt(reservation, now).unavailableActions.find((one) => one.action === action)
  return obstacle === undefined ? Effect.void : Effect.fail(new ActionNotAllowed({ detail: obstacle.reason }))
}

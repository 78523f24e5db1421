import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { ReservationsQuery } from "../../src/domain/Reservation.ts"
import { DefinitionId } from "../../src/domain/ReservationDefinition.ts"
import { Reservations } from "../../src/services/Reservations.ts"
import { ReservationDefinitions } from "../../src/services/ReservationDefinitions.ts"
import {
  aDefinition,
  book,
  cancel,
  change,
  dayFromNow,
  decide,
  define,
  everyDay,
  openFor,
  slotsFor,
  atHour,
  workshop
} from "../support/Bookings.ts"
import { as, asPlatform, type Customer, fingerprint, people } from "../support/People.ts"
import { guards } from "../support/TestServices.ts"
import * as TestServices from "../support/TestServices.ts"
import { later } from "../support/Time.ts"

const get = (customer: Customer, numberOrId: string) =>
  Reservations.use((reservations) => reservations.get(numberOrId)).pipe(as(customer))
const numbersOf = (customer: Customer, query: ReservationsQuery = {}) =>
  Reservations.use((reservations) => reservations.list(query)).pipe(
    as(customer),
    Effect.map(({ data }) => data.map(({ number }) => number))
  )
const actionsOf = (reservation: {
  readonly availableActions: ReadonlyArray<{ readonly action: string }>
  readonly unavailableActions: ReadonlyArray<{ readonly action: string; readonly reason: string }>
}) => [
  reservation.availableActions.map(({ action }) => action),
  ...reservation.unavailableActions.map(({ action, reason }) => `${action}: ${reason}`)
]

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A definition", () => {
    it.effect("pushed again is the same, changed is a new version, and is shown while active", () =>
      Effect.gen(function* () {
        const { acme, ada, mallory } = yield* people
        const more = { services: [{ name: "Inspection", duration: 60, price: { amount: 4500, currency: "GBP" } }] }
        const list = (customer: Customer) =>
          ReservationDefinitions.use((definitions) => definitions.list({})).pipe(as(customer))

        const first = yield* define(acme, more)
        const again = yield* define(acme, more)
        const { data } = yield* list(ada)
        const changed = yield* define(acme, { ...more, active: false })

        assert.deepStrictEqual(again, first)
        assert.deepInclude(first, {
          version: 1,
          blocked: [],
          horizonDays: 365,
          bookingNoticeMinutes: 0,
          cancelNoticeMinutes: 0,
          requiresConfirmation: false,
          maxPerCustomer: 50,
          location: null,
          active: true
        })
        assert.deepStrictEqual(
          data.map(({ id, services, spots, title }) => [id, title, spots, services]),
          [[workshop, "Repairs", 1, [{ ...more.services[0]!, breakAfter: 0 }]]]
        )
        assert.strictEqual(changed.version, 2)
        assert.deepStrictEqual([(yield* list(ada)).data, (yield* list(mallory)).data], [[], []])
        const refused = yield* Effect.flip(slotsFor(ada))
        assert.deepStrictEqual([refused.code, refused.status], ["definition_not_found", 404])
        assert.strictEqual((yield* Effect.flip(book(ada, 9))).code, "definition_not_found")
      })
    )

    it.effect("that is renamed or moves renames what is still to come of it, and changes no time", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme)
        const { id } = yield* book(ada, 9)

        yield* define(acme, {
          title: "Repair shop",
          location: "12 St James's Square",
          hours: everyDay("12:00", "13:00")
        })

        const { location, start, title, version } = yield* get(ada, id)
        assert.deepStrictEqual([title, location, start, version], ["Repair shop", "12 St James's Square", atHour(9), 2])
      })
    )
  })

  describe("Slots", () => {
    it.effect("are those of the days asked for, without what is taken, with the spots that are left", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme, { spots: 3, hours: everyDay("09:00", "12:00") })
        yield* book(eve, 9, { partySize: 2 })
        yield* book(eve, 10, { partySize: 3 })

        assert.deepStrictEqual(yield* openFor(ada), ["09:00 1", "11:00 3"])
        assert.deepStrictEqual(yield* openFor(ada, { partySize: 2 }), ["11:00 3"])
        const { slots, timezone } = yield* slotsFor(ada, { from: dayFromNow(9), to: dayFromNow(12) })
        assert.deepStrictEqual([timezone, slots.length], ["UTC", 11])
      })
    )

    it.effect("during a reservation of one's own are none, of whichever definition", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const salon = DefinitionId.make("salon")
        yield* define(acme, { spots: 3, hours: everyDay("09:00", "13:00") })
        yield* define(acme, { hours: everyDay("09:30", "10:30") }, salon)
        yield* book(ada, 9.5, { definitionId: salon })

        assert.deepStrictEqual(yield* openFor(ada), ["11:00 3", "12:00 3"])
        const refused = yield* Effect.flip(book(ada, 10))
        assert.deepStrictEqual(
          [refused.code, refused.detail],
          ["slot_unavailable", "You have another reservation at that time."]
        )
      })
    )

    it.effect(
      "of several services share the spots, breaks included; the first service is meant where none is named",
      () =>
        Effect.gen(function* () {
          const { acme, ada, eve } = yield* people
          const services = [
            { name: "Inspection", duration: 30, breakAfter: 15 },
            { name: "Repair", duration: 60 }
          ]
          yield* define(acme, { services, hours: everyDay("09:00", "12:00") })
          const { end, service } = yield* book(eve, 9.75)

          assert.deepStrictEqual([service, end], ["Inspection", atHour(10.25)])
          assert.deepStrictEqual(yield* openFor(ada), ["09:00 1", "10:30 1", "11:15 1"])
          assert.deepStrictEqual(yield* openFor(ada, { service: "Repair" }), ["11:00 1"])
          const refused = yield* Effect.flip(slotsFor(ada, { service: "Massage" }))
          assert.deepStrictEqual([refused.code, refused.status], ["invalid_request", 400])
        })
    )

    it.effect("of a busy month come in one statement, in well under 50 ms", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        const hours = [...everyDay("08:00", "12:00"), ...everyDay("13:00", "18:00")]
        yield* define(acme, { spots: 4, hours, services: [{ name: "Inspection", duration: 15 }], maxPerCustomer: 1000 })
        for (let hour = 8; hour < 12; hour += 0.25) yield* book(eve, hour, { partySize: 3 })
        const asked = { from: dayFromNow(1), to: dayFromNow(31) }
        yield* slotsFor(ada, asked)

        const times: Array<number> = []
        for (let n = 0; n < 20; n++) {
          const before = performance.now()
          assert.strictEqual((yield* slotsFor(ada, asked)).slots.length, 31 * 36)
          times.push(performance.now() - before)
        }
        // Of a machine that does other things as well.
        assert.isBelow(Math.min(...times), 25)
      })
    )
  })

  describe("A reservation", () => {
    it.effect("is confirmed, has a number, and can be read by number and by id", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme, { cancelNoticeMinutes: 1440 })

        const made = yield* book(ada, 9, { note: "Bring the key" })

        const { availableActions, createdAt, id, updatedAt, ...rest } = made
        assert.deepStrictEqual(rest, {
          number: "1001",
          definitionId: workshop,
          service: "Inspection",
          title: "Repairs",
          start: atHour(9),
          end: atHour(10),
          timezone: "UTC",
          partySize: 1,
          status: "confirmed",
          note: "Bring the key",
          location: null,
          unavailableActions: [],
          version: 1
        })
        assert.deepStrictEqual(createdAt, updatedAt)
        assert.deepStrictEqual(availableActions, [
          { action: "edit", deadline: atHour(9), reason: "Possible until its start." },
          { action: "reschedule", deadline: atHour(9 - 24), reason: "Possible until 1 day before its start." },
          { action: "cancel", deadline: atHour(9 - 24), reason: "Possible until 1 day before its start." }
        ])
        assert.deepStrictEqual([yield* get(ada, "1001"), yield* get(ada, id)], [made, made])
      })
    )

    it.effect("waits for the staff where the definition says so, and again after it was moved", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme, { requiresConfirmation: true })

        const { number, status } = yield* book(ada, 9)
        const refused = yield* Effect.flip(book(eve, 9))
        const confirmed = yield* decide(acme, number, { status: "confirmed", note: "At the back door" })
        const moved = yield* change(ada, number, { start: atHour(11) })

        assert.deepStrictEqual([status, refused.code], ["pending", "slot_unavailable"])
        assert.deepStrictEqual(
          [confirmed.status, confirmed.note, confirmed.customerId],
          ["confirmed", "At the back door", "ada"]
        )
        assert.deepStrictEqual([moved.status, moved.note], ["pending", "At the back door"])
      })
    )

    it.effect("begins with an offered slot: not between two, not in the past, not for more than there are spots", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme)
        const before = yield* fingerprint

        const refused = yield* Effect.all(
          [
            book(ada, 9.5),
            book(ada, 8),
            book(ada, 17),
            book(ada, 9 - 24 * 20),
            book(ada, 9 + 24 * 366),
            book(ada, 9, { partySize: 2 })
          ].map(Effect.flip)
        )

        assert.deepStrictEqual(
          [...new Set(refused.map(({ code, status }) => `${status} ${code}`))],
          ["422 slot_not_offered"]
        )
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("for a slot that is taken is refused with the nearest that are not", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, mallory, other } = yield* people
        yield* define(acme)
        yield* define(other)
        for (const hour of [10, 11]) yield* book(ada, hour)
        const before = yield* fingerprint

        const refused = yield* Effect.flip(book(eve, 10))

        assert.deepStrictEqual([refused.code, refused.status], ["slot_unavailable", 409])
        assert.deepStrictEqual(
          (refused as { alternatives?: ReadonlyArray<{ start: Date }> }).alternatives?.map(({ start }) => start),
          [9, 12, 13, 14, 15].map(atHour)
        )
        assert.deepStrictEqual(yield* fingerprint, before)
        // Another org has hours of its own.
        assert.strictEqual((yield* book(mallory, 10)).number, "1001")
      })
    )

    it.effect("is one of as many as the definition allows one customer, cancelled ones included for a day", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme, { maxPerCustomer: 2 })
        yield* book(ada, 9)
        const { id } = yield* book(ada, 10)
        yield* cancel(ada, id)

        const refused = yield* Effect.flip(book(ada, 11))

        assert.deepStrictEqual([refused.code, refused.status], ["action_not_allowed", 409])
        assert.strictEqual((yield* book(eve, 11)).status, "confirmed")
      })
    )
  })

  describe("Moving", () => {
    it.effect("takes the new slot and frees the old one", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme, { hours: everyDay("09:00", "12:00") })
        const { id } = yield* book(ada, 9)

        const moved = yield* change(ada, id, { start: atHour(11) })

        assert.deepStrictEqual(
          [moved.status, moved.start, moved.end, moved.version],
          ["rescheduled", atHour(11), atHour(12), 2]
        )
        assert.deepStrictEqual(yield* openFor(eve), ["09:00 1", "10:00 1"])
        assert.deepStrictEqual(yield* numbersOf(ada, { when: "upcoming" }), [moved.number])
      })
    )

    it.effect("to a slot that is taken or not offered leaves everything as it was", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme)
        const { id } = yield* book(ada, 9)
        yield* book(eve, 10)
        yield* book(ada, 12)
        const before = yield* fingerprint

        const codes = yield* Effect.all(
          [10, 12, 9.5].map((hour) => Effect.flip(change(ada, id, { start: atHour(hour), note: "Later" })))
        )

        assert.deepStrictEqual(
          codes.map(({ code }) => code),
          ["slot_unavailable", "slot_unavailable", "slot_not_offered"]
        )
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("by less than it lasts, or into more spots, counts it once", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        const windows = [...everyDay("09:00", "10:00"), ...everyDay("10:30", "11:30")]
        yield* define(acme, { spots: 3, hours: windows })
        const { id } = yield* book(ada, 9, { partySize: 2 })
        yield* define(acme, { spots: 3, hours: everyDay("09:30", "11:30") })

        const moved = yield* change(ada, id, { start: atHour(9.5), partySize: 3 })
        yield* change(ada, id, { partySize: 1 })
        yield* book(eve, 9.5, { partySize: 2 })
        const refused = yield* Effect.flip(change(ada, id, { partySize: 2 }))

        assert.deepStrictEqual([moved.start, moved.partySize], [atHour(9.5), 3])
        assert.strictEqual(refused.code, "slot_unavailable")
        assert.strictEqual((yield* get(ada, id)).partySize, 1)
      })
    )

    it.effect("merges with what is there, is once per version, and not without a reason to", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme)
        const { id } = yield* book(ada, 9, { note: "One" })

        const noted = yield* change(ada, id, { note: "Two" }, [1])
        const stale = yield* Effect.flip(change(ada, id, { note: "Three" }, [1]))
        const same = yield* change(ada, id, { start: atHour(9), note: "Two" })
        const cleared = yield* change(ada, id, { note: null })

        assert.deepStrictEqual([noted.note, noted.version, noted.start], ["Two", 2, atHour(9)])
        assert.deepStrictEqual([stale.code, stale.status], ["version_mismatch", 412])
        assert.deepStrictEqual(same, noted)
        assert.deepStrictEqual([cleared.note, cleared.version], [null, 3])
      })
    )

    it.effect("keeps a spot that the definition has no more, as long as nobody takes another", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme, { spots: 2 })
        const mine = yield* book(ada, 9)
        yield* book(eve, 9)

        yield* define(acme, { spots: 1 })

        assert.strictEqual((yield* change(ada, mine.id, { note: "Still here" })).note, "Still here")
        assert.strictEqual((yield* decide(acme, mine.id, { status: "confirmed" })).status, "confirmed")
        assert.strictEqual((yield* change(ada, mine.id, { start: atHour(10) })).status, "rescheduled")
        assert.strictEqual((yield* Effect.flip(change(ada, mine.id, { start: atHour(9) }))).code, "slot_unavailable")
      })
    )
  })

  describe("Cancelling", () => {
    it.effect("frees the slot, stays done, and repeated is the same answer", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme)
        const { id, number } = yield* book(ada, 9)

        const cancelled = yield* cancel(ada, number)
        const again = yield* cancel(ada, id)

        assert.deepStrictEqual([cancelled.status, cancelled.version], ["cancelled", 2])
        assert.deepStrictEqual(again, cancelled)
        assert.deepStrictEqual(actionsOf(cancelled), [
          [],
          "edit: The reservation is cancelled.",
          "reschedule: The reservation is cancelled.",
          "cancel: The reservation is cancelled."
        ])
        assert.strictEqual((yield* book(eve, 9)).status, "confirmed")
        assert.strictEqual((yield* Effect.flip(change(ada, id, { note: "Back" }))).code, "action_not_allowed")
      })
    )

    it.effect("ends with the notice period that was agreed, and everything with the start", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme, { cancelNoticeMinutes: 120 })
        const { id, start } = yield* book(ada, 9)
        yield* define(acme, { cancelNoticeMinutes: 9999 })
        const until = (minutes: number) => later(start.getTime() - Date.now() - minutes * 60_000)

        const inside = yield* get(ada, id).pipe(until(119))
        const refused = yield* Effect.all(
          [cancel(ada, id), change(ada, id, { start: atHour(12) })].map((effect) =>
            Effect.flip(effect).pipe(until(119))
          )
        )
        const begun = yield* Effect.flip(change(ada, id, { note: "Late" })).pipe(until(0))

        assert.deepStrictEqual(actionsOf(inside), [
          ["edit"],
          "reschedule: This was possible until 2 hours before its start.",
          "cancel: This was possible until 2 hours before its start."
        ])
        assert.deepStrictEqual(
          refused.map(({ code }) => code),
          ["action_not_allowed", "action_not_allowed"]
        )
        assert.deepStrictEqual([begun.code, begun.detail], ["action_not_allowed", "The reservation has begun."])
        assert.strictEqual((yield* cancel(ada, id).pipe(until(121))).status, "cancelled")
      })
    )
  })

  describe("The staff", () => {
    it.effect("see and decide those of their org, and bring back what was cancelled only into free spots", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme)
        const mine = yield* book(ada, 9)
        yield* decide(acme, mine.id, { status: "cancelled" })
        const hers = yield* book(eve, 9)

        const refused = yield* Effect.flip(decide(acme, mine.id, { status: "confirmed" }))
        const used = yield* decide(acme, hers.number, { status: "used" })
        const stale = yield* Effect.flip(decide(acme, hers.id, { status: "no_show" }, [1]))
        const list = yield* Reservations.use((reservations) =>
          reservations.listAll({ customerId: eve.customerId })
        ).pipe(asPlatform(acme))

        assert.deepStrictEqual(
          [refused.code, used.status, stale.code],
          ["slot_unavailable", "used", "version_mismatch"]
        )
        assert.deepStrictEqual(
          list.data.map(({ number, status }) => [number, status]),
          [[hers.number, "used"]]
        )
        assert.strictEqual((yield* Effect.flip(cancel(eve, hers.id))).code, "action_not_allowed")
      })
    )
  })

  describe("The list", () => {
    it.effect("is by start, latest first; upcoming ends with the end, past is the rest of time", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme)
        for (const hour of [11, 9, 10]) yield* book(ada, hour)
        yield* cancel(ada, "1003")
        const at = (hour: number) => later(atHour(hour).getTime() - Date.now())

        assert.deepStrictEqual(yield* numbersOf(ada), ["1001", "1003", "1002"])
        assert.deepStrictEqual(yield* numbersOf(ada, { s: "number", st: "asc" }), ["1001", "1002", "1003"])
        assert.deepStrictEqual(yield* numbersOf(ada, { when: "upcoming" }), ["1001", "1002"])
        assert.deepStrictEqual(yield* numbersOf(ada, { status: ["cancelled"] }), ["1003"])
        assert.deepStrictEqual(yield* numbersOf(ada, { when: "past" }), [])
        assert.deepStrictEqual(yield* numbersOf(ada, { when: "upcoming" }).pipe(at(9.5)), ["1001", "1002"])
        assert.deepStrictEqual(yield* numbersOf(ada, { when: "upcoming" }).pipe(at(10)), ["1001"])
        assert.deepStrictEqual(yield* numbersOf(ada, { when: "past" }).pipe(at(11)), ["1003", "1002"])
      })
    )
  })

  describe("A calendar file", () => {
    it.effect("has the same UID for every version, escapes what was written, and says when it is cancelled", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme, {
          title: "Repairs; and more, daily",
          location: "Böttcherstraße 4\r\nATTENDEE:mailto:x@example.com"
        })
        const { id, number } = yield* book(ada, 9, { note: `\u0007Tea, ${"Größe ".repeat(30)}` })
        const file = Reservations.use((reservations) => reservations.calendar(number)).pipe(as(ada))

        const first = yield* file
        yield* cancel(ada, id)
        const second = yield* file

        const stamp = (at: Date) => at.toISOString().replace(/\.\d+|[-:]/g, "")
        const lines = first.text.replaceAll("\r\n ", "").split("\r\n")
        assert.strictEqual(first.name, `reservation-${number}.ics`)
        assert.includeMembers(lines, [
          "BEGIN:VCALENDAR",
          "VERSION:2.0",
          `UID:${id}@portico`,
          "SEQUENCE:1",
          `DTSTART:${stamp(atHour(9))}`,
          `DTEND:${stamp(atHour(10))}`,
          "SUMMARY:Repairs\\; and more\\, daily: Inspection",
          "LOCATION:Böttcherstraße 4\\nATTENDEE:mailto:x@example.com",
          "STATUS:CONFIRMED",
          "END:VCALENDAR"
        ])
        assert.isFalse(lines.some((line) => line.startsWith("ATTENDEE")))
        assert.notInclude(first.text, "\u0007")
        assert.isAtMost(Math.max(...first.text.split("\r\n").map((line) => Buffer.byteLength(line))), 75)
        assert.include(second.text, `UID:${id}@portico\r\nSEQUENCE:2\r\n`)
        assert.include(second.text, "STATUS:CANCELLED\r\n")
      })
    )
  })

  describe("A stranger", () => {
    for (const [guard, set] of guards) {
      it.effect(`whose reservations are there is in nobody else's way, by ${guard}`, () =>
        Effect.gen(function* () {
          const { acme, ada, eve } = yield* people
          yield* define(acme, { spots: 2, maxPerCustomer: 1 })
          yield* book(ada, 9)
          yield* set

          assert.include(yield* openFor(eve), "09:00 1")
          yield* book(eve, 9)
          assert.strictEqual((yield* Effect.flip(book(eve, 11))).code, "action_not_allowed")
        })
      )

      it.effect(`kept out by ${guard}, finds somebody else's reservation as little as one that was never made`, () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { acme, ada, eve, mallory, namesake, other } = yield* people
            yield* define(acme)
            const { id, number } = yield* book(ada, 9)
            yield* set
            const before = yield* fingerprint

            for (const stranger of [eve, mallory, namesake]) {
              for (const reference of [id, number, "none"]) {
                const refused = yield* Effect.all([
                  Effect.flip(get(stranger, reference)),
                  Effect.flip(change(stranger, reference, { start: atHour(10) })),
                  Effect.flip(cancel(stranger, reference)),
                  Effect.flip(Reservations.use((reservations) => reservations.calendar(reference)).pipe(as(stranger)))
                ])
                assert.deepStrictEqual([...new Set(refused.map(({ code }) => code))], ["reservation_not_found"])
              }
              assert.deepStrictEqual(yield* numbersOf(stranger), [])
            }
            for (const stranger of [mallory, namesake]) {
              assert.strictEqual((yield* Effect.flip(slotsFor(stranger))).code, "definition_not_found")
              assert.strictEqual((yield* Effect.flip(book(stranger, 9))).code, "definition_not_found")
            }
            const foreign = yield* Effect.all([
              Effect.flip(decide(other, id, { status: "used" })),
              Effect.flip(Reservations.use((reservations) => reservations.find(id)).pipe(asPlatform(other))),
              Effect.flip(
                ReservationDefinitions.use((definitions) => definitions.find(workshop)).pipe(asPlatform(other))
              )
            ])
            assert.deepStrictEqual(
              foreign.map(({ code }) => code),
              ["reservation_not_found", "reservation_not_found", "definition_not_found"]
            )
            const { data } = yield* Reservations.use((reservations) => reservations.listAll({})).pipe(asPlatform(other))
            assert.deepStrictEqual(data, [])
            assert.deepStrictEqual(yield* fingerprint, before)

            // The slot is taken for all, and nobody learns by whom.
            assert.notInclude(yield* openFor(eve), "09:00 1")
            assert.strictEqual((yield* Effect.flip(book(eve, 9))).code, "slot_unavailable")
            const theirs = yield* ReservationDefinitions.use((definitions) =>
              definitions.push(workshop, aDefinition({ title: "Theirs" }))
            ).pipe(asPlatform(other))
            assert.strictEqual(theirs.version, 1)
            assert.strictEqual((yield* get(ada, id)).title, "Repairs")
          })
        )
      )
    }
  })
})

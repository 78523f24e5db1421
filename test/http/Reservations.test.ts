import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { aDefinition, atHour, dayFromNow } from "../support/Bookings.ts"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as AppLayer from "../support/App.ts"
import { App } from "../support/App.ts"
import type { OrgId } from "../../src/domain/Ids.ts"
import { fingerprint, people } from "../support/People.ts"

const reservations = "/client-data/reservations"
const definition = "/platform/reservation-definitions/workshop"

/** Pushes the workshop of an org; answers with the platform that has pushed it. */
const open = Effect.fnUntraced(function* (orgId: OrgId, more: Parameters<typeof aDefinition>[0] = {}) {
  const { call, platformOf } = yield* App
  const platform = yield* platformOf(orgId)
  const { status } = yield* call(platform, "PUT", definition, { body: aDefinition(more) })
  assert.strictEqual(status, 200)
  return platform
})

const aBooking = (hour: number, more: Readonly<Record<string, unknown>> = {}) => ({
  body: { definitionId: "workshop", start: atHour(hour).toISOString(), ...more }
})

layer(AppLayer.layer, { excludeTestServices: true })("Reservations over HTTP", (it) => {
  it.effect("are pushed as a definition, offered as slots, booked, moved and cancelled", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada, eve } = yield* people
      const platform = yield* open(acme)

      const pushed = yield* call(platform, "GET", definition)
      const definitions = yield* call(ada, "GET", `${reservations}/definitions`)
      const slots = yield* call(ada, "POST", `${reservations}/available-slots`, {
        body: { definitionId: "workshop", service: "Inspection", date: dayFromNow(10) }
      })
      const made = yield* call(ada, "POST", reservations, aBooking(9))
      const lost = yield* call(eve, "POST", reservations, aBooking(9))
      const between = yield* call(eve, "POST", reservations, aBooking(9.5))
      const path = `${reservations}/${made.json.id}`
      const read = yield* call(ada, "GET", `${reservations}/${made.json.number}`)
      const known = yield* call(ada, "GET", path, { headers: { "if-none-match": '"1"' } })
      const moved = yield* call(ada, "PUT", reservations, {
        body: { reservationId: made.json.id, start: atHour(10).toISOString() },
        headers: { "if-match": '"1"' }
      })
      const stale = yield* call(ada, "DELETE", path, { headers: { "if-match": '"1"' } })
      const cancelled = yield* call(ada, "DELETE", path)
      const again = yield* call(ada, "DELETE", path)
      const list = yield* call(ada, "GET", `${reservations}?status=cancelled&status=used&when=upcoming`)
      const all = yield* call(ada, "GET", `${reservations}?status=cancelled&s=number&st=asc`)

      assert.deepStrictEqual([pushed.status, pushed.headers["etag"], pushed.json.id], [200, '"1"', "workshop"])
      assert.deepStrictEqual(Object.keys(definitions.json.data[0]).slice(0, 7), [
        "id",
        "title",
        "description",
        "timezone",
        "services",
        "spots",
        "location"
      ])
      assert.deepStrictEqual([slots.status, slots.json.timezone, slots.json.slots.length], [200, "UTC", 8])
      assert.deepStrictEqual(slots.json.slots[0], {
        start: atHour(9).toISOString(),
        end: atHour(10).toISOString(),
        spotsAvailable: 1
      })
      assert.deepStrictEqual(
        [made.status, made.headers["location"], made.headers["etag"], made.json.status],
        [201, path, '"1"', "confirmed"]
      )
      assertProblem(lost, 409, "slot_unavailable")
      assert.deepStrictEqual(lost.json.alternatives[0], slots.json.slots[1])
      assertProblem(between, 422, "slot_not_offered")
      assert.deepStrictEqual([read.json, known.status], [made.json, 304])
      assert.deepStrictEqual([moved.status, moved.json.status, moved.headers["etag"]], [200, "rescheduled", '"2"'])
      assertProblem(stale, 412, "version_mismatch")
      assert.deepStrictEqual([cancelled.status, cancelled.json.status], [200, "cancelled"])
      assert.deepStrictEqual([again.status, again.text], [200, cancelled.text])
      assert.deepStrictEqual([list.json.total, all.json.total], [0, 1])
    })
  )

  it.effect("cannot be cancelled or moved inside the notice period", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada } = yield* people
      yield* open(acme, { cancelNoticeMinutes: 14 * 1440 })
      const { json } = yield* call(ada, "POST", reservations, aBooking(9))

      const cancelled = yield* call(ada, "DELETE", `${reservations}/${json.id}`)
      const move = { reservationId: json.id, start: atHour(10).toISOString() }
      const moved = yield* call(ada, "PUT", reservations, { body: move })

      for (const refused of [cancelled, moved]) {
        assertProblem(refused, 409, "action_not_allowed")
        assert.strictEqual(refused.json.detail, "This was possible until 14 days before its start.")
      }
    })
  )

  it.effect("come as a calendar file that is downloaded, and shown nowhere", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada, eve } = yield* people
      yield* open(acme)
      const { json } = yield* call(ada, "POST", reservations, aBooking(9))

      const file = yield* call(ada, "GET", `${reservations}/${json.id}/calendar`)

      assert.strictEqual(file.status, 200)
      assert.include(file.headers, {
        "content-type": "text/calendar; charset=utf-8",
        "content-disposition": `attachment; filename="reservation-${json.number}.ics"`,
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-cache"
      })
      assert.match(file.text, /^BEGIN:VCALENDAR\r\n[^]+\r\nEND:VCALENDAR\r\n$/)
      assertProblem(yield* call(eve, "GET", `${reservations}/${json.id}/calendar`), 404, "reservation_not_found")
    })
  )

  it.effect("booked with one idempotency key are booked once", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada } = yield* people
      yield* open(acme)
      const headers = { "idempotency-key": "once" }

      const [one, two] = yield* Effect.all(
        [1, 2].map(() => call(ada, "POST", reservations, { ...aBooking(9), headers }))
      )
      const other = yield* call(ada, "POST", reservations, { ...aBooking(10), headers })

      assert.deepStrictEqual([one!.status, two!.status, two!.text], [201, 201, one!.text])
      assert.strictEqual(two!.headers["idempotency-replayed"], "true")
      assertProblem(other, 422, "idempotency_key_reused")
      assert.strictEqual((yield* call(ada, "GET", reservations)).json.total, 1)
    })
  )

  it.effect("are decided by the staff of the org", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, other } = yield* people
      const platform = yield* open(acme, { requiresConfirmation: true })
      const { json } = yield* call(ada, "POST", reservations, aBooking(9))
      const path = `/platform/reservations/${json.id}`

      const foreign = yield* call(yield* platformOf(other), "PUT", path, { body: { status: "used" } })
      const confirmed = yield* call(platform, "PUT", path, { body: { status: "confirmed", note: "At the back" } })
      const list = yield* call(platform, "GET", "/platform/reservations?customerId=ada&status=confirmed")
      const mine = yield* call(ada, "GET", `${reservations}/${json.id}`)

      assertProblem(foreign, 404, "reservation_not_found")
      assert.deepStrictEqual(
        [json.status, confirmed.json.status, confirmed.json.customerId],
        ["pending", "confirmed", "ada"]
      )
      assert.deepStrictEqual([list.json.total, mine.json.note, "customerId" in mine.json], [1, "At the back", false])
      for (const status of ["pending", "rescheduled", "done"]) {
        assertInvalid(yield* call(platform, "PUT", path, { body: { status } }), "/body/status")
      }
    })
  )

  it.effect("take no value out of bounds and no key that is not the caller's to set", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada } = yield* people
      const platform = yield* open(acme)
      const { json } = yield* call(ada, "POST", reservations, aBooking(9))
      const before = yield* fingerprint

      for (const [pointer, more] of [
        ["/body/timezone", { timezone: "Mars/Olympus" }],
        ["/body/timezone", { timezone: "+01:00" }],
        ["/body/hours/0/open", { hours: [{ day: "monday", open: "9:00", close: "17:00" }] }],
        ["/body/hours/0/close", { hours: [{ day: "monday", open: "09:00", close: "24:01" }] }],
        ["/body/hours/0", { hours: [{ day: "monday", open: "09:00", close: "09:00" }] }],
        ["/body/hours/0/day", { hours: [{ day: "holiday", open: "09:00", close: "17:00" }] }],
        [
          "/body/hours",
          {
            hours: [
              { day: "monday", open: "09:00", close: "12:00" },
              { day: "monday", open: "11:00", close: "13:00" }
            ]
          }
        ],
        ["/body/services", { services: [] }],
        ["/body/services/0/duration", { services: [{ name: "None", duration: 0 }] }],
        ["/body/spots", { spots: 0 }],
        ["/body/blocked/0", { blocked: [{ from: "2026-12-24", to: "2026-12-23" }] }],
        ["/body/blocked/0/to", { blocked: [{ from: "2026-12-24", to: "2026-02-30" }] }],
        ["/body/horizonDays", { horizonDays: 100_000 }],
        ["/body/version", { version: 7 }]
      ] as const) {
        assertInvalid(yield* call(platform, "PUT", definition, { body: { ...aDefinition(), ...more } }), pointer)
      }
      const day = dayFromNow(10)
      for (const [pointer, more] of [
        ["/body", {}],
        ["/body", { date: day, from: day, to: day }],
        ["/body", { from: day }],
        ["/body", { from: day, to: dayFromNow(9) }],
        ["/body", { from: day, to: dayFromNow(41) }],
        ["/body/date", { date: "2027-02-29" }],
        ["/body/date", { date: "tomorrow" }],
        ["/body/service", { date: day, service: "Massage" }],
        ["/body/partySize", { date: day, partySize: 0 }],
        ["/body/customerId", { date: day, customerId: "eve" }]
      ] as const) {
        const body = { definitionId: "workshop", ...more }
        assertInvalid(yield* call(ada, "POST", `${reservations}/available-slots`, { body }), pointer)
      }
      for (const key of ["id", "status", "customerId", "number", "end", "version", "cancelUntil"]) {
        assertInvalid(yield* call(ada, "POST", reservations, aBooking(10, { [key]: "x" })), `/body/${key}`)
        const body = { reservationId: json.id, [key]: "x" }
        assertInvalid(yield* call(ada, "PUT", reservations, { body }), `/body/${key}`)
      }
      assertInvalid(yield* call(ada, "POST", reservations, aBooking(10, { start: "tomorrow" })), "/body/start")
      assertInvalid(yield* call(ada, "GET", `${reservations}?when=now`), "/query/when")
      for (const start of ["1000-01-01T00:00:00Z", "2999-12-31T09:00:00Z", "9999-12-31T23:59:59.999Z"]) {
        assertProblem(yield* call(ada, "POST", reservations, aBooking(10, { start })), 422, "slot_not_offered")
        const body = { reservationId: json.id, start }
        assertProblem(yield* call(ada, "PUT", reservations, { body }), 422, "slot_not_offered")
      }
      for (const [date, status] of [
        ["1000-01-01", 200],
        ["2999-12-31", 200],
        ["9999-12-31", 400]
      ] as const) {
        const body = { definitionId: "workshop", date }
        assert.strictEqual((yield* call(ada, "POST", `${reservations}/available-slots`, { body })).status, status)
      }
      assertProblem(
        yield* call(ada, "POST", reservations, aBooking(10, { definitionId: "none" })),
        404,
        "definition_not_found"
      )

      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("of somebody else answer a stranger as reservations that do not exist", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada, eve, mallory, namesake } = yield* people
      yield* open(acme)
      const { json } = yield* call(ada, "POST", reservations, aBooking(9))
      for (const stranger of [eve, mallory, namesake]) yield* call(stranger, "GET", "/client-data/profile")
      const before = yield* fingerprint

      for (const stranger of [eve, mallory, namesake]) {
        for (const reference of [json.id as string, json.number as string]) {
          for (const attempt of [
            (id: string) => call(stranger, "GET", `${reservations}/${id}`),
            (id: string) => call(stranger, "GET", `${reservations}/${id}/calendar`),
            (id: string) => call(stranger, "DELETE", `${reservations}/${id}`),
            (id: string) => call(stranger, "DELETE", `${reservations}/${id}`, { headers: { "if-match": '"1"' } }),
            (id: string) => call(stranger, "PUT", reservations, { body: { reservationId: id, note: "Mine" } })
          ]) {
            const foreign = yield* attempt(reference)
            assertProblem(foreign, 404, "reservation_not_found")
            assert.deepStrictEqual(traits(foreign, reference), traits(yield* attempt("1999"), "1999"))
          }
        }
      }
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )
})

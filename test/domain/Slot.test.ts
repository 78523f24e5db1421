import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { slotsOn } from "../../src/domain/OpeningHours.ts"
import { Weekday } from "../../src/domain/ReservationDefinition.ts"
import { openOf, type Taken } from "../../src/domain/Slot.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const minute = 60_000
const midnight = Date.parse("2026-12-01T00:00:00Z")
const at = (minutes: number) => midnight + minutes * minute
const taken = (from: number, to: number, spots: number): Taken => ({ from: at(from), to: at(to), spots })
const slots = (duration: number, breakAfter = 0) =>
  slotsOn(
    { timezone: "UTC", hours: Weekday.literals.map((day) => ({ day, open: "00:00", close: "06:00" })) },
    { duration, breakAfter },
    "2026-12-01"
  )
const shown = (open: ReturnType<typeof openOf>) =>
  open.map(({ spotsAvailable, start }) => [(start.getTime() - midnight) / minute, spotsAvailable])

describe("A slot", () => {
  it("that touches what is taken keeps all its spots, one that overlaps it loses them", () => {
    assert.deepStrictEqual(shown(openOf(slots(60).slice(0, 4), 3, [taken(60, 120, 2)], [])), [
      [0, 3],
      [60, 1],
      [120, 3],
      [180, 3]
    ])
    assert.deepStrictEqual(shown(openOf(slots(60).slice(0, 4), 1, [taken(119, 121, 1)], [])), [
      [0, 1],
      [180, 1]
    ])
  })

  it("loses as many as are taken at once, not as many as are taken in all", () => {
    const quarters = [0, 15, 30, 45].map((from) => taken(from, from + 15, 1))
    assert.deepStrictEqual(shown(openOf(slots(60).slice(0, 1), 2, quarters, [])), [[0, 1]])
    assert.deepStrictEqual(shown(openOf(slots(60).slice(0, 1), 3, [taken(0, 20, 1), taken(10, 30, 2)], [])), [])
  })

  it("needs its break to be free as well", () => {
    assert.deepStrictEqual(shown(openOf(slots(30, 15).slice(0, 2), 1, [taken(40, 45, 1)], [])), [[45, 1]])
  })

  it("is closed to a party that is too large, and to whoever is elsewhere", () => {
    assert.deepStrictEqual(shown(openOf(slots(60).slice(0, 2), 3, [taken(0, 60, 1)], [], 3)), [[60, 3]])
    assert.deepStrictEqual(shown(openOf(slots(60).slice(0, 3), 3, [], [{ from: at(90), to: at(120) }])), [
      [0, 3],
      [120, 3]
    ])
  })

  it.prop(
    "is open exactly while every one of its minutes has the spots",
    [
      Schema.Array(Schema.Tuple([between(0, 350), between(1, 90), between(1, 3)])).check(Schema.isMaxLength(12)),
      between(1, 6)
    ],
    ([rows, spots]) => {
      const all = rows
        .map(([from, length, spots]) => taken(from, from + length, spots))
        .toSorted((a, b) => a.from - b.from)
      const byMinute = (minutes: number) =>
        all.reduce((sum, { from, spots, to }) => (from <= at(minutes) && at(minutes) < to ? sum + spots : sum), 0)

      for (const duration of [20, 45]) {
        const expected = slots(duration, 10).flatMap(({ busyUntil, start }) => {
          const first = (start - midnight) / minute
          const loads = Array.from({ length: (busyUntil - start) / minute }, (_, n) => byMinute(first + n))
          const left = spots - Math.max(...loads)
          return left >= 1 ? [[first, left]] : []
        })
        assert.deepStrictEqual(shown(openOf(slots(duration, 10), spots, all, [])), expected)
      }
    }
  )
})

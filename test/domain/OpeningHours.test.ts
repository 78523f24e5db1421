import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import { dayAfter, dayOf, instantOf, offeredOf, slotsOn } from "../../src/domain/OpeningHours.ts"
import { type OpeningWindow, Weekday } from "../../src/domain/ReservationDefinition.ts"

const everyDay = (open: string, close: string): ReadonlyArray<OpeningWindow> =>
  Weekday.literals.map((day) => ({ day, open, close }))

const local = (at: number, timezone: string) =>
  DateTime.formatIsoZoned(DateTime.makeZonedUnsafe(at, { timeZone: timezone })).slice(11, 16)

const startsOf = (timezone: string, day: string, open: string, close: string, duration = 60, breakAfter = 0) =>
  slotsOn({ hours: everyDay(open, close), timezone }, { duration, breakAfter }, day).map(({ start }) =>
    new Date(start).toISOString().slice(0, 16)
  )

const hourly = (from: string, count: number, minutes = 60) =>
  Array.from({ length: count }, (_, n) =>
    new Date(Date.parse(`${from}:00Z`) + n * minutes * 60_000).toISOString().slice(0, 16)
  )

describe("On the day that clocks change", () => {
  // Zone, day, window, duration, and the starts in UTC, which were worked out by hand.
  const table: ReadonlyArray<readonly [string, string, string, string, number, ReadonlyArray<string>]> = [
    // Forward at 2:00 to 3:00.
    ["Europe/Berlin", "2026-03-29", "09:00", "17:00", 60, hourly("2026-03-29T07:00", 8)],
    ["Europe/Berlin", "2026-03-29", "00:00", "06:00", 60, hourly("2026-03-28T23:00", 5)],
    ["Europe/Berlin", "2026-03-29", "02:30", "05:00", 60, hourly("2026-03-29T01:00", 2)],
    ["Europe/Berlin", "2026-03-29", "02:00", "03:00", 60, []],
    // Back at 3:00 to 2:00.
    ["Europe/Berlin", "2026-10-25", "09:00", "17:00", 60, hourly("2026-10-25T08:00", 8)],
    ["Europe/Berlin", "2026-10-25", "00:00", "06:00", 60, hourly("2026-10-24T22:00", 7)],
    ["Europe/Berlin", "2026-10-25", "02:00", "03:00", 60, hourly("2026-10-25T00:00", 2)],
    ["America/New_York", "2026-03-08", "09:00", "17:00", 60, hourly("2026-03-08T13:00", 8)],
    ["America/New_York", "2026-03-08", "01:00", "05:00", 60, hourly("2026-03-08T06:00", 3)],
    ["America/New_York", "2026-11-01", "09:00", "17:00", 60, hourly("2026-11-01T14:00", 8)],
    ["America/New_York", "2026-11-01", "00:00", "04:00", 60, hourly("2026-11-01T04:00", 5)],
    // By half an hour: forward at 2:00 to 2:30, back at 2:00 to 1:30.
    ["Australia/Lord_Howe", "2026-10-04", "09:00", "12:00", 60, hourly("2026-10-03T22:00", 3)],
    ["Australia/Lord_Howe", "2026-10-04", "00:00", "04:00", 30, hourly("2026-10-03T13:30", 7, 30)],
    ["Australia/Lord_Howe", "2026-10-04", "02:15", "04:00", 30, hourly("2026-10-03T15:30", 3, 30)],
    ["Australia/Lord_Howe", "2026-04-05", "09:00", "12:00", 60, hourly("2026-04-04T22:30", 3)],
    ["Australia/Lord_Howe", "2026-04-05", "00:00", "04:00", 30, hourly("2026-04-04T13:00", 9, 30)],
    // Brazil put its clocks forward at midnight, for the last time in 2018; the summer after, they stayed.
    ["America/Sao_Paulo", "2018-11-04", "00:00", "04:00", 60, hourly("2018-11-04T03:00", 3)],
    ["America/Sao_Paulo", "2019-11-03", "00:00", "04:00", 60, hourly("2019-11-03T03:00", 4)],
    ["America/Sao_Paulo", "2019-02-16", "20:00", "24:00", 60, hourly("2019-02-16T22:00", 5)],
    // Jordan was to put them back on this day and kept them instead.
    ["Asia/Amman", "2022-10-28", "00:00", "04:00", 60, hourly("2022-10-27T21:00", 4)],
    ["Asia/Amman", "2021-10-29", "00:00", "04:00", 60, hourly("2021-10-28T21:00", 5)],
    // Newfoundland put them back at one minute past midnight, so that most of the hour before came again.
    ["America/St_Johns", "2010-11-07", "00:00", "02:00", 60, hourly("2010-11-07T02:30", 3)],
    // Samoa had no such day.
    ["Pacific/Apia", "2011-12-30", "09:00", "17:00", 60, []]
  ]

  for (const [zone, day, open, close, duration, expected] of table) {
    it(`slots in ${zone} on ${day} from ${open} to ${close} are neither lost nor doubled nor shifted`, () => {
      assert.deepStrictEqual(startsOf(zone, day, open, close, duration), expected)
    })
  }

  it("a slot by day is at the same time of the clock as the day before and after", () => {
    for (const [zone, day] of table) {
      for (const days of [-1, 0, 1]) {
        const that = dayAfter(day, days)
        if (zone === "Pacific/Apia") continue
        const slots = slotsOn(
          { hours: everyDay("09:00", "17:00"), timezone: zone },
          { duration: 45, breakAfter: 15 },
          that
        )
        assert.deepStrictEqual(
          slots.map(({ start }) => local(start, zone)),
          ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"],
          `${zone} ${that}`
        )
      }
    }
  })
})

describe("Slots", () => {
  it("begin anew at each opening, in the order of the day, after every duration and break, and end by the closing", () => {
    const hours: ReadonlyArray<OpeningWindow> = [
      { day: "tuesday", open: "13:30", close: "15:00" },
      { day: "tuesday", open: "09:00", close: "11:00" },
      { day: "wednesday", open: "09:00", close: "11:00" }
    ]

    const slots = slotsOn({ hours, timezone: "UTC" }, { duration: 30, breakAfter: 10 }, "2026-12-01")

    assert.deepStrictEqual(
      slots.map(({ busyUntil, end, start }) => [start, end, busyUntil].map((at) => local(at, "UTC"))),
      [
        ["09:00", "09:30", "09:40"],
        ["09:40", "10:10", "10:20"],
        ["10:20", "10:50", "11:00"],
        ["13:30", "14:00", "14:10"],
        ["14:10", "14:40", "14:50"]
      ]
    )
    assert.deepStrictEqual(slotsOn({ hours, timezone: "UTC" }, { duration: 30, breakAfter: 0 }, "2026-12-03"), [])
  })

  const definition = {
    timezone: "Europe/Berlin",
    hours: everyDay("09:00", "12:00"),
    bookingNoticeMinutes: 90,
    horizonDays: 2,
    blocked: []
  }
  const service = { name: "One", duration: 60, breakAfter: 0, price: null }
  const offered = (
    more: Partial<Parameters<typeof offeredOf>[0]>,
    days = ["2026-12-01"],
    now = "2026-12-01T07:00:00Z"
  ) =>
    offeredOf({ ...definition, ...more }, service, days, Date.parse(now)).map(({ start }) =>
      new Date(start).toISOString().slice(5, 13)
    )

  it("are offered from the notice on, to the minute, and to the end of the last day of the horizon", () => {
    assert.deepStrictEqual(offered({}), ["12-01T09", "12-01T10"])
    assert.deepStrictEqual(offered({}, ["2026-12-01"], "2026-12-01T06:30:00Z"), ["12-01T08", "12-01T09", "12-01T10"])
    assert.deepStrictEqual(offered({}, ["2026-12-01"], "2026-12-01T06:30:00.001Z"), ["12-01T09", "12-01T10"])
    assert.deepStrictEqual(offered({ bookingNoticeMinutes: 0 }, ["2026-12-01"], "2026-12-01T10:00:00Z"), [])
    assert.strictEqual(offered({}, ["2026-12-03"]).length, 3)
    assert.strictEqual(offered({}, ["2026-12-04"]).length, 0)
    // In Berlin it is the second of December already.
    assert.strictEqual(offered({}, ["2026-12-04"], "2026-12-01T23:30:00Z").length, 3)
  })

  it("that touch a blocked time are offered, those that overlap it are not", () => {
    const days = ["2026-12-02"]
    assert.deepStrictEqual(
      offered({ blocked: [{ from: "2026-12-02T10:00:00+01:00", to: "2026-12-02T11:00:00+01:00" }] }, days),
      ["12-02T08", "12-02T10"]
    )
    assert.deepStrictEqual(
      offered({ blocked: [{ from: "2026-12-02T09:59:59+01:00", to: "2026-12-02T10:00:01+01:00" }] }, days),
      ["12-02T10"]
    )
    assert.deepStrictEqual(offered({ blocked: [{ from: "2026-12-01", to: "2026-12-02" }] }, days), [])
    assert.strictEqual(offered({ blocked: [{ from: "2026-12-03", to: "2026-12-04" }] }, days).length, 3)
    assert.strictEqual(offered({ blocked: [{ from: "2026-11-01", to: "2026-12-01" }] }, days).length, 3)
  })

  const Zone = Schema.Literals([
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Chatham"
  ])
  const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  const clockTime = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`
  const runs = { arbitrary: { runs: 400 } }

  it.prop(
    "of any zone, day and windows follow one another, last what they should, and lie between opening and closing",
    [Zone, between(0, 7300), between(0, 143), between(1, 144), between(5, 180), between(0, 60)],
    ([timezone, days, first, length, duration, breakAfter]) => {
      const day = dayAfter("2010-01-01", days)
      const second = Math.min(288, first + length)
      const windows = [
        [clockTime(first * 5), clockTime(second * 5)],
        [clockTime(second * 5), "24:00"]
      ] as const
      const hours = windows.filter(([open, close]) => open < close).flatMap(([open, close]) => everyDay(open, close))
      const [open, close] = windows[0]
      const opening = instantOf(day, open, timezone)
      const closing = instantOf(day, close, timezone)

      const slots = slotsOn({ hours, timezone }, { duration, breakAfter }, day)

      let freeFrom = -Infinity
      for (const { busyUntil, end, start } of slots) {
        assert.isAtLeast(start, freeFrom)
        assert.deepStrictEqual([end - start, busyUntil - end], [duration * 60_000, breakAfter * 60_000])
        assert.isTrue((opening <= start && end <= closing) || closing <= start)
        freeFrom = end
      }
      assert.strictEqual(slots[0]?.start === opening, closing - opening >= duration * 60_000)
      if (closing - opening === (second - first) * 300_000) {
        assert.deepStrictEqual([dayOf(opening, timezone), local(opening, timezone)], [day, open])
      }
    },
    runs
  )

  it.prop("of windows that touch never overlap, whatever the clocks do", [Zone, between(0, 7300)], ([zone, days]) => {
    let before = -Infinity
    for (let minutes = 0; minutes <= 1440; minutes += 15) {
      const at = instantOf(dayAfter("2010-01-01", days), clockTime(minutes), zone)
      assert.isAtLeast(at, before)
      before = at
    }
  })
})

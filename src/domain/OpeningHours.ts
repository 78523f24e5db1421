import { DateTime } from "effect"
import { dayBegins, isDay } from "./Moment.ts"
import { type OpeningWindow, type ReservationDefinition, type Service, Weekday } from "./ReservationDefinition.ts"

/** A time that can be booked, in milliseconds since 1970; the spot stays taken until the break after it is over. */
export interface Slot {
  readonly start: number
  readonly end: number
  readonly busyUntil: number
}

const minute = 60_000
const dayLength = 86_400_000

const zoned = (at: number, timeZone: string) => DateTime.makeZonedUnsafe(at, { timeZone })

// Asking for an offset is what costs most of a month of slots. The rules of a zone do not change while a process runs.
const known = new Map<string, number>()
const offsetAtMidnight = (utcDay: number, timeZone: string): number => {
  const key = `${timeZone} ${utcDay}`
  const offset = known.get(key) ?? DateTime.zonedOffset(zoned(utcDay * dayLength, timeZone))
  if (known.size < 10_000) known.set(key, offset)
  return offset
}

export const dayOf = (at: number, timeZone: string): string => DateTime.formatIsoDate(zoned(at, timeZone))

/** The day so many days after another, by the calendar. */
export const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(day) + days * dayLength).toISOString().slice(0, 10)

export const daysFrom = (from: string, to: string): ReadonlyArray<string> =>
  Array.from({ length: (Date.parse(to) - Date.parse(from)) / dayLength + 1 }, (_, n) => dayAfter(from, n))

/**
 * The instant at which the clocks of a time zone first show a time of a day, or would have shown it.
 *
 * A time that clocks show twice is the first one. A time that they leave out is the instant at which they are put
 * forward. So windows that touch on the clock touch in time as well: they never overlap, whatever the clocks do.
 */
export const instantOf = (day: string, time: string, timeZone: string): number => {
  const [hours, minutes] = time.split(":").map(Number)
  const local = Date.parse(day) + (hours! * 60 + minutes!) * minute
  const utcDay = Math.floor(local / dayLength)
  const steady = offsetAtMidnight(utcDay - 1, timeZone)
  if (steady === offsetAtMidnight(utcDay + 2, timeZone)) return local - steady

  const at = (disambiguation: "earlier" | "later") =>
    DateTime.makeZonedUnsafe(local, { timeZone, adjustForTimeZone: true, disambiguation })
  const first = at("earlier")
  if (first.epochMilliseconds + DateTime.zonedOffset(first) === local) return first.epochMilliseconds

  // Left out by the clocks: which of the minutes between is the first with the new offset?
  let before = Math.floor(first.epochMilliseconds / minute)
  let after = Math.ceil(at("later").epochMilliseconds / minute)
  const offset = DateTime.zonedOffset(first)
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (DateTime.zonedOffset(zoned(middle * minute, timeZone)) === offset) before = middle
    else after = middle
  }
  return after * minute
}

/**
 * The slots of one day: from the instant of each opening, one after another with the break between, as many as end by
 * the closing. They last as long as they say, so where clocks change within a window it holds more of them, or fewer.
 */
export const slotsOn = (
  { hours, timezone }: { readonly hours: ReadonlyArray<OpeningWindow>; readonly timezone: string },
  { breakAfter, duration }: Pick<Service, "breakAfter" | "duration">,
  day: string
): ReadonlyArray<Slot> => {
  const weekday = Weekday.literals[new Date(day).getUTCDay()]
  const windows = hours.filter((window) => window.day === weekday).sort((a, b) => (a.open < b.open ? -1 : 1))
  const slots: Array<Slot> = []
  for (const { close, open } of windows) {
    const closing = instantOf(day, close, timezone)
    for (let start = instantOf(day, open, timezone); ;) {
      const end = start + duration * minute
      if (end > closing) break
      slots.push({ start, end, busyUntil: end + breakAfter * minute })
      start = end + breakAfter * minute
    }
  }
  return slots
}

/** Those of the slots that the definition offers at this moment: not too soon, not too far away, not blocked. */
export const offeredOf = (
  definition: Pick<ReservationDefinition, "blocked" | "bookingNoticeMinutes" | "hours" | "horizonDays" | "timezone">,
  service: Service,
  days: ReadonlyArray<string>,
  now: number
): ReadonlyArray<Slot> => {
  const { blocked, bookingNoticeMinutes, horizonDays, timezone } = definition
  const earliest = now + Math.max(1, bookingNoticeMinutes * minute)
  const lastDay = dayAfter(dayOf(now, timezone), horizonDays)
  // Days of a year are not worth converting for a week; an instant's date may be off by one where it is read.
  const near = blocked.filter(
    ({ from, to }) => from.slice(0, 10) <= dayAfter(days.at(-1)!, 2) && to.slice(0, 10) >= dayAfter(days[0]!, -2)
  )
  const closed = near.map(({ from, to }) => ({
    from: isDay(from) ? dayBegins(from, timezone).getTime() : Date.parse(from),
    to: isDay(to) ? dayBegins(to, timezone, 1).getTime() : Date.parse(to)
  }))
  return days
    .filter((day) => day <= lastDay)
    .flatMap((day) => slotsOn(definition, service, day))
    .filter(({ end, start }) => start >= earliest && !closed.some(({ from, to }) => start < to && from < end))
}

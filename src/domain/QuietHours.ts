import { DateTime, Schema } from "effect"

const TimeOfDay = Schema.String.annotate({ examples: ["22:00"] }).check(
  Schema.isPattern(/^(?:[01]\d|2[0-3]):[0-5]\d$/u, { message: "Expected a time of day such as 22:00" })
)

/** From `start` until `end`, over midnight where `end` comes first. */
export const QuietHours = Schema.Struct({ start: TimeOfDay, end: TimeOfDay })
  .check(Schema.makeFilter(({ end, start }) => start !== end || "Expected an end that differs from the start"))
  .annotate({ identifier: "QuietHours" })
export type QuietHours = typeof QuietHours.Type

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/**
 * When the quiet hours that reign at an instant are over; undefined when none do.
 *
 * They go by the clock on the customer's wall: an end that the clock skips in spring comes as long after the skip, and of
 * an hour that comes twice in autumn the first counts, unless it is over.
 */
export const quietUntil = ({ end, start }: QuietHours, timeZone: string | null, now: number): Date | undefined => {
  const zone = timeZone ?? "UTC"
  const wall = DateTime.toParts(DateTime.makeZonedUnsafe(now, { timeZone: zone }))
  const minute = wall.hour * 60 + wall.minute
  const [from, to] = [minutesOf(start), minutesOf(end)]
  const isQuiet = from < to ? from <= minute && minute < to : from <= minute || minute < to
  if (!isQuiet) return undefined
  const that = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + (minute < to ? 0 : 1)))
  const parts = {
    year: that.getUTCFullYear(),
    month: that.getUTCMonth() + 1,
    day: that.getUTCDate(),
    hour: Math.floor(to / 60),
    minute: to % 60
  }
  const at = (disambiguation: "compatible" | "later") =>
    DateTime.toDateUtc(DateTime.makeZonedUnsafe(parts, { timeZone: zone, adjustForTimeZone: true, disambiguation }))
  const first = at("compatible")
  return first.getTime() > now ? first : at("later")
}

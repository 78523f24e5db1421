import { DateTime, Schema } from "effect"

/** A filter's bound: a day in the customer's own time zone (`to` includes that day), or an instant. */
export const DayOrInstant = Schema.String.annotate({
  description: "A day in the profile's time zone, such as 2026-11-01, or an instant",
  examples: ["2026-11-01", "2026-11-23T10:00:00.000Z"]
}).check(
  Schema.isPattern(
    /^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d))?$/u,
    { message: "Expected a day such as 2026-11-01 or an instant such as 2026-11-23T10:00:00Z" }
  ),
  Schema.makeFilter(
    (text: string) =>
      new Date(text.slice(0, 10)).getUTCDate() === Number(text.slice(8, 10)) || "Expected a day that is in the calendar"
  )
)

export const isDay = (bound: string): boolean => bound.length === 10

/** The instant at which a day, or one after it, begins in a time zone: not always 24 hours apart, not always at 0:00. */
export const dayBegins = (day: string, timeZone: string, daysAfter = 0): Date => {
  const [year, month, date] = day.split("-").map(Number)
  const that = new Date(Date.UTC(year!, month! - 1, date! + daysAfter))
  const parts = { year: that.getUTCFullYear(), month: that.getUTCMonth() + 1, day: that.getUTCDate() }
  return DateTime.toDateUtc(DateTime.makeZonedUnsafe(parts, { timeZone, adjustForTimeZone: true }))
}

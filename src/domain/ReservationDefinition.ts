import { Schema } from "effect"
import { example } from "./Example.ts"
import { PlatformId } from "./Ids.ts"
import { DayOrInstant, isDay } from "./Moment.ts"
import { Money } from "./Money.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { TimeZone } from "./Profile.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const DefinitionId = PlatformId.pipe(Schema.brand("DefinitionId"))
export type DefinitionId = typeof DefinitionId.Type

/** As `Date.getUTCDay` counts them, so that a weekday's place here is its number there. */
export const Weekday = Schema.Literals([
  "sunday",
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday"
]).annotate({ identifier: "Weekday" })

const clock = (description: string, example: string, pattern: RegExp) =>
  Schema.String.annotate({ description, examples: [example] }).check(
    Schema.isPattern(pattern, { message: `Expected a time of day such as ${example}` })
  )

export const OpeningWindow = Schema.Struct({
  day: Weekday,
  open: clock("In the business's time zone", "09:00", /^(?:[01]\d|2[0-3]):[0-5]\d$/u),
  close: clock(
    "In the business's time zone, later than `open`; `24:00` is midnight",
    "17:00",
    /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/u
  )
})
  .annotate({ examples: [{ day: "monday", open: "09:00", close: "17:00" }] })
  .check(Schema.makeFilter(({ close, open }) => open < close || "Expected a window to close after it opens"))
  // After the check, which a name from before would not cover.
  .annotate({ identifier: "OpeningWindow" })
export type OpeningWindow = typeof OpeningWindow.Type

const Hours = Schema.Array(OpeningWindow)
  .annotate({ description: "Any number of windows a day; a day without one is closed" })
  .check(
    Schema.isMaxLength(70),
    Schema.makeFilter(
      (hours) =>
        hours.every((one, n) =>
          hours.slice(n + 1).every((two) => one.day !== two.day || one.close <= two.open || two.close <= one.open)
        ) || "Expected windows of a day that do not overlap"
    )
  )

const Name = Text(1, 120)
const Minutes = (minimum: number, maximum: number, description?: string) =>
  Schema.Int.annotate(description === undefined ? {} : { description }).check(Schema.isBetween({ minimum, maximum }))
const duration = Minutes(5, 1440, "In minutes")
const breakAfter = Minutes(0, 1440, "Minutes that a spot stays taken after each reservation")

export const Service = Schema.Struct({
  name: Name,
  duration,
  price: Schema.NullOr(Money),
  breakAfter
}).annotate({ identifier: "ReservationService" })
export type Service = typeof Service.Type

const year = 525_600
const location = Text(1, 500)
const description = Text(0, 2000)
const spots = Minutes(1, 10_000, "How many can be there at once, all services taken together")
const horizonDays = Minutes(1, 1095, "The last day that can be booked, counted from today")
const bookingNoticeMinutes = Minutes(0, year, "How long before its start a slot can last be booked")
const cancelNoticeMinutes = Minutes(
  0,
  year,
  "How long before its start a reservation can last be moved or cancelled by the customer; what it was when booked holds"
)
const requiresConfirmation = Schema.Boolean.annotate({
  description: "Reservations are `pending` until the staff confirm"
})
const maxPerCustomer = Minutes(1, 1000, "How many reservations ahead of them one customer may hold at a time")

const Bound = DayOrInstant.annotate({ description: "A day in the business's time zone, or an instant" })
const Blocked = Schema.Struct({ from: Bound, to: Bound })
  .annotate({
    description: "Instants, or days in the business's time zone, of which `to` is the last",
    examples: [{ from: "2026-12-24", to: "2026-12-26" }]
  })
  .check(
    Schema.makeFilter(({ from, to }) => {
      const ordered =
        isDay(from) && isDay(to) ? from <= to : Date.parse(from) < Date.parse(to) + (isDay(to) ? 864e5 : 0)
      return ordered || "Expected a time that ends after it begins"
    })
  )
  .annotate({ identifier: "BlockedTime" })

const bookable = {
  id: DefinitionId,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  timezone: Schema.String.annotate({ description: "IANA: the business's own" }),
  services: Schema.Array(Service),
  spots,
  location: Schema.NullOr(Schema.String),
  hours: Schema.Array(OpeningWindow),
  horizonDays,
  bookingNoticeMinutes,
  cancelNoticeMinutes,
  requiresConfirmation
}
const workshop = {
  id: DefinitionId.make("workshop"),
  title: "Repairs",
  description: null,
  timezone: "Europe/London",
  services: [{ name: "Inspection", duration: 45, price: { amount: 4500, currency: "GBP" }, breakAfter: 15 }],
  spots: 2,
  location: "12 St James's Square, London",
  hours: [{ day: "monday" as const, open: "09:00", close: "17:00" }],
  horizonDays: 60,
  bookingNoticeMinutes: 120,
  cancelNoticeMinutes: 1440,
  requiresConfirmation: false
}

/** What a customer can book. */
export const BookableDefinition = Schema.Struct(bookable).annotate({
  identifier: "BookableDefinition",
  examples: [example(workshop)]
})
export type BookableDefinition = typeof BookableDefinition.Type

/** A definition as the platform sees it. */
export const ReservationDefinition = Schema.Struct({
  ...bookable,
  blocked: Schema.Array(Blocked),
  maxPerCustomer,
  active: Schema.Boolean,
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}).annotate({
  identifier: "ReservationDefinition",
  examples: [
    example({
      ...workshop,
      blocked: [{ from: "2026-12-24", to: "2026-12-26" }],
      maxPerCustomer: 50,
      active: true,
      version: 3,
      createdAt: new Date("2026-11-02T17:31:02.118Z"),
      updatedAt: new Date("2026-11-23T10:00:00.000Z")
    })
  ]
})
export type ReservationDefinition = typeof ReservationDefinition.Type

/** A definition as the platform pushes it; the platform's id is in the path. */
export const ReservationDefinitionPush = Schema.Struct({
  title: Text(1, 200),
  description: Schema.optionalKey(Schema.NullOr(description)),
  timezone: TimeZone,
  hours: Hours,
  services: Schema.Array(
    Schema.Struct({
      name: Name,
      duration,
      price: Schema.optionalKey(Schema.NullOr(Money)),
      breakAfter: Schema.optionalKey(breakAfter).annotateKey({ description: "0 if absent" })
    })
  )
    .annotate({ description: "The first one is booked where none is named" })
    .check(
      Schema.isMinLength(1),
      Schema.isMaxLength(50),
      Schema.makeFilter(
        (services) =>
          new Set(services.map(({ name }) => name)).size === services.length || "Expected services of different names"
      )
    ),
  spots,
  blocked: Schema.optionalKey(Schema.Array(Blocked).check(Schema.isMaxLength(1000))),
  horizonDays: Schema.optionalKey(horizonDays).annotateKey({ description: "365 if absent" }),
  bookingNoticeMinutes: Schema.optionalKey(bookingNoticeMinutes).annotateKey({ description: "0 if absent" }),
  cancelNoticeMinutes: Schema.optionalKey(cancelNoticeMinutes).annotateKey({ description: "0 if absent" }),
  requiresConfirmation: Schema.optionalKey(requiresConfirmation).annotateKey({ description: "false if absent" }),
  maxPerCustomer: Schema.optionalKey(maxPerCustomer).annotateKey({
    description:
      "How many reservations ahead of them one customer may hold at a time, those cancelled within the last day included; 50 if absent"
  }),
  location: Schema.optionalKey(Schema.NullOr(location)),
  active: Schema.optionalKey(Schema.Boolean).annotateKey({ description: "true if absent" })
}).annotate({
  identifier: "ReservationDefinitionPush",
  examples: [
    {
      title: "Repairs",
      timezone: "Europe/London",
      hours: [
        { day: "monday", open: "09:00", close: "12:00" },
        { day: "monday", open: "13:00", close: "17:00" }
      ],
      services: [{ name: "Inspection", duration: 45, breakAfter: 15 }],
      spots: 2
    }
  ]
})
export type ReservationDefinitionPush = typeof ReservationDefinitionPush.Type

export const definitionSorts = { id: "text", title: "text", spots: "integer" } as const

export const DefinitionsQuery = Schema.Struct(listQuery(definitionSorts, "title"))
export type DefinitionsQuery = typeof DefinitionsQuery.Type
export const DefinitionsPage = pageOf("BookableDefinitionsPage", BookableDefinition)

export class DefinitionNotFound extends Problem<DefinitionNotFound>()("DefinitionNotFound", {
  code: "definition_not_found",
  status: 404,
  title: "Definition not found",
  detail: "There is nothing of this id that could be booked."
}) {}

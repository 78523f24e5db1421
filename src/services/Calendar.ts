import { Context } from "effect"

export interface CalendarEvent {
  /** The same for every version of an event, and for no other event anywhere. */
  readonly uid: string
  /** Grows with each change, so that a calendar knows which one is newer. */
  readonly sequence: number
  readonly changedAt: Date
  readonly start: Date
  readonly end: Date
  readonly title: string
  readonly location: string | null
  readonly description: string | null
  readonly status: "tentative" | "confirmed" | "cancelled"
}

/** Writes what a calendar application reads: a file of iCalendar (RFC 5545). */
export class Calendar extends Context.Service<Calendar, { readonly file: (event: CalendarEvent) => string }>()(
  "portico/services/Calendar"
) {}

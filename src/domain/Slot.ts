import { Schema } from "effect"
import { example } from "./Example.ts"
import type { Slot as Time } from "./OpeningHours.ts"
import { Problem } from "./Problem.ts"
import { DefinitionId } from "./ReservationDefinition.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

const Day = Schema.String.annotate({
  description: "A day in the business's time zone",
  examples: ["2026-12-01"]
}).check(
  Schema.isPattern(/^[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/u, {
    message: "Expected a day such as 2026-12-01"
  }),
  Schema.makeFilter(
    (day: string) => new Date(day).getUTCDate() === Number(day.slice(8)) || "Expected a day that is in the calendar"
  )
)

export const PartySize = Schema.Int.annotate({ description: "How many spots it takes; 1 if absent" }).check(
  Schema.isBetween({ minimum: 1, maximum: 10_000 })
)

export const ServiceName = Text(1, 120, "The name of one of the definition's services; its first one if absent")

/** The days to look for slots on: `date`, or `from` and `to`. */
export const SlotsQuery = Schema.Struct({
  definitionId: DefinitionId,
  service: Schema.optionalKey(ServiceName),
  date: Schema.optionalKey(Day),
  from: Schema.optionalKey(Day),
  to: Schema.optionalKey(Day),
  partySize: Schema.optionalKey(PartySize)
})
  .annotate({ examples: [{ definitionId: DefinitionId.make("workshop"), date: "2026-12-01" }] })
  .check(
    Schema.makeFilter(
      ({ date, from, to }) =>
        ((date === undefined) === (from !== undefined && to !== undefined) &&
          (date === undefined || (from === undefined && to === undefined))) ||
        "Expected either date, or both from and to"
    ),
    Schema.makeFilter(({ from = "", to = "" }) => {
      const days = (Date.parse(to) - Date.parse(from)) / 864e5
      return Number.isNaN(days) || (days >= 0 && days <= 30) || "Expected from and to in order and at most 31 days"
    })
  )
  // After the check, which a name from before would not cover.
  .annotate({ identifier: "SlotsQuery" })
export type SlotsQuery = typeof SlotsQuery.Type

export const Slot = Schema.Struct({
  start: Timestamp,
  end: Timestamp,
  spotsAvailable: Schema.Int
}).annotate({ identifier: "Slot" })
export type Slot = typeof Slot.Type

const slotExample = {
  start: new Date("2026-12-01T09:00:00.000Z"),
  end: new Date("2026-12-01T09:45:00.000Z"),
  spotsAvailable: 2
}

export const AvailableSlots = Schema.Struct({
  timezone: Schema.String.annotate({ description: "IANA: the business's own" }),
  slots: Schema.Array(Slot).annotate({
    description: "Those with a free spot, without those during another reservation of the customer's own"
  })
}).annotate({
  identifier: "AvailableSlots",
  examples: [example({ timezone: "Europe/London", slots: [slotExample] })]
})
export type AvailableSlots = typeof AvailableSlots.Type

/** Spots that are taken from one moment to another. */
export interface Taken {
  readonly from: number
  readonly to: number
  readonly spots: number
}

/** The most spots that are taken at any one moment of the slot; `taken` in the order of `from`. */
export const spotsTaken = (slot: Time, taken: ReadonlyArray<Taken>): number => {
  const during = taken.filter(({ from, to }) => from < slot.busyUntil && slot.start < to)
  const at = (moment: number) =>
    during.reduce((sum, { from, spots, to }) => (from <= moment && moment < to ? sum + spots : sum), 0)
  return Math.max(at(slot.start), ...during.map(({ from }) => (from > slot.start ? at(from) : 0)))
}

/** Those of the slots, in their order, that leave a party of this size its spots. */
export const openOf = (
  slots: ReadonlyArray<Time>,
  spots: number,
  taken: ReadonlyArray<Taken>,
  own: ReadonlyArray<Pick<Taken, "from" | "to">>,
  partySize = 1
): ReadonlyArray<Slot> => {
  const open: Array<Slot> = []
  let passed = 0
  for (const slot of slots) {
    while (passed < taken.length && taken[passed]!.to <= slot.start) passed++
    let next = passed
    while (next < taken.length && taken[next]!.from < slot.busyUntil) next++
    const spotsAvailable = spots - spotsTaken(slot, taken.slice(passed, next))
    if (spotsAvailable < partySize || own.some(({ from, to }) => from < slot.end && slot.start < to)) continue
    open.push({ start: new Date(slot.start), end: new Date(slot.end), spotsAvailable })
  }
  return open
}

export class SlotNotOffered extends Problem<SlotNotOffered>()("SlotNotOffered", {
  code: "slot_not_offered",
  status: 422,
  title: "Slot not offered",
  detail: "No slot begins then; ask for the available slots."
}) {}

export class SlotUnavailable extends Problem<SlotUnavailable>()(
  "SlotUnavailable",
  {
    code: "slot_unavailable",
    status: 409,
    title: "Slot unavailable",
    detail: "The slot has just been taken."
  },
  {
    alternatives: Schema.Array(Slot).annotate({ description: "The nearest slots that are still open, nearest first" })
  }
) {}

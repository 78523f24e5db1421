import { Effect, Schema } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { dayAfter } from "../domain/OpeningHours.ts"
import { DefinitionId, ReservationDefinitionPush } from "../domain/ReservationDefinition.ts"
import { ReservationBooking } from "../services/ReservationBooking.ts"
import { ReservationDefinitions } from "../services/ReservationDefinitions.ts"
import { Reservations } from "../services/Reservations.ts"
import { ada, grace, org } from "./DemoAccounts.ts"

const definition = Schema.decodeUnknownSync(Schema.toCodecJson(ReservationDefinitionPush))

const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"]
const gbp = (amount: number) => ({ amount, currency: "GBP" })

const workshop = DefinitionId.make("workshop")
const museum = DefinitionId.make("museum-tour")

const definitions = [
  [
    workshop,
    definition({
      title: "The workshop",
      description: "Bring your calculator: we look at it while you wait.",
      timezone: "Europe/London",
      hours: weekdays.flatMap((day) => [
        { day, open: "09:00", close: "12:30" },
        { day, open: "13:30", close: "17:30" }
      ]),
      services: [
        { name: "Inspection", duration: 30, price: gbp(4500), breakAfter: 10 },
        { name: "Cleaning and oil", duration: 90, price: gbp(12000), breakAfter: 15 }
      ],
      spots: 2,
      bookingNoticeMinutes: 60,
      cancelNoticeMinutes: 1440,
      location: "12 St James's Square, London"
    })
  ],
  [
    museum,
    definition({
      title: "A tour of the collection",
      timezone: "America/New_York",
      hours: ["wednesday", "saturday", "sunday"].map((day) => ({ day, open: "10:00", close: "16:00" })),
      services: [{ name: "Guided tour", duration: 60, breakAfter: 30 }],
      spots: 12,
      cancelNoticeMinutes: 120,
      requiresConfirmation: true,
      location: "2111 Wilson Boulevard, Arlington"
    })
  ]
] as const

/** What can be booked, and what ada and grace have booked of it: whichever slots are the first of next week. */
export const appointments = Effect.gen(function* () {
  const { push } = yield* ReservationDefinitions
  const { book } = yield* ReservationBooking
  const { slots } = yield* Reservations
  for (const [id, pushed] of definitions)
    yield* push(id, pushed).pipe(Effect.provideService(CurrentPlatform, { orgId: org }))
  for (const [customer, definitionId, more] of [
    [ada, workshop, { note: "The hairline of my slide rule is loose." }],
    [grace, museum, { partySize: 3 }]
  ] as const) {
    const today = new Date().toISOString().slice(0, 10)
    yield* Effect.gen(function* () {
      const { slots: open } = yield* slots({ definitionId, from: dayAfter(today, 5), to: dayAfter(today, 12) })
      yield* book({ definitionId, start: open[0]!.start, ...more })
    }).pipe(Effect.provideService(CurrentCustomer, customer))
  }
})

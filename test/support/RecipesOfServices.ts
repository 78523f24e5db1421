import { Effect } from "effect"
import { nextNumber } from "./People.ts"
import { about, filtered, listOf, ofCustomer, type Recipe, send, twice, upload } from "./Recipe.ts"
import type { Actor } from "./World.ts"

const usd = { amount: 1200, currency: "USD" }
const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

const definitionBody = () => ({
  title: `Workshop ${nextNumber()}`,
  timezone: "UTC",
  hours: days.map((day) => ({ day, open: "00:00", close: "24:00" })),
  services: [{ name: "Inspection", duration: 60, price: usd }],
  spots: 5,
  requiresConfirmation: true
})
const definition = Effect.fnUntraced(function* ({ platform }: Actor) {
  const id = `definition-${nextNumber()}`
  yield* send(platform, "PUT", `/platform/reservation-definitions/${id}`, { body: definitionBody() })
  return id
})
const inThreeDays = () => new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
const booking = Effect.fnUntraced(function* (actor: Actor) {
  const definitionId = yield* definition(actor)
  const path = "/client-data/reservations/available-slots"
  const { slots } = yield* send(actor.customer, "POST", path, { body: { definitionId, date: inThreeDays() } })
  return { definitionId, start: slots[0].start as string, note: actor.canary }
})
const reservation = (actor: Actor) =>
  Effect.flatMap(booking(actor), (body) => send(actor.customer, "POST", "/client-data/reservations", { body })).pipe(
    Effect.map((reservation) => reservation as { readonly id: string; readonly definitionId: string })
  )
const reservationId = (actor: Actor) => Effect.map(reservation(actor), ({ id }) => id)

const benefitBody = () => ({
  name: `programme-${nextNumber()}`,
  title: "Student discount",
  requiresApproval: true,
  perks: { discountType: "percentage", discount: 10, freeShipping: false }
})
/** Made ahead, by org: a new one is news to every customer of the org, bystanders included. */
const programmes = new Map<string, Array<string>>()
const benefit = Effect.fnUntraced(function* ({ customer, platform }: Actor) {
  const ready = programmes.get(customer.orgId) ?? []
  programmes.set(customer.orgId, ready)
  if (ready.length === 0) {
    for (let n = 0; n < 40; n++) {
      const id = `benefit-${nextNumber()}`
      yield* send(platform, "PUT", `/platform/benefits/${id}`, { body: benefitBody() })
      ready.push(id)
    }
  }
  return ready.pop()!
})
const application = Effect.fnUntraced(function* (actor: Actor) {
  const { path } = yield* upload(actor)
  return { benefitId: yield* benefit(actor), documents: [path], formData: { school: actor.canary } }
})
const enrollment = (actor: Actor) =>
  Effect.flatMap(application(actor), (body) =>
    send(actor.customer, "POST", "/client-data/benefits/enroll", { body })
  ).pipe(Effect.map((enrollment) => enrollment as { readonly id: string; readonly benefitId: string }))
const enrollmentId = (actor: Actor) => Effect.map(enrollment(actor), ({ id }) => id)

/** Of what can be booked and what can be enrolled in. */
export const serviceRecipes: Readonly<Record<string, Recipe | ReadonlyArray<Recipe>>> = {
  "reservations.definitions": { ...listOf(definition), catalogue: true },
  "reservations.slots": {
    make: (actor) => Effect.map(definition(actor), (definitionId) => ({ body: { definitionId, date: inThreeDays() } })),
    shared: ["body.definitionId"]
  },
  "reservations.list": listOf(reservation),
  "reservations.get": about("reservationId", reservationId),
  "reservations.calendar": about("reservationId", reservationId),
  "reservations.cancel": about("reservationId", reservationId),
  "reservations.book": {
    make: (actor) => Effect.map(booking(actor), (body) => ({ body })),
    shared: ["body.definitionId"]
  },
  "reservations.change": {
    make: (actor) =>
      Effect.map(reservationId(actor), (reservationId) => ({ body: { reservationId, note: actor.canary } }))
  },
  "platformReservationDefinitions.get": about("definitionId", definition),
  "platformReservationDefinitions.push": {
    make: () => Effect.sync(() => ({ path: { definitionId: `definition-${nextNumber()}` }, body: definitionBody() })),
    own: ["path.definitionId"]
  },
  "platformReservations.list": [
    {
      make: Effect.fnUntraced(function* (actor: Actor) {
        const { definitionId } = yield* reservation(actor)
        const path = "/client-data/reservations/available-slots"
        const { slots } = yield* send(actor.customer, "POST", path, { body: { definitionId, date: inThreeDays() } })
        const body = { definitionId, start: slots[5].start as string }
        yield* send(actor.customer, "POST", "/client-data/reservations", { body })
        return { query: { definitionId, customerId: actor.customer.customerId } }
      }),
      answers: { "query.definitionId": 200, "query.customerId": 200 }
    },
    {
      make: (actor) =>
        Effect.as(
          twice(() => reservation(actor)),
          ofCustomer(actor)
        ),
      ...filtered
    }
  ],
  "platformReservations.get": about("reservationId", reservationId),
  "platformReservations.decide": {
    make: (actor) =>
      Effect.map(reservationId(actor), (reservationId) => ({ path: { reservationId }, body: { status: "confirmed" } }))
  },

  "benefits.list": { ...listOf(enrollment), catalogue: true },
  "benefits.enroll": {
    make: (actor) => Effect.map(application(actor), (body) => ({ body })),
    shared: ["body.benefitId"]
  },
  "benefits.listEnrollments": listOf(enrollment),
  "benefits.getEnrollment": about("enrollmentId", enrollmentId),
  "benefits.withdraw": about("enrollmentId", enrollmentId),
  "platformBenefits.get": about("benefitId", benefit),
  "platformBenefits.push": {
    make: () => Effect.sync(() => ({ path: { benefitId: `benefit-${nextNumber()}` }, body: benefitBody() })),
    own: ["path.benefitId"]
  },
  "platformBenefits.listEnrollments": [
    {
      make: (actor) => Effect.map(enrollment(actor), ({ benefitId }) => ({ query: { benefitId } })),
      answers: { "query.benefitId": 200 },
      single: true
    },
    {
      make: (actor) =>
        Effect.as(
          Effect.andThen(
            enrollment(actor),
            Effect.suspend(() => enrollment(actor))
          ),
          {
            query: { customerId: actor.customer.customerId }
          }
        ),
      answers: { "query.customerId": 200 }
    }
  ],
  "platformBenefits.getEnrollment": about("enrollmentId", enrollmentId),
  "platformBenefits.decide": {
    make: (actor) =>
      Effect.map(enrollmentId(actor), (enrollmentId) => ({ path: { enrollmentId }, body: { status: "approved" } }))
  },
  "platformBenefits.price": {
    make: ({ customer: { customerId } }) =>
      Effect.sync(() => ({
        body: { customerId, items: [{ productId: `product-${nextNumber()}`, quantity: 1, unitPrice: usd }] }
      })),
    own: ["body.items[].productId"]
  }
}

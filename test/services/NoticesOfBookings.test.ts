import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import { EnrollmentDecisions } from "../../src/services/EnrollmentDecisions.ts"
import { EnrollmentExpiry } from "../../src/services/EnrollmentExpiry.ts"
import { Enrollments } from "../../src/services/Enrollments.ts"
import { ReservationReminders } from "../../src/services/ReservationReminders.ts"
import type { EnrollmentDecision } from "../../src/domain/Enrollment.ts"
import { push } from "../support/Benefits.ts"
import { atHour, book, cancel, change, decide, define } from "../support/Bookings.ts"
import * as Notifying from "../support/Notifying.ts"
import { leavingFor, list, prefer, register, titlesOf } from "../support/Notifying.ts"
import { as, asPlatform, type Customer, makeCustomer, makeOrg, people } from "../support/People.ts"
import { later } from "../support/Time.ts"

const parallel = { concurrency: "unbounded" } as const

const channelsTo = (customer: Customer) =>
  Effect.map(leavingFor(customer), (leaving) => leaving.map(({ channel }) => channel))

const bodiesOf = (customer: Customer) =>
  Effect.map(list(customer, { st: "asc" }), ({ data }) => data.map(({ body }) => body))

const confirmed = "Your reservation is confirmed"
const changed = "Your reservation has changed"
const cancelled = "Your reservation is cancelled"
const comingUp = "Your reservation is coming up"

const remind = ReservationReminders.use(({ tellDue }) => tellDue)

/** Just after the reminder of what begins at this hour of the tenth day is due. */
const whenDue = (hour: number) => later(atHour(hour).getTime() - 86_400_000 + 1000 - Date.now())

const enroll = (customer: Customer, benefitId: string) =>
  Enrollments.use((enrollments) => enrollments.enroll({ benefitId })).pipe(as(customer))

const judge = ({ orgId }: Customer, id: string, decision: EnrollmentDecision) =>
  EnrollmentDecisions.use((decisions) => decisions.decide(id, decision)).pipe(asPlatform(orgId))

const sweep = EnrollmentExpiry.use((expiry) => expiry.sweep)

layer(Notifying.layer, { excludeTestServices: true })((it) => {
  describe("Of a reservation, its customer is told", () => {
    it.effect("that it is confirmed, moved and cancelled, once each, and nobody else is", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme)

        const { id, number } = yield* book(ada, 9)
        yield* change(ada, number, { note: "By the back door" })
        yield* change(ada, number, { start: atHour(11) })
        yield* cancel(ada, number)
        yield* cancel(ada, number)

        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed, changed, cancelled])
        const [first] = (yield* list(ada, { st: "asc" })).data
        assert.deepInclude(first, {
          type: "reservation",
          data: { reservationId: id, number, status: "confirmed" },
          link: `/reservations/${number}`
        })
        assert.include(first!.body, "Repairs: Inspection")
        assert.isEmpty(yield* titlesOf(eve))
      })
    )

    it.effect("that it is confirmed only when the staff have confirmed it, and each decision once", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme, { requiresConfirmation: true })

        const { number } = yield* book(ada, 9)
        assert.isEmpty(yield* titlesOf(ada))
        yield* decide(acme, number, { status: "confirmed" })
        yield* decide(acme, number, { status: "confirmed", note: "At the back door" })
        yield* change(ada, number, { start: atHour(11) })
        yield* decide(acme, number, { status: "cancelled" })
        yield* decide(acme, number, { status: "used" })

        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed, cancelled])
      })
    )

    it.effect("nothing when what is over is put right in the records", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme)
        const { number } = yield* book(ada, 9)

        yield* decide(acme, number, { status: "no_show" }).pipe(later("11 days"))
        yield* decide(acme, number, { status: "cancelled" }).pipe(later("11 days"))

        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed])
      })
    )

    it.effect("in the language of the profile, on the channels that they have chosen", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        yield* define(orgId, { spots: 2 })
        const heidi = yield* makeCustomer(orgId, "heidi", { language: "de", email: "heidi@example.com" })
        const quiet = yield* makeCustomer(orgId, "quiet", { email: "quiet@example.com" })
        yield* register(heidi, "token-1")
        yield* prefer(heidi, { types: { reservation: { email: false } } })
        yield* prefer(quiet, { types: { reservation: { inApp: false, email: false, push: false } } })

        yield* book(heidi, 9)
        yield* book(quiet, 9)

        assert.deepStrictEqual(yield* titlesOf(heidi), ["Ihre Reservierung ist bestätigt"])
        assert.deepStrictEqual(yield* channelsTo(heidi), ["push"])
        assert.deepStrictEqual([yield* titlesOf(quiet), yield* channelsTo(quiet)], [[], []])
      })
    )

    it.effect("nothing of what did not happen, whoever wanted it", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* define(acme)
        const { number } = yield* book(ada, 9)
        const before = yield* leavingFor(ada)
        const customers = yield* CustomerSql
        const platform = yield* PlatformSql
        const undone = <A, E, R>(sql: SqlClient.SqlClient, effect: Effect.Effect<A, E, R>) =>
          Effect.exit(sql.withTransaction(Effect.andThen(effect, Effect.fail("no"))))

        yield* Effect.flip(book(eve, 9))
        yield* undone(customers, book(eve, 10)).pipe(as(eve))
        yield* undone(customers, change(ada, number, { start: atHour(11) })).pipe(as(ada))
        yield* undone(customers, cancel(ada, number)).pipe(as(ada))
        yield* undone(platform, decide(acme, number, { status: "cancelled" })).pipe(asPlatform(acme))

        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed])
        assert.deepStrictEqual(yield* leavingFor(ada), before)
        assert.deepStrictEqual([yield* titlesOf(eve), yield* leavingFor(eve)], [[], []])
      })
    )

    it.effect("of twenty who want the same slot, that one has it", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        yield* define(orgId)
        const crowd = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => n),
          (n) => makeCustomer(orgId, `c-${n}`, { email: `c${n}@example.com` })
        )

        yield* Effect.forEach(crowd, (one) => Effect.exit(book(one, 9)), parallel)

        const told = yield* Effect.forEach(crowd, titlesOf)
        assert.deepStrictEqual(told.flat(), [confirmed])
      })
    )
  })

  describe("A reminder", () => {
    it.effect("comes a day ahead, once, however many workers look, and makes no new version", () =>
      Effect.gen(function* () {
        const { acme, ada, namesake } = yield* people
        yield* define(acme)
        const { number, version } = yield* book(ada, 9)

        yield* remind
        yield* remind.pipe(later(atHour(9).getTime() - 86_400_000 - 60_000 - Date.now()))
        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed])
        yield* Effect.all([remind, remind, remind, remind], parallel).pipe(whenDue(9))
        yield* remind.pipe(whenDue(12))

        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed, comingUp])
        assert.isEmpty(yield* titlesOf(namesake))
        const { version: after } = yield* change(ada, number, { note: "Late" }, [version])
        assert.strictEqual(after, version + 1)
      })
    )

    it.effect("comes again for the new start of one that was moved", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme)
        const { number } = yield* book(ada, 9)
        yield* remind.pipe(whenDue(9))

        yield* change(ada, number, { start: atHour(12) })
        yield* remind.pipe(whenDue(9))
        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed, comingUp, changed])
        yield* remind.pipe(whenDue(12))
        yield* remind.pipe(whenDue(12))

        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed, comingUp, changed, comingUp])
        const bodies = yield* bodiesOf(ada)
        assert.notStrictEqual(bodies[1], bodies[3])
      })
    )

    it.effect("never comes for one that is cancelled, that waits for the staff, or that has begun", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme, { spots: 3 })
        const mine = yield* book(ada, 9)
        const theirs = yield* book(ada, 10)
        yield* book(ada, 11)
        yield* cancel(ada, mine.number)
        yield* decide(acme, theirs.number, { status: "cancelled" })
        yield* define(acme, { requiresConfirmation: true, spots: 3 })
        yield* book(ada, 12)

        yield* remind.pipe(later(atHour(11).getTime() + 1000 - Date.now()))

        assert.deepStrictEqual(yield* titlesOf(ada), [confirmed, confirmed, confirmed, cancelled, cancelled])
      })
    )

    it.effect("and a cancellation at the same moment are one or the other first, and never cross", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* define(acme)
        const numbers = yield* Effect.forEach([9, 10, 11, 12, 13, 14], (hour) =>
          Effect.map(book(ada, hour), ({ number }) => number)
        )

        const cancelAll = Effect.forEach(numbers, (number) => cancel(ada, number), parallel)
        yield* Effect.all([remind, cancelAll, remind], parallel).pipe(whenDue(9))

        const told = yield* titlesOf(ada)
        assert.lengthOf(
          told.filter((title) => title === cancelled),
          6
        )
        const before = told.filter((title) => title === comingUp).length
        assert.isAtMost(before, 6)
        yield* remind.pipe(whenDue(15))
        assert.lengthOf(yield* titlesOf(ada), told.length)
      })
    )
  })

  describe("Of an enrollment, its customer is told", () => {
    it.effect("that it is approved, rejected and for which reason, and nothing of a review", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, namesake } = yield* people
        yield* push(acme, "student", { title: "Student discount" })
        const mine = yield* enroll(ada, "student")
        const hers = yield* enroll(eve, "student")

        yield* judge(ada, mine.id, { status: "under_review" })
        yield* judge(ada, mine.id, { status: "approved" })
        yield* Effect.flip(judge(ada, mine.id, { status: "approved" }))
        yield* judge(eve, hers.id, { status: "rejected", reason: "The card is of last year." })

        assert.deepStrictEqual(yield* titlesOf(ada), ["Student discount: approved"])
        assert.deepStrictEqual(yield* titlesOf(eve), ["Student discount: not approved"])
        assert.match((yield* bodiesOf(eve))[0]!, / The card is of last year\.$/)
        const [notification] = (yield* list(ada)).data
        assert.deepInclude(notification, {
          type: "benefit",
          data: { enrollmentId: mine.id, number: mine.number, status: "active" },
          link: `/benefits/${mine.number}`
        })
        assert.isEmpty(yield* titlesOf(namesake))
      })
    )

    it.effect("once that it is over, however many sweep, by the preferences and in the language of each", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const heidi = yield* makeCustomer(acme, "heidi", { language: "de", email: "heidi@example.com" })
        yield* prefer(heidi, { types: { benefit: { inApp: false } } })
        yield* push(acme, "student", {
          title: "Student",
          requiresApproval: false,
          validity: { duration: 1, unit: "days" }
        })
        yield* enroll(ada, "student")
        yield* enroll(heidi, "student")

        yield* sweep
        assert.isEmpty(yield* titlesOf(ada))
        yield* Effect.all([sweep, sweep, sweep], parallel).pipe(later("25 hours"))
        yield* sweep.pipe(later("26 hours"))

        assert.deepStrictEqual(yield* titlesOf(ada), ["Student: expired"])
        assert.isEmpty(yield* titlesOf(heidi))
        const [mail] = yield* leavingFor(heidi)
        assert.deepInclude(mail!.message, { language: "de", subject: "Student: abgelaufen" })
      })
    )

    it.effect("nothing of a decision that did not happen", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const sql = yield* PlatformSql
        yield* push(acme, "student")
        const { id } = yield* enroll(ada, "student")

        yield* Effect.exit(
          sql.withTransaction(Effect.andThen(judge(ada, id, { status: "approved" }), Effect.fail("no")))
        ).pipe(asPlatform(acme))

        assert.deepStrictEqual([yield* titlesOf(ada), yield* leavingFor(ada)], [[], []])
      })
    )
  })
})

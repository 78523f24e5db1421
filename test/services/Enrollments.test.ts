import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { BenefitId } from "../../src/domain/Benefit.ts"
import {
  decidableIn,
  type EnrollmentDecision,
  type EnrollmentsQuery,
  EnrollmentStatus,
  liveStatuses,
  type NewEnrollment,
  type PlatformEnrollmentsQuery
} from "../../src/domain/Enrollment.ts"
import type { OrgId } from "../../src/domain/Ids.ts"
import { Benefits } from "../../src/services/Benefits.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { EnrollmentDecisions } from "../../src/services/EnrollmentDecisions.ts"
import { EnrollmentExpiry } from "../../src/services/EnrollmentExpiry.ts"
import { Enrollments } from "../../src/services/Enrollments.ts"
import { Files } from "../../src/services/Files.ts"
import { as, asPlatform, type Customer, fingerprint, makeCustomer, people } from "../support/People.ts"
import { guards } from "../support/TestServices.ts"
import * as TestServices from "../support/TestServices.ts"
import { later } from "../support/Time.ts"
import { upload } from "../support/Uploading.ts"
import { aBenefit, push } from "../support/Benefits.ts"
import { SqlClient } from "effect/sql"

const enroll = (customer: Customer, benefitId: string, more: Partial<NewEnrollment> = {}) =>
  Enrollments.use((enrollments) => enrollments.enroll({ benefitId, ...more })).pipe(as(customer))
const get = (customer: Customer, numberOrId: string) =>
  Enrollments.use((enrollments) => enrollments.get(numberOrId)).pipe(as(customer))
const list = (customer: Customer, query: EnrollmentsQuery = {}) =>
  Enrollments.use((enrollments) => enrollments.list(query)).pipe(as(customer))
const withdraw = (customer: Customer, numberOrId: string, ifMatch?: ReadonlyArray<number> | null) =>
  Enrollments.use((enrollments) => enrollments.withdraw(numberOrId, ifMatch)).pipe(as(customer))
const listAll = (orgId: OrgId, query: PlatformEnrollmentsQuery = {}) =>
  EnrollmentDecisions.use((decisions) => decisions.list(query)).pipe(asPlatform(orgId))
const find = (orgId: OrgId, numberOrId: string) =>
  EnrollmentDecisions.use((decisions) => decisions.get(numberOrId)).pipe(asPlatform(orgId))
const decide = (
  orgId: OrgId,
  numberOrId: string,
  decision: EnrollmentDecision,
  ifMatch?: ReadonlyArray<number> | null
) => EnrollmentDecisions.use((decisions) => decisions.decide(numberOrId, decision, ifMatch)).pipe(asPlatform(orgId))
const offered = (customer: Customer) =>
  Effect.map(Benefits.use((benefits) => benefits.list({})).pipe(as(customer)), ({ data }) => data)
const sweep = EnrollmentExpiry.use((expiry) => expiry.sweep)
/** What other tests have left behind is none of this one's business. */
const sweepAll = later("1000 days")(sweep)

/** As if it had come to this by whatever way. */
const putInto = (customer: Customer, id: string, status: EnrollmentStatus) =>
  SqlClient.SqlClient.use(
    (sql) => sql`UPDATE enrollments SET status = ${status} WHERE org_id = ${customer.orgId} AND id = ${id}`
  )

const parallel = { concurrency: "unbounded" } as const
const codes = (errors: ReadonlyArray<{ readonly code: string }>) => [...new Set(errors.map(({ code }) => code))]

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("Whoever enrolls", () => {
    it.effect("is in at once where nobody has to approve it, for as long as the programme says", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "shipping", { requiresApproval: false, validity: { duration: 1, unit: "months" } })

        const enrollment = yield* enroll(ada, "shipping")

        const { expiresAt, history, id, submittedAt, ...rest } = enrollment
        assert.deepStrictEqual(rest, {
          number: "1001",
          benefitId: "shipping",
          status: "active",
          formData: null,
          documents: [],
          agreement: null,
          reviewedAt: null,
          approvedAt: submittedAt,
          rejectionReason: null,
          version: 1
        })
        assert.deepStrictEqual(history, [
          { status: "pending", at: submittedAt, by: "customer" },
          { status: "active", at: submittedAt, by: "system" }
        ])
        assert.isAbove(expiresAt!.getTime(), submittedAt.getTime() + 27 * 86_400_000)
        assert.deepStrictEqual([yield* get(ada, id), yield* get(ada, "1001")], [enrollment, enrollment])
        assert.deepStrictEqual((yield* list(ada)).data, [enrollment])
        assert.deepStrictEqual((yield* offered(ada))[0]?.enrollment, enrollment)
      })
    )

    it.effect("waits for approval where that is needed, by the programme's id or its name", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* push(acme, "b-1", { name: "student" })
        yield* push(acme, "student", { name: "b-1" })

        const [byId, byName] = [yield* enroll(ada, "student"), yield* enroll(ada, "b-1")]

        assert.deepStrictEqual(
          [byId, byName].map(({ approvedAt, benefitId, expiresAt, history, status }) => [
            benefitId,
            status,
            approvedAt,
            expiresAt,
            history.map((step) => [step.status, step.by].join(" "))
          ]),
          ["student", "b-1"].map((id) => [id, "pending", null, null, ["pending customer"]])
        )
        assert.deepStrictEqual([(yield* list(eve)).total, (yield* offered(eve))[0]?.enrollment], [0, null])
      })
    )

    it.effect("finds only programmes that are active, and of their own org", () =>
      Effect.gen(function* () {
        const { acme, ada, other } = yield* people
        yield* push(acme, "closed", { active: false, name: "Closed" })
        yield* push(other, "theirs", { name: "Theirs" })
        const before = yield* fingerprint

        const refused = yield* Effect.forEach(["closed", "Closed", "theirs", "Theirs", "none"], (id) =>
          Effect.flip(enroll(ada, id))
        )

        assert.deepStrictEqual(codes(refused), ["benefit_not_found"])
        assert.deepStrictEqual(yield* offered(ada), [])
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("has to accept the agreement as it is now; what was accepted is kept as it was", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "student", { legalAgreement: "The first text." })
        yield* push(acme, "student", { legalAgreement: "The second text." })
        const before = yield* fingerprint

        const refused = yield* Effect.forEach(
          [{}, { agreementAccepted: false }, { agreementAccepted: true, agreementVersion: 1 }, { agreementVersion: 2 }],
          (more) => Effect.flip(enroll(ada, "student", more))
        )
        assert.deepStrictEqual(codes(refused), ["agreement_required"])
        assert.deepStrictEqual(yield* fingerprint, before)

        const { agreement, id, submittedAt } = yield* enroll(ada, "student", {
          agreementAccepted: true,
          agreementVersion: 2
        })
        yield* push(acme, "student", { legalAgreement: "The third text." })
        yield* push(acme, "student")

        assert.deepStrictEqual(agreement, { version: 2, text: "The second text.", acceptedAt: submittedAt })
        assert.deepStrictEqual((yield* get(ada, id)).agreement, agreement)
        assert.deepStrictEqual((yield* find(acme, id)).agreement, agreement)
      })
    )

    it.effect("shows what they filled in, as it was, to the staff and to nobody else", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* push(acme, "student")
        const formData = JSON.parse(
          '{"university": "Grüße \u{1f44b}", "year": 3, "more": {"snake_case": [null, true, 1.5]}, "__proto__": {"x": 1}}'
        )

        const { id } = yield* enroll(ada, "student", { formData })

        assert.strictEqual(JSON.stringify(sorted((yield* get(ada, id)).formData)), JSON.stringify(sorted(formData)))
        assert.strictEqual(JSON.stringify(sorted((yield* find(acme, id)).formData)), JSON.stringify(sorted(formData)))
        assert.deepStrictEqual(codes([yield* Effect.flip(get(eve, id))]), ["enrollment_not_found"])
      })
    )

    it.effect("brings files of their own as evidence, which then cannot be deleted, each with a link to it", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "student")
        for (const name of ["card.txt", "letter.txt"]) yield* upload(ada, name)

        const { documents, id } = yield* enroll(ada, "student", {
          documents: ["letter.txt", "card.txt", "letter.txt"]
        })

        assert.deepStrictEqual(
          documents.map(({ url, ...file }) => [file, /^https?:/.test(url)]),
          ["letter.txt", "card.txt"].map((name) => [{ path: name, name, size: 5, contentType: "text/plain" }, true])
        )
        const theirs = (yield* find(acme, id)).documents
        assert.deepStrictEqual(
          theirs.map(({ path }) => path),
          ["letter.txt", "card.txt"]
        )
        const opened = yield* Files.use((files) => files.byLink(theirs[0]!.url.split("/").at(-1)!))
        assert.strictEqual(opened.file.path, "letter.txt")
        yield* withdraw(ada, id)
        const kept = yield* Effect.flip(Files.use((files) => files.remove("card.txt")).pipe(as(ada)))
        assert.deepStrictEqual([kept.code, kept.status], ["action_not_allowed", 409])
      })
    )

    for (const [guard, lift] of guards) {
      it.effect(`brings no file of somebody else's, and nothing happens, by ${guard}`, () =>
        Effect.gen(function* () {
          const { acme, ada, eve, namesake } = yield* people
          yield* push(acme, "student")
          yield* upload(eve, "eves.txt")
          yield* upload(namesake, "theirs.txt")
          yield* upload(ada, "own.txt")
          const before = yield* fingerprint
          yield* lift

          const refused = yield* Effect.forEach(
            ["eves.txt", "theirs.txt", "missing.txt", "../eve/eves.txt", "/eves.txt", ""],
            (path) => Effect.flip(enroll(ada, "student", { documents: ["own.txt", path] }))
          )

          assert.deepStrictEqual(codes(refused), ["file_not_found"])
          assert.deepStrictEqual(yield* fingerprint, before)
        })
      )
    }

    it.effect("fifty times at once is enrolled once, also when one of before is just over", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "shipping", { requiresApproval: false, validity: { duration: 1, unit: "days" } })
        yield* push(acme, "student")
        yield* enroll(ada, "shipping")

        for (const benefitId of ["student", "shipping"]) {
          const tried = yield* Effect.forEach(
            Array.from({ length: 50 }),
            () => Effect.exit(enroll(ada, benefitId)).pipe(later("2 days")),
            parallel
          )
          const lost = yield* Effect.forEach(tried.filter(Exit.isFailure), (exit) => Effect.flip(exit))

          assert.deepStrictEqual([tried.filter(Exit.isSuccess).length, codes(lost)], [1, ["already_enrolled"]])
        }
        const { data } = yield* list(ada, { s: "number", st: "asc" }).pipe(later("2 days"))
        assert.deepStrictEqual(
          data.map(({ benefitId, number, status }) => [number, benefitId, status]),
          [
            ["1001", "shipping", "expired"],
            ["1002", "student", "pending"],
            ["1003", "shipping", "active"]
          ]
        )
      })
    )

    for (const [guard, lift] of guards) {
      it.effect(
        `does not hinder others: everybody of two orgs is in, with numbers of their org's own, by ${guard}`,
        () =>
          Effect.gen(function* () {
            const { acme, other } = yield* people
            yield* lift
            const customers = yield* Effect.forEach(
              Array.from({ length: 40 }, (_, n) => n),
              (n) => makeCustomer(n % 2 === 0 ? acme : other, `customer-${n}`)
            )
            for (const orgId of [acme, other]) yield* push(orgId, "student")

            const made = yield* Effect.forEach(customers, (customer) => enroll(customer, "student"), parallel)

            const numbers = made.map(({ number }) => Number(number)).sort((a, b) => a - b)
            assert.deepStrictEqual(
              numbers,
              Array.from({ length: 40 }, (_, n) => 1001 + Math.floor(n / 2))
            )
          })
      )
    }

    it.effect("may do so again once it is rejected, withdrawn or over, and not before", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "student")
        const { id } = yield* enroll(ada, "student")

        for (const status of EnrollmentStatus.literals) {
          yield* putInto(ada, id, status)
          const exit = yield* Effect.exit(enroll(ada, "student"))
          const isLive = (liveStatuses as ReadonlyArray<string>).includes(status)
          assert.strictEqual(Exit.isSuccess(exit), !isLive, status)
          if (Exit.isFailure(exit)) assert.deepStrictEqual(codes([yield* Effect.flip(exit)]), ["already_enrolled"])
          else {
            assert.strictEqual((yield* offered(ada))[0]?.enrollment?.id, exit.value.id)
            yield* withdraw(ada, exit.value.id)
          }
        }
      })
    )
  })

  describe("A withdrawal", () => {
    it.effect("leaves the enrollment cancelled, once, and only from where it is live", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "student")
        const { id, number, version } = yield* enroll(ada, "student")

        for (const status of EnrollmentStatus.literals) {
          yield* putInto(ada, id, status)
          const exit = yield* Effect.exit(withdraw(ada, number))
          const isLive = (liveStatuses as ReadonlyArray<string>).includes(status)
          assert.strictEqual(Exit.isSuccess(exit), isLive, status)
          if (Exit.isFailure(exit)) assert.deepStrictEqual(codes([yield* Effect.flip(exit)]), ["action_not_allowed"])
        }

        const again = yield* enroll(ada, "student")
        const stale = yield* Effect.flip(withdraw(ada, again.id, [7]))
        const tried = yield* Effect.forEach(
          Array.from({ length: 20 }),
          () => Effect.exit(withdraw(ada, again.id, [version])),
          parallel
        )
        const { history, status } = yield* get(ada, again.id)
        assert.deepStrictEqual([stale.code, tried.filter(Exit.isSuccess).length], ["version_mismatch", 1])
        assert.deepStrictEqual(
          [status, ...history.map((step) => [step.status, step.by].join(" "))],
          ["cancelled", "pending customer", "cancelled customer"]
        )
      })
    )
  })

  describe("A decision", () => {
    it.effect("of the staff approves, rejects or reviews, from where that makes sense", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "student", { validity: { duration: 1, unit: "years" } })
        const { id } = yield* enroll(ada, "student")
        // As the documentation words it, apart from the table in the code.
        const undecided = ["pending", "in_progress", "under_review"]
        const allowed = (from: string, to: string) =>
          to === "under_review" ? ["pending", "in_progress", "active"].includes(from) : undecided.includes(from)

        for (const from of EnrollmentStatus.literals) {
          for (const to of ["approved", "rejected", "under_review"] as const) {
            yield* putInto(ada, id, from)
            const before = yield* get(ada, id)
            const exit = yield* Effect.exit(decide(acme, id, { status: to, reason: "So it is." }))
            const after = yield* get(ada, id)

            assert.strictEqual(Exit.isSuccess(exit), allowed(from, to), `${from} ${to}`)
            assert.strictEqual(decidableIn[to].includes(from), allowed(from, to))
            if (Exit.isFailure(exit)) {
              assert.deepStrictEqual(codes([yield* Effect.flip(exit)]), ["action_not_allowed"])
              assert.deepStrictEqual(after, before)
              continue
            }
            const { customerId, ...decided } = exit.value
            assert.deepStrictEqual([customerId, decided], ["ada", after])
            assert.strictEqual(after.version, before.version + 1)
            const { approvedAt, expiresAt, rejectionReason, reviewedAt } = after
            const steps = after.history.slice(before.history.length)
            const said = { at: reviewedAt!, by: "staff" as const, reason: "So it is." }
            if (to === "approved") {
              assert.deepStrictEqual([after.status, approvedAt, rejectionReason], ["active", reviewedAt, null])
              assert.isAbove(expiresAt!.getTime(), reviewedAt!.getTime() + 364 * 86_400_000)
              assert.deepEqual(steps, [
                { ...said, status: "approved" },
                { status: "active", at: reviewedAt!, by: "system" }
              ])
            } else {
              assert.deepStrictEqual([after.status, approvedAt, expiresAt], [to, null, null])
              assert.strictEqual(rejectionReason, to === "rejected" ? "So it is." : null)
              assert.deepEqual(steps, [{ ...said, status: to }])
            }
          }
        }
      })
    )

    it.effect("is made once when twenty are made at once, or against a withdrawal, and its steps are in order", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* push(acme, "student")
        const { id } = yield* enroll(ada, "student")
        const other = yield* enroll(eve, "student")

        const tried = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => n),
          (n) => Effect.exit(decide(acme, id, { status: n % 2 === 0 ? "approved" : "rejected" })),
          parallel
        )
        const raced = yield* Effect.all(
          [Effect.exit(decide(acme, other.id, { status: "rejected" })), Effect.exit(withdraw(eve, other.id))],
          parallel
        )
        const late = yield* Effect.flip(decide(acme, id, { status: "under_review" }, [1]))
        const { history, version } = yield* get(ada, id)

        assert.strictEqual(tried.filter(Exit.isSuccess).length, 1)
        assert.strictEqual(raced.filter(Exit.isSuccess).length, 1)
        assert.deepStrictEqual([late.code, version], ["version_mismatch", 2])
        assert.include(["pending approved active", "pending rejected"], history.map(({ status }) => status).join(" "))
      })
    )
  })

  describe("An enrollment that is over", () => {
    it.effect("says so at once, in every answer, and the sweeper changes none of them", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        yield* sweepAll
        yield* push(acme, "shipping", { requiresApproval: false, validity: { duration: 1, unit: "days" } })
        yield* push(acme, "forever", { requiresApproval: false })
        const { expiresAt, id, submittedAt, version } = yield* enroll(ada, "shipping")
        yield* enroll(ada, "forever")
        yield* enroll(eve, "shipping").pipe(later("1 day"))
        assert.strictEqual(expiresAt!.getTime() - submittedAt.getTime(), 86_400_000)

        const read = Effect.all([
          get(ada, id),
          find(acme, id),
          list(ada, { status: ["expired"] }),
          list(ada, { status: ["active"] }),
          listAll(acme, { status: ["expired"], benefitId: "shipping", customerId: ada.customerId }),
          Effect.map(offered(ada), (all) => all.map(({ enrollment }) => enrollment?.status))
        ]).pipe(later("25 hours"))
        const before = yield* read
        const stale = yield* Effect.flip(withdraw(ada, id, [version]).pipe(later("25 hours")))
        const tooLate = yield* Effect.flip(withdraw(ada, id, [version + 1]).pipe(later("25 hours")))
        const undecidable = yield* Effect.flip(decide(acme, id, { status: "under_review" }).pipe(later("25 hours")))
        const none = yield* sweep
        const swept = yield* Effect.all([sweep, sweep], parallel).pipe(later("25 hours"))
        const after = yield* read

        const [mine, , expired, active, ours, shown] = before
        assert.deepStrictEqual(
          [mine.status, mine.version, mine.history.at(-1)],
          ["expired", version + 1, { status: "expired", at: expiresAt!, by: "system" }]
        )
        assert.deepStrictEqual([expired.total, active.total, ours.total], [1, 1, 1])
        assert.sameMembers(shown, ["expired", "active"])
        assert.deepStrictEqual(codes([stale]), ["version_mismatch"])
        assert.deepStrictEqual(codes([tooLate, undecidable]), ["action_not_allowed"])
        assert.deepStrictEqual([none, swept[0] + swept[1]], [0, 1])
        assert.deepStrictEqual(after, before)
        assert.strictEqual((yield* get(ada, id)).status, "expired")
        assert.strictEqual((yield* get(eve, "1003").pipe(later("25 hours"))).status, "active")
      })
    )

    it.effect("is renewed by enrolling again, from the instant at which it is over", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "shipping", { requiresApproval: false, validity: { duration: 1, unit: "days" } })
        const first = yield* enroll(ada, "shipping")

        const early = yield* Effect.flip(enroll(ada, "shipping").pipe(later("23 hours")))
        const second = yield* enroll(ada, "shipping").pipe(later("1 day"))

        assert.strictEqual(early.code, "already_enrolled")
        assert.deepStrictEqual([second.status, second.number], ["active", "1002"])
        const { history, status, version } = yield* get(ada, first.id)
        assert.deepStrictEqual([status, version, history.at(-1)?.at], ["expired", 2, first.expiresAt!])
      })
    )

    it.effect("was so many that the sweeper came more than once", () =>
      Effect.gen(function* () {
        const { acme } = yield* people
        yield* sweepAll
        yield* push(acme, "shipping", { requiresApproval: false, validity: { duration: 1, unit: "days" } })
        yield* Effect.forEach(
          Array.from({ length: 130 }, (_, n) => n),
          (n) => Effect.flatMap(makeCustomer(acme, `customer-${n}`), (customer) => enroll(customer, "shipping"))
        )

        const swept = yield* Effect.all([sweep, sweep, sweep], parallel).pipe(later("2 days"))

        assert.strictEqual(swept[0] + swept[1] + swept[2], 130)
        const { data, total } = yield* listAll(acme, { status: ["expired"], ps: 200 })
        assert.strictEqual(total, 130)
        assert.deepStrictEqual(
          [...new Set(data.map(({ history }) => history.map(({ status }) => status).join(" ")))],
          ["pending active expired"]
        )
      })
    )
  })

  describe("A stranger", () => {
    for (const [guard, lift] of guards) {
      it.effect(`finds no enrollment of somebody else's, by ${guard}`, () =>
        Effect.gen(function* () {
          const { acme, ada, eve, mallory, namesake, other } = yield* people
          yield* push(acme, "student")
          const { id, number } = yield* enroll(ada, "student")
          const before = yield* fingerprint
          yield* lift

          for (const stranger of [eve, mallory, namesake]) {
            for (const name of [id, number]) {
              const refused = [
                yield* Effect.flip(get(stranger, name)),
                yield* Effect.flip(withdraw(stranger, name)),
                yield* Effect.flip(withdraw(stranger, name, [1]))
              ]
              assert.deepStrictEqual(codes(refused), ["enrollment_not_found"])
            }
            assert.strictEqual((yield* list(stranger)).total, 0)
            assert.deepStrictEqual(
              (yield* offered(stranger)).filter(({ enrollment }) => enrollment !== null),
              []
            )
          }
          for (const name of [id, number]) {
            const refused = [
              yield* Effect.flip(find(other, name)),
              yield* Effect.flip(decide(other, name, { status: "approved" })),
              yield* Effect.flip(decide(other, name, { status: "approved" }, [1]))
            ]
            assert.deepStrictEqual(codes(refused), ["enrollment_not_found"])
          }
          assert.strictEqual((yield* listAll(other)).total, 0)
          assert.strictEqual((yield* listAll(other, { customerId: ada.customerId })).total, 0)
          assert.deepStrictEqual(yield* fingerprint, before)
        })
      )

      it.effect(`sees no programme of another org, by ${guard}`, () =>
        Effect.gen(function* () {
          const { acme, mallory, other } = yield* people
          yield* push(acme, "student")
          yield* lift

          const refused = yield* Effect.flip(
            Benefits.use((benefits) => benefits.find(BenefitId.make("student"))).pipe(asPlatform(other))
          )
          const entered = yield* Effect.flip(enroll(mallory, "student"))

          assert.deepStrictEqual(codes([refused, entered]), ["benefit_not_found"])
          assert.deepStrictEqual(yield* offered(mallory), [])
          yield* push(other, "student", { title: "Theirs" })
          const ours = yield* Benefits.use((benefits) => benefits.find(BenefitId.make("student"))).pipe(
            asPlatform(acme)
          )
          assert.strictEqual(ours.title, aBenefit.title)
        })
      )
    }

    it.effect(
      "who writes SQL as a customer approves nothing, is in nothing twice, speaks for no staff and changes no programme",
      () =>
        Effect.gen(function* () {
          const { acme, ada, eve } = yield* people
          yield* push(acme, "student")
          const { id } = yield* enroll(ada, "student")
          yield* push(acme, "second")
          const sql = yield* CustomerSql
          const before = yield* fingerprint

          const tried = yield* Effect.forEach(
            [
              sql`UPDATE enrollments SET status = 'active'`,
              sql`UPDATE enrollments SET status = 'approved'`,
              sql`UPDATE enrollments SET expires_at = NULL`,
              sql`INSERT INTO enrollments (org_id, id, customer_id, benefit_id, number, status, submitted_at)
              VALUES (${acme}, 'x', 'ada', 'second', 'x', 'active', now())`,
              sql`INSERT INTO enrollments (org_id, id, customer_id, benefit_id, number, status, submitted_at)
              VALUES (${acme}, 'x', 'eve', 'second', 'x', 'pending', now())`,
              sql`INSERT INTO enrollments (org_id, id, customer_id, benefit_id, number, status, submitted_at)
              VALUES (${acme}, 'x', 'ada', 'student', 'x', 'pending', now())`,
              sql`INSERT INTO enrollment_steps (org_id, customer_id, enrollment_id, sequence, status, at, by)
              VALUES (${acme}, 'ada', ${id}, 2, 'approved', now(), 'staff')`,
              sql`UPDATE enrollment_steps SET by = 'staff'`,
              sql`DELETE FROM enrollments`,
              sql`UPDATE benefits SET requires_approval = false`,
              sql`INSERT INTO benefit_agreements (org_id, benefit_id, version, text) VALUES (${acme}, 'second', 1, 'x')`
            ],
            (statement) => Effect.exit(statement.pipe(as(ada)))
          )

          assert.deepStrictEqual(
            tried.map(Exit.isSuccess),
            Array.from(tried, () => false)
          )
          // Where a statement names no column there is to be read, only its own policy chooses the rows.
          yield* sql`UPDATE enrollments SET status = 'cancelled'`.pipe(as(eve))
          assert.deepStrictEqual(yield* fingerprint, before)
        })
    )
  })
})

/** With the keys of every object in order: Postgres keeps them in its own. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)])
}

import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { BenefitNotFound, expiryOf } from "../domain/Benefit.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import {
  AgreementRequired,
  AlreadyEnrolled,
  type Enrollment,
  EnrollmentNotFound,
  type EnrollmentsQuery,
  type EnrollmentStep,
  liveStatuses,
  type NewEnrollment
} from "../domain/Enrollment.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import type { FileNotFound } from "../domain/StoredFile.ts"
import { type IfMatch, type VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { CustomerSql, transaction } from "./Database.ts"
import {
  enrollmentColumns,
  insertDocuments,
  insertSteps,
  isOver,
  refused,
  selectEnrollments,
  StoredEnrollment,
  type Terms,
  withLinks,
  type WrittenEnrollment
} from "./EnrollmentRows.ts"
import { FileLinks } from "./FileLinks.ts"
import { Files } from "./Files.ts"

type Versions = typeof IfMatch.Type

/** How customers take part in the programmes of `Benefits`. Who lets them: `EnrollmentDecisions`. */
export class Enrollments extends Context.Service<
  Enrollments,
  {
    /** Newest first, unless the query sorts otherwise. */
    readonly list: (query: EnrollmentsQuery) => Effect.Effect<Page<Enrollment>, InvalidRequest, CurrentCustomer>
    /** By number or id. */
    readonly get: (numberOrId: string) => Effect.Effect<Enrollment, EnrollmentNotFound, CurrentCustomer>
    /** Active at once where nobody has to approve it. One that is over, rejected or withdrawn may be followed by another. */
    readonly enroll: (
      enrollment: NewEnrollment
    ) => Effect.Effect<
      Enrollment,
      BenefitNotFound | AgreementRequired | AlreadyEnrolled | FileNotFound,
      CurrentCustomer
    >
    readonly withdraw: (
      numberOrId: string,
      ifMatch?: Versions
    ) => Effect.Effect<Enrollment, EnrollmentNotFound | ActionNotAllowed | VersionMismatch, CurrentCustomer>
  }
>()("portico/services/Enrollments") {
  static readonly layer = Layer.effect(
    Enrollments,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const files = yield* Files
      const links = yield* FileLinks
      const random = yield* SecureRandom.SecureRandom
      const decode = Schema.decodeUnknownEffect(StoredEnrollment)
      const currentTime = Effect.map(Clock.currentTimeMillis, (millis) => new Date(millis))

      const selectOffer = Effect.fnUntraced(function* (idOrName: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql<Offer>`
          SELECT id, requires_approval, agreement_version, validity,
            (SELECT timezone FROM customers WHERE org_id = ${orgId} AND id = ${customerId}) AS timezone
          FROM benefits
          WHERE org_id = ${orgId} AND active AND (id = ${idOrName} OR name = ${idOrName})
          ORDER BY (id = ${idOrName}) DESC, id LIMIT 1`
        return row === undefined ? yield* new BenefitNotFound() : row
      })

      // What is over makes room, whether or not the sweeper has been here.
      const expireMine = Effect.fnUntraced(function* ({ id: benefitId }: Offer, now: Date) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [over] = yield* sql<WrittenEnrollment & { readonly expiresAt: Date }>`
          UPDATE enrollments SET status = 'expired'
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND benefit_id = ${benefitId} AND ${isOver(sql, now)}
          RETURNING org_id, customer_id, id, expires_at`
        if (over !== undefined) yield* insertSteps(sql, over, [{ status: "expired", at: over.expiresAt, by: "system" }])
      })

      // The unique index decides who is first; whoever is late here already takes no number.
      const insertEnrollment = Effect.fnUntraced(function* (enrollment: NewEnrollment, offer: Offer, now: Date) {
        const { customerId, orgId } = yield* CurrentCustomer
        const id = yield* random.uuidV7()
        const form = enrollment.formData === undefined ? null : JSON.stringify(enrollment.formData)
        const approvedAt = offer.requiresApproval ? null : now
        const agreedAt = offer.agreementVersion === null ? null : now
        const [row] = yield* sql<WrittenEnrollment>`
          WITH numbered AS (
            INSERT INTO enrollment_numbers AS counter (org_id, last)
            SELECT ${orgId}, 1001 WHERE NOT EXISTS (
              SELECT 1 FROM enrollments WHERE org_id = ${orgId} AND customer_id = ${customerId}
                AND benefit_id = ${offer.id} AND ${sql.in("status", liveStatuses)})
            ON CONFLICT (org_id) DO UPDATE SET last = counter.last + 1
            RETURNING last
          )
          INSERT INTO enrollments (
            org_id, id, customer_id, benefit_id, number, status, form_data, agreement_version, agreed_at, submitted_at,
            approved_at, expires_at
          )
          SELECT ${orgId}, ${id}, ${customerId}, ${offer.id}, last::text,
            ${offer.requiresApproval ? "pending" : "active"}, ${form}::text::jsonb, ${offer.agreementVersion}::int,
            ${agreedAt}::timestamptz, ${now}::timestamptz, ${approvedAt}::timestamptz,
            ${approvedAt && expiryOf(offer.validity, approvedAt, offer.timezone)}::timestamptz
          FROM numbered
          ON CONFLICT (org_id, customer_id, benefit_id)
            WHERE status IN ('pending', 'in_progress', 'under_review', 'approved', 'active') DO NOTHING
          RETURNING org_id, customer_id, id`
        return row === undefined ? yield* new AlreadyEnrolled() : row
      })

      const cancelMine = Effect.fnUntraced(function* (numberOrId: string, now: Date, ifMatch?: Versions) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql<WrittenEnrollment>`
          UPDATE enrollments SET status = 'cancelled'
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND (id = ${numberOrId} OR number = ${numberOrId})
            AND (${versionsLiteral(ifMatch)}::text IS NULL OR version = ANY (${versionsLiteral(ifMatch)}::text::int[]))
            AND ${sql.in("status", liveStatuses)} AND NOT ${isOver(sql, now)}
          RETURNING org_id, customer_id, id`
        return row
      })

      const selectMine = Effect.fnUntraced(function* (numberOrId: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          SELECT ${enrollmentColumns(sql, yield* currentTime)} FROM enrollments
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND (id = ${numberOrId} OR number = ${numberOrId})`
        if (row === undefined) return yield* new EnrollmentNotFound()
        const { customerId: _, ...enrollment } = yield* withLinks(links, orgId, yield* decode(row))
        return enrollment
      })

      const list = Effect.fn("Enrollments.list")(
        function* (query: EnrollmentsQuery) {
          const { customerId, orgId } = yield* CurrentCustomer
          const mine = sql`org_id = ${orgId} AND customer_id = ${customerId}`
          const page = yield* selectEnrollments(sql, query, yield* currentTime, mine)
          const data = yield* Effect.forEach(page.data, (row) =>
            Effect.map(withLinks(links, orgId, row), ({ customerId: _, ...enrollment }) => enrollment)
          )
          return { ...page, data }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const get = Effect.fn("Enrollments.get")(selectMine, Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      const enroll = Effect.fn("Enrollments.enroll")(
        function* (enrollment: NewEnrollment) {
          const now = yield* currentTime
          const offer = yield* selectOffer(enrollment.benefitId)
          if (!agrees(enrollment, offer)) return yield* new AgreementRequired()
          const documents = yield* files.attachable(enrollment.documents ?? [])
          yield* expireMine(offer, now)
          const made = yield* insertEnrollment(enrollment, offer, now)
          yield* insertDocuments(sql, made, documents)
          const steps: ReadonlyArray<EnrollmentStep> = [{ status: "pending", at: now, by: "customer" }]
          const active = { status: "active", at: now, by: "system" } as const
          yield* insertSteps(sql, made, offer.requiresApproval ? steps : [...steps, active])
          return yield* Effect.catchTag(selectMine(made.id), "EnrollmentNotFound", Effect.die)
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const withdraw = Effect.fn("Enrollments.withdraw")(
        function* (numberOrId: string, ifMatch?: Versions) {
          const now = yield* currentTime
          const cancelled = yield* cancelMine(numberOrId, now, ifMatch)
          if (cancelled === undefined) return yield* refused(yield* selectMine(numberOrId), ifMatch)
          yield* insertSteps(sql, cancelled, [{ status: "cancelled", at: now, by: "customer" }])
          return yield* selectMine(cancelled.id)
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return Enrollments.of({ list, get, enroll, withdraw })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

interface Offer extends Terms {
  readonly id: string
  readonly requiresApproval: boolean
  readonly agreementVersion: number | null
}

const agrees = ({ agreementAccepted, agreementVersion: shown }: NewEnrollment, { agreementVersion }: Offer) =>
  agreementVersion === null || (agreementAccepted === true && (shown ?? agreementVersion) === agreementVersion)

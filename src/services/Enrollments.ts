import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { BenefitNotFound, expiryOf, Validity } from "../domain/Benefit.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import {
  AgreementRequired,
  AlreadyEnrolled,
  decidableIn,
  type Enrollment,
  type EnrollmentDecision,
  EnrollmentNotFound,
  type EnrollmentsQuery,
  type EnrollmentStep,
  liveStatuses,
  type NewEnrollment,
  type PlatformEnrollment,
  type PlatformEnrollmentsQuery
} from "../domain/Enrollment.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import type { FileNotFound } from "../domain/StoredFile.ts"
import { type IfMatch, VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import {
  enrollmentColumns,
  insertDocuments,
  insertSteps,
  isOver,
  selectEnrollments,
  StoredEnrollment,
  withLinks,
  type WrittenEnrollment
} from "./EnrollmentRows.ts"
import { FileLinks } from "./FileLinks.ts"
import { Files } from "./Files.ts"

type Versions = typeof IfMatch.Type

/** How customers take part in the programmes of `Benefits`. */
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
    /** Those of all customers. */
    readonly listAll: (
      query: PlatformEnrollmentsQuery
    ) => Effect.Effect<Page<PlatformEnrollment>, InvalidRequest, CurrentPlatform>
    readonly find: (numberOrId: string) => Effect.Effect<PlatformEnrollment, EnrollmentNotFound, CurrentPlatform>
    /** What is approved is active from then on, for as long as the programme says today. */
    readonly decide: (
      numberOrId: string,
      decision: EnrollmentDecision,
      ifMatch?: Versions
    ) => Effect.Effect<PlatformEnrollment, EnrollmentNotFound | ActionNotAllowed | VersionMismatch, CurrentPlatform>
  }
>()("portico/services/Enrollments") {
  static readonly layer = Layer.effect(
    Enrollments,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
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
            ${approvedAt && expiryIn(offer, approvedAt)}::timestamptz
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

      const selectTerms = Effect.fnUntraced(function* (numberOrId: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql<Terms>`
          SELECT validity, timezone
          FROM enrollments
            JOIN benefits ON benefits.org_id = enrollments.org_id AND benefits.id = benefit_id
            JOIN customers ON customers.org_id = enrollments.org_id AND customers.id = customer_id
          WHERE enrollments.org_id = ${orgId} AND (enrollments.id = ${numberOrId} OR number = ${numberOrId})`
        return row === undefined ? yield* new EnrollmentNotFound() : row
      })

      const updateDecided = Effect.fnUntraced(function* (
        numberOrId: string,
        { reason = null, status }: { readonly reason?: string | null; readonly status: EnrollmentDecision["status"] },
        terms: Terms,
        now: Date,
        ifMatch?: Versions
      ) {
        const { orgId } = yield* CurrentPlatform
        const approvedAt = status === "approved" ? now : null
        const [row] = yield* platformSql<WrittenEnrollment>`
          UPDATE enrollments SET
            status = ${status === "approved" ? "active" : status}, reviewed_at = ${now}::timestamptz,
            approved_at = ${approvedAt}::timestamptz,
            expires_at = ${approvedAt && expiryIn(terms, approvedAt)}::timestamptz,
            rejection_reason = ${status === "rejected" ? reason : null}
          WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})
            AND (${versionsLiteral(ifMatch)}::text IS NULL OR version = ANY (${versionsLiteral(ifMatch)}::text::int[]))
            AND ${platformSql.in("status", decidableIn[status])} AND NOT ${isOver(platformSql, now)}
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

      const selectOurs = Effect.fnUntraced(function* (numberOrId: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql`
          SELECT ${enrollmentColumns(platformSql, yield* currentTime)} FROM enrollments
          WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})`
        if (row === undefined) return yield* new EnrollmentNotFound()
        return yield* withLinks(links, orgId, yield* decode(row))
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

      const listAll = Effect.fn("Enrollments.listAll")(
        function* (query: PlatformEnrollmentsQuery) {
          const { orgId } = yield* CurrentPlatform
          const ours = platformSql`org_id = ${orgId}`
          const page = yield* selectEnrollments(platformSql, query, yield* currentTime, ours)
          return { ...page, data: yield* Effect.forEach(page.data, (row) => withLinks(links, orgId, row)) }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const find = Effect.fn("Enrollments.find")(selectOurs, Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      const decide = Effect.fn("Enrollments.decide")(
        function* (numberOrId: string, decision: EnrollmentDecision, ifMatch?: Versions) {
          const now = yield* currentTime
          const terms = yield* selectTerms(numberOrId)
          const decided = yield* updateDecided(numberOrId, decision, terms, now, ifMatch)
          if (decided === undefined) return yield* refused(yield* selectOurs(numberOrId), ifMatch)
          const steps: ReadonlyArray<EnrollmentStep> = [{ ...decision, at: now, by: "staff" }]
          const active = { status: "active", at: now, by: "system" } as const
          yield* insertSteps(platformSql, decided, decision.status === "approved" ? [...steps, active] : steps)
          return yield* selectOurs(decided.id)
        },
        transaction(platformSql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return Enrollments.of({ list, get, enroll, withdraw, listAll, find, decide })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

/** For how long whoever is approved is so, and where. */
interface Terms {
  readonly validity: Validity | null
  readonly timezone: string | null
}

interface Offer extends Terms {
  readonly id: string
  readonly requiresApproval: boolean
  readonly agreementVersion: number | null
}

const expiryIn = ({ timezone, validity }: Terms, from: Date) =>
  validity === null ? null : expiryOf(validity, from, timezone)

const agrees = ({ agreementAccepted, agreementVersion: shown }: NewEnrollment, { agreementVersion }: Offer) =>
  agreementVersion === null || (agreementAccepted === true && (shown ?? agreementVersion) === agreementVersion)

const refused = ({ status, version }: Pick<Enrollment, "status" | "version">, ifMatch: Versions | undefined) =>
  ifMatch?.includes(version) === false
    ? new VersionMismatch()
    : new ActionNotAllowed({ detail: `The enrollment is ${status.replace("_", " ")}, which does not allow this.` })

import { Clock, Context, Effect, Layer, Schema } from "effect"
import type { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { expiryOf } from "../domain/Benefit.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import {
  decidableIn,
  type EnrollmentDecision,
  EnrollmentNotFound,
  type EnrollmentStep,
  type PlatformEnrollment,
  type PlatformEnrollmentsQuery
} from "../domain/Enrollment.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Notice } from "../domain/Notice.ts"
import type { Page } from "../domain/Page.ts"
import { type IfMatch, type VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { PlatformSql, transaction } from "./Database.ts"
import {
  aboutEnrollment,
  enrollmentColumns,
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
import { Notices } from "./Notices.ts"

type Versions = typeof IfMatch.Type

/** What the staff make of enrollments. */
export class EnrollmentDecisions extends Context.Service<
  EnrollmentDecisions,
  {
    /** Those of all customers. */
    readonly list: (
      query: PlatformEnrollmentsQuery
    ) => Effect.Effect<Page<PlatformEnrollment>, InvalidRequest, CurrentPlatform>
    readonly get: (numberOrId: string) => Effect.Effect<PlatformEnrollment, EnrollmentNotFound, CurrentPlatform>
    /** What is approved is active from then on, for as long as the programme says today. */
    readonly decide: (
      numberOrId: string,
      decision: EnrollmentDecision,
      ifMatch?: Versions
    ) => Effect.Effect<PlatformEnrollment, EnrollmentNotFound | ActionNotAllowed | VersionMismatch, CurrentPlatform>
  }
>()("portico/services/EnrollmentDecisions") {
  static readonly layer = Layer.effect(
    EnrollmentDecisions,
    Effect.gen(function* () {
      const sql = yield* PlatformSql
      const links = yield* FileLinks
      const notices = yield* Notices
      const decode = Schema.decodeUnknownEffect(StoredEnrollment)
      const currentTime = Effect.map(Clock.currentTimeMillis, (millis) => new Date(millis))

      const selectTerms = Effect.fnUntraced(function* (numberOrId: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* sql<Terms & { readonly title: string }>`
          SELECT title, validity, timezone
          FROM enrollments
            JOIN benefits ON benefits.org_id = enrollments.org_id AND benefits.id = benefit_id
            JOIN customers ON customers.org_id = enrollments.org_id AND customers.id = customer_id
          WHERE enrollments.org_id = ${orgId} AND (enrollments.id = ${numberOrId} OR number = ${numberOrId})`
        return row === undefined ? yield* new EnrollmentNotFound() : row
      })

      const updateDecided = Effect.fnUntraced(function* (
        numberOrId: string,
        { reason, status }: EnrollmentDecision,
        terms: Terms,
        now: Date,
        ifMatch?: Versions
      ) {
        const { orgId } = yield* CurrentPlatform
        const approvedAt = status === "approved" ? now : null
        const [row] = yield* sql<WrittenEnrollment>`
          UPDATE enrollments SET
            status = ${status === "approved" ? "active" : status}, reviewed_at = ${now}::timestamptz,
            approved_at = ${approvedAt}::timestamptz,
            expires_at = ${approvedAt && expiryOf(terms.validity, approvedAt, terms.timezone)}::timestamptz,
            rejection_reason = ${(status === "rejected" && reason) || null}
          WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})
            AND (${versionsLiteral(ifMatch)}::text IS NULL OR version = ANY (${versionsLiteral(ifMatch)}::text::int[]))
            AND ${sql.in("status", decidableIn[status])} AND NOT ${isOver(sql, now)}
          RETURNING org_id, customer_id, id`
        return row
      })

      const selectOne = Effect.fnUntraced(function* (numberOrId: string) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* sql`
          SELECT ${enrollmentColumns(sql, yield* currentTime)} FROM enrollments
          WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})`
        if (row === undefined) return yield* new EnrollmentNotFound()
        return yield* withLinks(links, orgId, yield* decode(row))
      })

      const list = Effect.fn("EnrollmentDecisions.list")(
        function* (query: PlatformEnrollmentsQuery) {
          const { orgId } = yield* CurrentPlatform
          const ours = sql`org_id = ${orgId}`
          const page = yield* selectEnrollments(sql, query, yield* currentTime, ours)
          return { ...page, data: yield* Effect.forEach(page.data, (row) => withLinks(links, orgId, row)) }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const get = Effect.fn("EnrollmentDecisions.get")(
        selectOne,
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const decide = Effect.fn("EnrollmentDecisions.decide")(
        function* (numberOrId: string, decision: EnrollmentDecision, ifMatch?: Versions) {
          const now = yield* currentTime
          const terms = yield* selectTerms(numberOrId)
          const decided = yield* updateDecided(numberOrId, decision, terms, now, ifMatch)
          if (decided === undefined) return yield* refused(yield* selectOne(numberOrId), ifMatch)
          const steps: ReadonlyArray<EnrollmentStep> = [{ ...decision, at: now, by: "staff" }]
          const active = { status: "active", at: now, by: "system" } as const
          yield* insertSteps(sql, decided, decision.status === "approved" ? [...steps, active] : steps)
          const enrollment = yield* selectOne(decided.id)
          const notice = noticeOf(enrollment, terms.title)
          if (notice !== undefined) yield* notices.tell(notice)
          return enrollment
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return EnrollmentDecisions.of({ list, get, decide })
    })
  )
}

const noticeOf = (enrollment: PlatformEnrollment, name: string): Notice | undefined => {
  const { rejectionReason, status } = enrollment
  const about = aboutEnrollment({ ...enrollment, name })
  if (status === "active") return { ...about, template: "benefitApproved" }
  if (status !== "rejected") return undefined
  return { ...about, template: "benefitRejected", facts: { name, reason: rejectionReason } }
}

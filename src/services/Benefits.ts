import { Clock, Context, Effect, Layer, Schema, Struct } from "effect"
import {
  type Benefit,
  type BenefitId,
  BenefitNotFound,
  type BenefitPush,
  type BenefitsQuery,
  benefitSorts,
  PlatformBenefit
} from "../domain/Benefit.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import { enrollmentColumns, StoredEnrollment, withLinks } from "./EnrollmentRows.ts"
import { FileLinks } from "./FileLinks.ts"
import { paginate } from "./Paging.ts"

export const benefitColumns = `
  id, name, title, description, requires_approval, agreement_version, perks, validity, version, created_at, updated_at,
  (SELECT text FROM benefit_agreements AS agreements
    WHERE agreements.org_id = benefits.org_id AND benefit_id = benefits.id
      AND agreements.version = benefits.agreement_version) AS legal_agreement`

/** What the org offers. How customers take part in it: `Enrollments`. */
export class Benefits extends Context.Service<
  Benefits,
  {
    /** The active ones, the newest first unless the query sorts otherwise, each with the customer's newest enrollment. */
    readonly list: (query: BenefitsQuery) => Effect.Effect<Page<Benefit>, InvalidRequest, CurrentCustomer>
    /** Active or not. */
    readonly find: (id: BenefitId) => Effect.Effect<PlatformBenefit, BenefitNotFound, CurrentPlatform>
    /** Creates or replaces the platform's programme; the same push again changes nothing. */
    readonly push: (id: BenefitId, benefit: BenefitPush) => Effect.Effect<PlatformBenefit, never, CurrentPlatform>
  }
>()("portico/services/Benefits") {
  static readonly layer = Layer.effect(
    Benefits,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const links = yield* FileLinks
      const decode = Schema.decodeUnknownEffect(PlatformBenefit)
      const decodeEnrollments = Schema.decodeUnknownEffect(Schema.Array(StoredEnrollment))

      const columns = sql.literal(`${benefitColumns}, active`)

      const selectNewest = Effect.fnUntraced(function* (ids: ReadonlyArray<BenefitId>) {
        if (ids.length === 0) return []
        const { customerId, orgId } = yield* CurrentCustomer
        const now = new Date(yield* Clock.currentTimeMillis)
        const rows = yield* sql`
          SELECT DISTINCT ON (benefit_id) ${enrollmentColumns(sql, now)} FROM enrollments
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND ${sql.in("benefit_id", ids)}
          ORDER BY benefit_id, submitted_at DESC, number::bigint DESC`
        return yield* Effect.forEach(yield* decodeEnrollments(rows), (row) => withLinks(links, orgId, row))
      })

      // Two pushes at once could both find the same number free for their texts, in a row that is not there to be locked.
      const lockTexts = (orgId: string, id: BenefitId) => platformSql`
        SELECT pg_advisory_xact_lock(hashtextextended(${`portico/benefits/${orgId}/${id}`}, 0))`

      const insertText = (orgId: string, id: BenefitId, text: string) => platformSql`
        INSERT INTO benefit_agreements (org_id, benefit_id, version, text)
        SELECT ${orgId}, ${id}, coalesce(max(version), 0) + 1, ${text}::text
        FROM benefit_agreements WHERE org_id = ${orgId} AND benefit_id = ${id}
        HAVING (array_agg(text ORDER BY version DESC))[1] IS DISTINCT FROM ${text}::text`

      const upsertBenefit = (orgId: string, id: BenefitId, benefit: BenefitPush) => {
        const { active = true, description = null, name, requiresApproval, title } = benefit
        const perks = JSON.stringify({ freeShipping: false, ...benefit.perks })
        const validity = benefit.validity == null ? null : JSON.stringify(benefit.validity)
        const agrees = benefit.legalAgreement != null
        return platformSql`
          INSERT INTO benefits (
            org_id, id, name, title, description, requires_approval, agreement_version, perks, validity, active
          )
          SELECT ${orgId}, ${id}, ${name}, ${title}, ${description}, ${requiresApproval}, max(version),
            ${perks}::text::jsonb, ${validity}::text::jsonb, ${active}
          FROM benefit_agreements WHERE org_id = ${orgId} AND benefit_id = ${id} AND ${agrees}
          ON CONFLICT (org_id, id) DO UPDATE SET
            name = excluded.name, title = excluded.title, description = excluded.description,
            requires_approval = excluded.requires_approval, agreement_version = excluded.agreement_version,
            perks = excluded.perks, validity = excluded.validity, active = excluded.active
          RETURNING ${columns}`
      }

      const list = Effect.fn("Benefits.list")(
        function* (query: BenefitsQuery) {
          const { orgId } = yield* CurrentCustomer
          const page = yield* paginate({
            sql,
            query,
            sorts: {
              createdAt: { type: benefitSorts.createdAt, column: "benefits.created_at" },
              id: { type: benefitSorts.id, column: "benefits.id" },
              name: { type: benefitSorts.name, column: "benefits.name" },
              title: { type: benefitSorts.title, column: "benefits.title" }
            },
            byDefault: "createdAt",
            item: PlatformBenefit,
            columns,
            from: sql`benefits WHERE org_id = ${orgId} AND active`
          })
          const enrollments = yield* selectNewest(page.data.map(({ id }) => id))
          const byBenefit = new Map(
            enrollments.map(({ customerId: _, ...enrollment }) => [enrollment.benefitId, enrollment])
          )
          const data = page.data.map((benefit) => ({
            ...Struct.omit(benefit, ["active"]),
            enrollment: byBenefit.get(benefit.id) ?? null
          }))
          return { ...page, data }
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const find = Effect.fn("Benefits.find")(
        function* (id: BenefitId) {
          const { orgId } = yield* CurrentPlatform
          const [row] = yield* platformSql`SELECT ${columns} FROM benefits WHERE org_id = ${orgId} AND id = ${id}`
          return row === undefined ? yield* new BenefitNotFound() : yield* decode(row)
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const push = Effect.fn("Benefits.push")(
        function* (id: BenefitId, benefit: BenefitPush) {
          const { orgId } = yield* CurrentPlatform
          yield* lockTexts(orgId, id)
          if (benefit.legalAgreement != null) yield* insertText(orgId, id, benefit.legalAgreement)
          const [row] = yield* upsertBenefit(orgId, id, benefit)
          return yield* decode(row)
        },
        transaction(platformSql),
        Effect.orDie
      )

      return Benefits.of({ list, find, push })
    })
  )
}

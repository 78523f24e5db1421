import { Effect, Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { ActionNotAllowed } from "../domain/ActionNotAllowed.ts"
import { Attached } from "../domain/Attachment.ts"
import type { Validity } from "../domain/Benefit.ts"
import {
  type Enrollment,
  type EnrollmentStep,
  enrollmentSorts,
  PlatformEnrollment,
  type PlatformEnrollmentsQuery
} from "../domain/Enrollment.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { StoredFile } from "../domain/StoredFile.ts"
import { type IfMatch, VersionMismatch } from "../domain/Version.ts"
import { attachedTo, linked } from "./Attachments.ts"
import type { FileLinks } from "./FileLinks.ts"
import { paginate } from "./Paging.ts"

/** An enrollment as its row says, before its documents have urls. */
export const StoredEnrollment = Schema.Struct({
  ...PlatformEnrollment.fields,
  documents: Schema.Array(Attached)
})

/** Active by its row, and over: it answers as the sweeper will leave it, down to the version. */
export const isOver = (sql: SqlClient.SqlClient, now: Date): Statement.Fragment =>
  sql`(status = 'active' AND coalesce(expires_at <= ${now}, false))`

const columns = `
  enrollments.id, number, benefit_id, customer_id, form_data, submitted_at, reviewed_at, approved_at, expires_at,
  rejection_reason,
  ${attachedTo("enrollment_documents", "enrollments", "enrollment_id = enrollments.id")} AS documents,
  (SELECT jsonb_build_object('version', version, 'text', text, 'acceptedAt', enrollments.agreed_at)
    FROM benefit_agreements AS agreed
    WHERE org_id = enrollments.org_id AND benefit_id = enrollments.benefit_id
      AND version = enrollments.agreement_version) AS agreement`

const history = `
  (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('status', steps.status, 'at', at, 'by', by,
    'reason', reason)) ORDER BY sequence), '[]')
  FROM enrollment_steps AS steps
  WHERE org_id = enrollments.org_id AND customer_id = enrollments.customer_id AND enrollment_id = enrollments.id)`

const over = "(enrollments.status = 'active' AND coalesce(expires_at <= now(), false))"

/** What an enrollment is now, by the database's clock. */
export const enrollmentColumnsNow = `${columns},
  CASE WHEN ${over} THEN 'expired' ELSE status END AS status, version + ${over}::int AS version,
  ${history} || CASE WHEN ${over}
    THEN jsonb_build_array(jsonb_build_object('status', 'expired', 'at', expires_at, 'by', 'system')) ELSE '[]' END
  AS history`

/** What an enrollment is at an instant. */
export const enrollmentColumns = (sql: SqlClient.SqlClient, now: Date): Statement.Fragment => {
  const over = isOver(sql, now)
  return sql`${sql.literal(columns)},
    CASE WHEN ${over} THEN 'expired' ELSE status END AS status, version + ${over}::int AS version,
    ${sql.literal(history)} || CASE WHEN ${over}
      THEN jsonb_build_array(jsonb_build_object('status', 'expired', 'at', expires_at, 'by', 'system')) ELSE '[]' END
    AS history`
}

const sorts = {
  submittedAt: { type: enrollmentSorts.submittedAt, column: "enrollments.submitted_at" },
  id: { type: enrollmentSorts.id, column: "enrollments.id" },
  number: { type: enrollmentSorts.number, column: "enrollments.number::bigint" },
  benefitId: { type: enrollmentSorts.benefitId, column: "enrollments.benefit_id" }
} as const

/** One page of the enrollments that are `whose`, the customer or org first. */
export const selectEnrollments = (
  sql: SqlClient.SqlClient,
  query: PlatformEnrollmentsQuery,
  now: Date,
  whose: Statement.Fragment
) => {
  const filters = [whose]
  if (query.status !== undefined) {
    filters.push(
      sql`CASE WHEN ${isOver(sql, now)} THEN 'expired' ELSE status END = ANY (${`{${query.status.join()}}`}::text::text[])`
    )
  }
  if (query.benefitId !== undefined) filters.push(sql`benefit_id = ${query.benefitId}`)
  if (query.customerId !== undefined) filters.push(sql`customer_id = ${query.customerId}`)
  return paginate({
    sql,
    query,
    sorts,
    byDefault: "submittedAt",
    item: StoredEnrollment,
    columns: enrollmentColumns(sql, now),
    from: sql`enrollments WHERE ${sql.and(filters)}`
  })
}

/** An enrollment that this transaction has locked. */
export interface WrittenEnrollment {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly id: string
}

/** Adds to the history of an enrollment that is locked: its steps are counted one after the other. */
export const insertSteps = (
  sql: SqlClient.SqlClient,
  { customerId, id, orgId }: WrittenEnrollment,
  steps: ReadonlyArray<EnrollmentStep>
) => sql`
  INSERT INTO enrollment_steps (org_id, customer_id, enrollment_id, sequence, status, at, by, reason)
  SELECT ${orgId}, ${customerId}, ${id}, position + (SELECT count(*) FROM enrollment_steps
    WHERE org_id = ${orgId} AND customer_id = ${customerId} AND enrollment_id = ${id}),
    step ->> 'status', (step ->> 'at')::timestamptz, step ->> 'by', step ->> 'reason'
  FROM jsonb_array_elements(${JSON.stringify(steps)}::text::jsonb) WITH ORDINALITY AS added (step, position)`

export const insertDocuments = (
  sql: SqlClient.SqlClient,
  { customerId, id, orgId }: WrittenEnrollment,
  files: ReadonlyArray<StoredFile>
) => sql`
  INSERT INTO enrollment_documents (org_id, customer_id, enrollment_id, position, file_id)
  SELECT ${orgId}, ${customerId}, ${id}, position, file_id
  FROM unnest(${`{${files.map((file) => file.id).join()}}`}::text::text[]) WITH ORDINALITY AS named (file_id, position)`

/** Gives the documents of an enrollment their urls. */
export const withLinks = <A extends typeof StoredEnrollment.Type>(
  links: FileLinks["Service"],
  orgId: OrgId,
  { documents, ...enrollment }: A
) =>
  Effect.map(
    linked(links, { orgId, customerId: enrollment.customerId }, { attachments: documents }),
    ({ attachments }) => ({ ...enrollment, documents: attachments })
  )

/** For how long whoever is approved is so, and where. */
export interface Terms {
  readonly validity: Validity | null
  readonly timezone: string | null
}

/** Why an update has found nothing that it may change. */
export const refused = (
  { status, version }: Pick<Enrollment, "status" | "version">,
  ifMatch: typeof IfMatch.Type | undefined
) =>
  ifMatch?.includes(version) === false
    ? new VersionMismatch()
    : new ActionNotAllowed({ detail: `The enrollment is ${status.replace("_", " ")}, which does not allow this.` })

/** What is the same in all notices about an enrollment. */
export const aboutEnrollment = ({
  customerId,
  id,
  name,
  number,
  status
}: Pick<PlatformEnrollment, "customerId" | "id" | "number" | "status"> & { readonly name: string }) => ({
  customerId,
  facts: { name },
  data: { enrollmentId: id, number, status },
  link: `/benefits/${number}`
})

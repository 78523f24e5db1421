import { Schema } from "effect"
import { Attachment, AttachmentPaths } from "./Attachment.ts"
import { example } from "./Example.ts"
import { FormData } from "./FormData.ts"
import { CustomerId, PlatformId } from "./Ids.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { NullableTimestamp, Timestamp } from "./Timestamp.ts"

export const EnrollmentStatus = Schema.Literals([
  "pending",
  "in_progress",
  "under_review",
  "approved",
  "rejected",
  "active",
  "expired",
  "cancelled"
]).annotate({ identifier: "EnrollmentStatus" })
export type EnrollmentStatus = typeof EnrollmentStatus.Type

/** Those of which a customer has one in each programme at most; the migration's unique index says the same. */
export const liveStatuses = ["pending", "in_progress", "under_review", "approved", "active"] as const

const undecided = ["pending", "in_progress", "under_review"] as const

export const EnrollmentDecision = Schema.Struct({
  status: Schema.Literals(["approved", "rejected", "under_review"]),
  reason: Schema.optionalKey(Text(1, 1000, "The customer reads it"))
}).annotate({
  identifier: "EnrollmentDecision",
  examples: [{ status: "rejected", reason: "The card is of last year." }]
})
export type EnrollmentDecision = typeof EnrollmentDecision.Type

/** What may be decided in which status. An active enrollment is taken back by way of another review. */
export const decidableIn: Readonly<Record<EnrollmentDecision["status"], ReadonlyArray<EnrollmentStatus>>> = {
  approved: undecided,
  rejected: undecided,
  under_review: ["pending", "in_progress", "active"]
}

/** One step of an enrollment's history. */
export const EnrollmentStep = Schema.Struct({
  status: EnrollmentStatus,
  // Read as part of a jsonb value, so an instant is text there.
  at: Schema.toCodecJson(Timestamp),
  by: Schema.Literals(["customer", "staff", "system"]),
  reason: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "EnrollmentStep" })
export type EnrollmentStep = typeof EnrollmentStep.Type

export const Agreement = Schema.Struct({
  version: Schema.Int,
  text: Schema.String,
  acceptedAt: Schema.toCodecJson(Timestamp)
}).annotate({ identifier: "Agreement" })

const facts = {
  id: Schema.String,
  number: Schema.String.annotate({ description: "Unique within the org; not every number is given out" }),
  benefitId: PlatformId,
  status: EnrollmentStatus,
  formData: Schema.NullOr(FormData),
  documents: Schema.Array(Attachment),
  agreement: Schema.NullOr(Agreement).annotateKey({ description: "What was agreed to, and when" }),
  submittedAt: Timestamp,
  reviewedAt: NullableTimestamp,
  approvedAt: NullableTimestamp,
  expiresAt: NullableTimestamp.annotateKey({ description: "From then on it is `expired`" }),
  rejectionReason: Schema.NullOr(Schema.String),
  history: Schema.Array(EnrollmentStep).annotate({ description: "Oldest first" }),
  version: Schema.Int
}

export const enrollmentExample = {
  id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
  number: "1001",
  benefitId: "student",
  status: "active" as const,
  formData: { university: "London" },
  documents: [],
  agreement: {
    version: 1,
    text: "I am enrolled at a university, and say so when I no longer am.",
    acceptedAt: new Date("2026-11-20T17:31:02.118Z")
  },
  submittedAt: new Date("2026-11-20T17:31:02.118Z"),
  reviewedAt: new Date("2026-11-21T09:12:40.009Z"),
  approvedAt: new Date("2026-11-21T09:12:40.009Z"),
  expiresAt: new Date("2027-11-21T09:12:40.009Z"),
  rejectionReason: null,
  history: [
    { status: "pending" as const, at: new Date("2026-11-20T17:31:02.118Z"), by: "customer" as const },
    { status: "approved" as const, at: new Date("2026-11-21T09:12:40.009Z"), by: "staff" as const },
    { status: "active" as const, at: new Date("2026-11-21T09:12:40.009Z"), by: "system" as const }
  ],
  version: 2
}

export const Enrollment = Schema.Struct(facts).annotate({
  identifier: "Enrollment",
  examples: [example(enrollmentExample)]
})
export type Enrollment = typeof Enrollment.Type

/** An enrollment as the platform sees it. */
export const PlatformEnrollment = Schema.Struct({ ...facts, customerId: CustomerId }).annotate({
  identifier: "PlatformEnrollment",
  examples: [example({ ...enrollmentExample, customerId: CustomerId.make("ada") })]
})
export type PlatformEnrollment = typeof PlatformEnrollment.Type

/** Fields that a list of enrollments sorts by. */
export const enrollmentSorts = { submittedAt: "instant", id: "text", number: "integer", benefitId: "text" } as const

const filters = {
  ...listQuery(enrollmentSorts, "submittedAt"),
  status: Schema.optionalKey(Schema.Array(EnrollmentStatus).check(Schema.isMaxLength(8)))
}
export const EnrollmentsQuery = Schema.Struct(filters)
export type EnrollmentsQuery = typeof EnrollmentsQuery.Type

export const PlatformEnrollmentsQuery = Schema.Struct({
  ...filters,
  benefitId: Schema.optionalKey(PlatformId),
  customerId: Schema.optionalKey(CustomerId)
})
export type PlatformEnrollmentsQuery = typeof PlatformEnrollmentsQuery.Type

export const EnrollmentsPage = pageOf("EnrollmentsPage", Enrollment)
export const PlatformEnrollmentsPage = pageOf("PlatformEnrollmentsPage", PlatformEnrollment)

export const EnrollmentId = Text(1, 128, "The enrollment's id or number")

export const NewEnrollment = Schema.Struct({
  benefitId: Text(1, 128, "The benefit's id or name"),
  formData: Schema.optionalKey(FormData).annotateKey({
    description: "Up to 16 KiB, nested up to five levels; the customer and the org's staff see it, and nobody else"
  }),
  documents: Schema.optionalKey(AttachmentPaths),
  agreementAccepted: Schema.optionalKey(Schema.Boolean),
  agreementVersion: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2_147_483_647 }))
  ).annotateKey({
    description: "The version that was shown: if there is another by now, it has not been agreed to"
  })
}).annotate({
  identifier: "NewEnrollment",
  examples: [{ benefitId: "student", formData: { university: "London" }, agreementAccepted: true }]
})
export type NewEnrollment = typeof NewEnrollment.Type

/** Also the answer for an enrollment of somebody else: a stranger must not learn that it exists. */
export class EnrollmentNotFound extends Problem<EnrollmentNotFound>()("EnrollmentNotFound", {
  code: "enrollment_not_found",
  status: 404,
  title: "Enrollment not found",
  detail: "There is no such enrollment."
}) {}

export class AgreementRequired extends Problem<AgreementRequired>()("AgreementRequired", {
  code: "agreement_required",
  status: 422,
  title: "Agreement required",
  detail: "This benefit is for those who accept its agreement as it is now."
}) {}

export class AlreadyEnrolled extends Problem<AlreadyEnrolled>()("AlreadyEnrolled", {
  code: "already_enrolled",
  status: 409,
  title: "Already enrolled",
  detail: "You have an enrollment in this benefit; it can be renewed when it is over, or withdrawn before."
}) {}

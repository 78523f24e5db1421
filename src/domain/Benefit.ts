import { DateTime, Schema } from "effect"
import { Enrollment, enrollmentExample } from "./Enrollment.ts"
import { example } from "./Example.ts"
import { PlatformId } from "./Ids.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const BenefitId = PlatformId.pipe(Schema.brand("BenefitId"))
export type BenefitId = typeof BenefitId.Type

const description =
  "percentage: percent of the items, 0 to 100, with two decimals at most; fixed: minor units of the basket's currency"

const discount = Schema.Finite.annotate({ description }).check(
  Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
)

export const Perks = Schema.Struct({
  discountType: Schema.Literals(["percentage", "fixed"]),
  discount,
  freeShipping: Schema.Boolean
}).annotate({ identifier: "Perks" })
export type Perks = typeof Perks.Type

/** Percent as an integer of hundredths; undefined when it has more than two decimals. */
export const hundredthsOf = (percent: number): number | undefined => {
  const hundredths = Math.round(percent * 100)
  return hundredths / 100 === percent ? hundredths : undefined
}

const PerksPush = Schema.Struct({
  discountType: Perks.fields.discountType,
  discount,
  freeShipping: Schema.optionalKey(Schema.Boolean)
}).check(
  Schema.makeFilter(({ discount, discountType }) =>
    discountType === "fixed"
      ? Number.isInteger(discount) || { path: ["discount"], issue: "Expected an integer of minor units" }
      : (discount <= 100 && hundredthsOf(discount) !== undefined) || {
          path: ["discount"],
          issue: "Expected a percentage from 0 to 100, with two decimals at most"
        }
  )
)

export const Validity = Schema.Struct({
  duration: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1200 })),
  unit: Schema.Literals(["days", "months", "years"])
})
  .check(
    Schema.makeFilter(
      ({ duration, unit }) => unit !== "years" || duration <= 100 || "Expected a validity of 100 years at most"
    )
  )
  // After the check, which a name from before would not cover.
  .annotate({ identifier: "Validity" })
export type Validity = typeof Validity.Type

/** When an enrollment that becomes active at an instant is over: at the same time of day where the customer lives. */
export const expiryOf = (validity: Validity | null, from: Date, timeZone: string | null): Date | null => {
  if (validity === null) return null
  const start = DateTime.makeZonedUnsafe(from, { timeZone: timeZone ?? "UTC" })
  return DateTime.toDateUtc(DateTime.add(start, { [validity.unit]: validity.duration }))
}

const facts = {
  id: BenefitId,
  name: Schema.String,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  requiresApproval: Schema.Boolean.annotate({ description: "false: an enrollment is active at once" }),
  legalAgreement: Schema.NullOr(Schema.String).annotateKey({
    description: "What whoever enrolls has to agree to; null: to nothing"
  }),
  agreementVersion: Schema.NullOr(Schema.Int).annotateKey({ description: "Counts the texts that there have been" }),
  perks: Perks,
  validity: Schema.NullOr(Validity).annotateKey({
    description:
      "For how long an enrollment is active, by the calendar of the time zone in the customer's profile (UTC without one): a month after 31 January is the last day of February. null: it does not expire"
  }),
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}

const about = {
  id: BenefitId.make("student"),
  name: "student",
  title: "Student discount",
  description: "For whoever is enrolled at a university.",
  requiresApproval: true,
  legalAgreement: "I am enrolled at a university, and say so when I no longer am.",
  agreementVersion: 1,
  perks: { discountType: "percentage" as const, discount: 10, freeShipping: false },
  validity: { duration: 1, unit: "years" as const },
  version: 1,
  createdAt: new Date("2026-09-01T08:00:00.000Z"),
  updatedAt: new Date("2026-09-01T08:00:00.000Z")
}

/** A programme as the customer sees it. */
export const Benefit = Schema.Struct({
  ...facts,
  enrollment: Schema.NullOr(Enrollment).annotateKey({ description: "The customer's newest one" })
}).annotate({ identifier: "Benefit", examples: [example({ ...about, enrollment: enrollmentExample })] })
export type Benefit = typeof Benefit.Type

/** A programme as the platform sees it. */
export const PlatformBenefit = Schema.Struct({
  ...facts,
  active: Schema.Boolean.annotate({ description: "false: takes nobody any more, and is no part of any price" })
}).annotate({ identifier: "PlatformBenefit", examples: [example({ ...about, active: true })] })
export type PlatformBenefit = typeof PlatformBenefit.Type

/** A programme as the platform pushes it; the platform's id is in the path. What is left out is empty. */
export const BenefitPush = Schema.Struct({
  name: Text(1, 120),
  title: Text(1, 200),
  description: Schema.optionalKey(Schema.NullOr(Text(0, 2000))),
  requiresApproval: Schema.Boolean,
  legalAgreement: Schema.optionalKey(
    Schema.NullOr(Text(1, 20_000, "Another text is another version of the agreement"))
  ),
  perks: PerksPush,
  validity: Schema.optionalKey(Schema.NullOr(Validity)),
  active: Schema.optionalKey(Schema.Boolean).annotateKey({ description: "true if absent" })
}).annotate({
  identifier: "BenefitPush",
  examples: [
    {
      name: "student",
      title: "Student discount",
      requiresApproval: true,
      perks: { discountType: "percentage", discount: 10, freeShipping: false },
      validity: { duration: 1, unit: "years" }
    }
  ]
})
export type BenefitPush = typeof BenefitPush.Type

/** Fields that a list of programmes sorts by. */
export const benefitSorts = { createdAt: "instant", id: "text", name: "text", title: "text" } as const

export const BenefitsQuery = Schema.Struct(listQuery(benefitSorts, "createdAt"))
export type BenefitsQuery = typeof BenefitsQuery.Type

export const BenefitsPage = pageOf("BenefitsPage", Benefit)

/** Also the answer for a programme that is not active, and for one of another org. */
export class BenefitNotFound extends Problem<BenefitNotFound>()("BenefitNotFound", {
  code: "benefit_not_found",
  status: 404,
  title: "Benefit not found",
  detail: "There is no such benefit."
}) {}

import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ActionNotAllowed } from "../../domain/ActionNotAllowed.ts"
import {
  BenefitId,
  BenefitNotFound,
  BenefitPush,
  BenefitsPage,
  BenefitsQuery,
  PlatformBenefit
} from "../../domain/Benefit.ts"
import { CustomerNotFound } from "../../domain/Customer.ts"
import {
  AgreementRequired,
  AlreadyEnrolled,
  Enrollment,
  EnrollmentDecision,
  EnrollmentId,
  EnrollmentNotFound,
  EnrollmentsPage,
  EnrollmentsQuery,
  NewEnrollment,
  PlatformEnrollment,
  PlatformEnrollmentsPage,
  PlatformEnrollmentsQuery
} from "../../domain/Enrollment.ts"
import { Basket, PricedBasket } from "../../domain/Pricing.ts"
import { FileNotFound } from "../../domain/StoredFile.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { changeHeaders, createdOf, recordOf, writeHeaders } from "../Records.ts"

const benefit = { benefitId: BenefitId }
const enrollment = { enrollmentId: EnrollmentId }

export class BenefitsApi extends HttpApiGroup.make("benefits")
  .add(
    HttpApiEndpoint.get("list", "/", { query: BenefitsQuery, success: BenefitsPage }).annotateMerge(
      OpenApi.annotations({
        summary: "List the benefits",
        description: "The active programmes, each with the customer's own newest enrollment."
      })
    ),
    HttpApiEndpoint.post("enroll", "/enroll", {
      headers: writeHeaders,
      payload: NewEnrollment,
      success: createdOf(Enrollment),
      error: [BenefitNotFound, AgreementRequired, AlreadyEnrolled, FileNotFound]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Enroll in a benefit",
        description:
          "`active` at once where no approval is needed, else `pending`. There is one live enrollment in each programme; once it is over, rejected or withdrawn, enrolling again renews it."
      })
    ),
    HttpApiEndpoint.get("listEnrollments", "/enrollments", {
      query: EnrollmentsQuery,
      success: EnrollmentsPage
    }).annotate(OpenApi.Summary, "List the enrollments"),
    HttpApiEndpoint.get("getEnrollment", "/enrollments/:enrollmentId", {
      params: enrollment,
      success: recordOf(Enrollment),
      error: EnrollmentNotFound
    }).annotate(OpenApi.Summary, "Read an enrollment"),
    HttpApiEndpoint.delete("withdraw", "/enrollments/:enrollmentId", {
      params: enrollment,
      headers: changeHeaders,
      success: recordOf(Enrollment),
      error: [EnrollmentNotFound, ActionNotAllowed, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Withdraw an enrollment",
        description: "It stays, as `cancelled`. One that is over in any way cannot be withdrawn any more."
      })
    )
  )
  .prefix("/benefits")
  .annotateMerge(
    OpenApi.annotations({
      title: "Benefits",
      description: "Programmes that make things cheaper for whoever is in them."
    })
  ) {}

export class PlatformBenefitsApi extends HttpApiGroup.make("platformBenefits")
  .add(
    HttpApiEndpoint.get("get", "/benefits/:benefitId", {
      params: benefit,
      success: recordOf(PlatformBenefit),
      error: BenefitNotFound
    }).annotate(OpenApi.Summary, "Read a benefit"),
    HttpApiEndpoint.put("push", "/benefits/:benefitId", {
      params: benefit,
      headers: writeHeaders,
      payload: BenefitPush,
      success: recordOf(PlatformBenefit)
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Push a benefit",
        description:
          "What is there of it is replaced. Enrollments keep the agreement and the end that they began with; the perks are those of today."
      })
    ),
    HttpApiEndpoint.get("listEnrollments", "/enrollments", {
      query: PlatformEnrollmentsQuery,
      success: PlatformEnrollmentsPage
    }).annotate(OpenApi.Summary, "List all enrollments"),
    HttpApiEndpoint.get("getEnrollment", "/enrollments/:enrollmentId", {
      params: enrollment,
      success: recordOf(PlatformEnrollment),
      error: EnrollmentNotFound
    }).annotate(OpenApi.Summary, "Read any enrollment"),
    HttpApiEndpoint.put("decide", "/enrollments/:enrollmentId/decision", {
      params: enrollment,
      headers: changeHeaders,
      payload: EnrollmentDecision,
      success: recordOf(PlatformEnrollment),
      error: [EnrollmentNotFound, ActionNotAllowed, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Decide on an enrollment",
        description:
          "Whatever is not decided yet can be approved, which makes it `active`, or rejected. An active one can be put under review again, and counts for nothing meanwhile."
      })
    ),
    HttpApiEndpoint.post("price", "/pricing", {
      headers: writeHeaders,
      payload: Basket,
      success: PricedBasket,
      error: CustomerNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Price a basket",
        description:
          "Applies the customer's active enrollments in active programmes: the best single discount on the items, and free shipping besides. A percentage is taken of all items together and rounded once, half a minor unit up; a fixed discount is never more than the items cost."
      })
    )
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Platform: benefits",
      description: "Programmes, who is in them, and what they do to a price."
    })
  ) {}

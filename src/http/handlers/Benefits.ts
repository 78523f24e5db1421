import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Benefits } from "../../services/Benefits.ts"
import { EnrollmentDecisions } from "../../services/EnrollmentDecisions.ts"
import { Enrollments } from "../../services/Enrollments.ts"
import { Pricing } from "../../services/Pricing.ts"
import { Api } from "../Api.ts"
import { Created, versioned } from "../Records.ts"

export const BenefitsHandlers = HttpApiBuilder.group(
  Api,
  "benefits",
  Effect.fn(function* (handlers) {
    const benefits = yield* Benefits
    const enrollments = yield* Enrollments

    return handlers.handleAll({
      list: ({ query }) => benefits.list(query),
      enroll: ({ payload }) =>
        Effect.map(
          enrollments.enroll(payload),
          (enrollment) => new Created(enrollment, `/client-data/benefits/enrollments/${enrollment.id}`)
        ),
      listEnrollments: ({ query }) => enrollments.list(query),
      getEnrollment: ({ params }) => Effect.map(enrollments.get(params.enrollmentId), versioned),
      withdraw: ({ headers, params }) =>
        Effect.map(enrollments.withdraw(params.enrollmentId, headers["if-match"]), versioned)
    })
  })
)

export const PlatformBenefitsHandlers = HttpApiBuilder.group(
  Api,
  "platformBenefits",
  Effect.fn(function* (handlers) {
    const benefits = yield* Benefits
    const decisions = yield* EnrollmentDecisions
    const pricing = yield* Pricing

    return handlers.handleAll({
      get: ({ params }) => Effect.map(benefits.find(params.benefitId), versioned),
      push: ({ params, payload }) => Effect.map(benefits.push(params.benefitId, payload), versioned),
      listEnrollments: ({ query }) => decisions.list(query),
      getEnrollment: ({ params }) => Effect.map(decisions.get(params.enrollmentId), versioned),
      decide: ({ headers, params, payload }) =>
        Effect.map(decisions.decide(params.enrollmentId, payload, headers["if-match"]), versioned),
      price: ({ payload }) => pricing.price(payload)
    })
  })
)

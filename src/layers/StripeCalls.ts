import { Cause, Data, Duration, Effect, Exit, Redacted, Schedule, Schema } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../domain/Integration.ts"
import type { ProviderFailure } from "../services/CardVault.ts"

/** Stripe understood and said no: who asked knows what that means. */
export class StripeRefused extends Data.TaggedError("StripeRefused")<{
  readonly declined: boolean
  readonly missing: boolean
  readonly param: string
  readonly sentence: string
}> {}

class StripeFailed extends Data.TaggedError("StripeFailed")<{
  readonly problem: ProviderFailure
  readonly why: string
  readonly again: boolean
}> {}

// The SDK is loaded only where Stripe is configured, so its classes are told apart by name.
interface Thrown {
  readonly type?: string
  readonly code?: string
  readonly param?: string
  readonly message?: string
  readonly statusCode?: number
  readonly requestId?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** https://docs.stripe.com/api/errors */
const classify = (thrown: unknown): StripeRefused | StripeFailed => {
  const { code, headers, message, param, requestId, statusCode, type } = thrown as Thrown
  const failed = (problem: ProviderFailure, again: boolean) =>
    new StripeFailed({ problem, again, why: [type, statusCode, code, requestId].filter(Boolean).join(" ") })
  switch (type) {
    case "StripeCardError":
    case "StripeInvalidRequestError":
      return new StripeRefused({
        declined: type === "StripeCardError",
        missing: code === "resource_missing",
        param: param ?? "",
        sentence: message ?? ""
      })
    case "StripeRateLimitError": {
      const seconds = Math.min(Math.max(Math.ceil(Number(headers?.["retry-after"] ?? 1)) || 1, 1), 600)
      return failed(new ProviderUnavailable({ retryAfter: seconds }), seconds <= 1)
    }
    case "StripeConnectionError":
      return failed(new ProviderUnavailable({ retryAfter: 5 }), true)
    case "StripeAuthenticationError":
    case "StripePermissionError":
      return failed(new IntegrationNotConfigured(), false)
    case "StripeAPIError":
      // Without a status it was no JSON. 409: the same request is still running.
      return statusCode === undefined
        ? failed(new ProviderError(), true)
        : failed(new ProviderUnavailable({ retryAfter: 5 }), headers?.["stripe-should-retry"] !== "false")
    default:
      return failed(new ProviderError(), false)
  }
}

const deadline = "3 seconds"

/** How we ask Stripe for anything: within a deadline, patient with what passes, and not at all while it is down. */
export const make = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.rate({ threshold: 0.5, size: 20 }),
    openDuration: "15 seconds"
  })

  /** One request. Repeats carry the same idempotency key, so that what was done already is not done twice. */
  const send = <S extends Schema.Top & { readonly DecodingServices: never }>(
    answer: S,
    request: () => Promise<unknown>
  ): Effect.Effect<S["Type"], StripeRefused | StripeFailed> =>
    Effect.tryPromise({ try: request, catch: classify }).pipe(
      Effect.retry({
        while: (error) => error._tag === "StripeFailed" && error.again,
        schedule: Schedule.jittered(Schedule.exponential("150 millis")),
        times: 3
      }),
      Effect.flatMap((received) =>
        Effect.mapError(
          Schema.decodeUnknownEffect(answer)(received),
          () => new StripeFailed({ problem: new ProviderError(), again: false, why: "An answer of another shape" })
        )
      )
    )

  /** All requests of one operation together. A refusal that nobody has made sense of is a failure of ours. */
  const operation = <A, E, R>(name: string, requests: Effect.Effect<A, E, R>) =>
    Effect.timeoutOrElse(requests as Effect.Effect<A, E | StripeRefused | StripeFailed, R>, {
      duration: deadline,
      orElse: () =>
        Effect.fail(
          new StripeFailed({ problem: new ProviderUnavailable({ retryAfter: 5 }), again: false, why: "No answer in time" })
        )
    }).pipe(
      breaker.execute({ key: "stripe", classify: outcomeOf }),
      Effect.catch((error) => {
        if (error instanceof StripeRefused) {
          return Effect.logError("Stripe refused a request of ours").pipe(
            Effect.annotateLogs({ operation: name, param: error.param, missing: error.missing }),
            Effect.andThen(Effect.fail(new ProviderError()))
          )
        }
        if (error instanceof StripeFailed) {
          const level = error.problem._tag === "IntegrationNotConfigured" ? "Error" : "Warn"
          return Effect.logWithLevel(level)("Stripe failed").pipe(
            Effect.annotateLogs({ operation: name, why: error.why }),
            Effect.andThen(Effect.fail(error.problem))
          )
        }
        if (error instanceof CircuitBreaker.CircuitBreakerError) {
          const wait = error.reason._tag === "CircuitOpen" ? Duration.toSeconds(error.reason.retryAfter) : 1
          return Effect.fail(new ProviderUnavailable({ retryAfter: Math.max(1, Math.ceil(wait)) }))
        }
        return Effect.fail(error as Exclude<E, StripeRefused | StripeFailed>)
      }),
      Effect.withSpan(`Stripe.${name}`)
    )

  return { send, operation }
})

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (error === undefined) return CircuitBreaker.ignored
  const isDown = error instanceof StripeFailed && error.problem._tag !== "IntegrationNotConfigured"
  return isDown ? CircuitBreaker.failure() : CircuitBreaker.success
}

export const secretOf = Redacted.value

import { Cause, Data, Duration, Effect, Exit, Schedule, Schema } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { type IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../domain/Integration.ts"

/** The provider understood and said no: who asked knows what that means. */
export class Refused extends Data.TaggedError("ProviderRefused")<{
  readonly declined: boolean
  readonly missing: boolean
  /** What was wrong, in a word of the provider's. */
  readonly about: string
  /** For the customer, if there is such a sentence. */
  readonly sentence: string
  /** What the provider finds the request by. */
  readonly reference: string
}> {}

/** The provider did not do its part. `again`: asking again at once may help, and does no harm. */
export class Failed extends Data.TaggedError("ProviderFailed")<{
  readonly problem: IntegrationNotConfigured | ProviderError | ProviderUnavailable
  readonly why: string
  readonly again: boolean
}> {}

export const unreachable = (why: string, again: boolean) =>
  new Failed({ problem: new ProviderUnavailable({ retryAfter: 5 }), why, again })

/** Too much was asked: once more at once only if the provider does not mind. */
export const throttled = (retryAfter: string | undefined, why: string) => {
  const seconds = Math.min(Math.max(Math.ceil(Number(retryAfter ?? 1)) || 1, 1), 600)
  return new Failed({ problem: new ProviderUnavailable({ retryAfter: seconds }), why, again: seconds <= 1 })
}

/** Answers are what they are said to be, or no answers. */
export const decoded =
  <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S) =>
  (received: unknown): Effect.Effect<S["Type"], Failed> =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema)(received),
      () => new Failed({ problem: new ProviderError(), why: "An answer of another shape", again: false })
    )

/** Two more attempts, where that does no harm. */
export const patiently = <A, E, R>(request: Effect.Effect<A, E | Failed, R>): Effect.Effect<A, E | Failed, R> =>
  Effect.retry(request, {
    while: (error) => error instanceof Failed && error.again,
    schedule: Schedule.jittered(Schedule.exponential("150 millis")),
    times: 2
  })

/**
 * All requests of one operation together: within a deadline, and not sent at all while the provider is down. A refusal
 * that nobody has made sense of is a failure of ours.
 */
export const operations = Effect.fnUntraced(function* (provider: string) {
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.rate({ threshold: 0.5, size: 20 }),
    openDuration: "15 seconds"
  })

  return <A, E, R>(
    operation: string,
    requests: Effect.Effect<A, E, R>
  ): Effect.Effect<A, Exclude<E, Refused | Failed> | Failed["problem"], R> => {
    const conclude = Effect.fnUntraced(function* (error: E | Failed | CircuitBreaker.CircuitBreakerError) {
      if (error instanceof Refused) {
        const { about, missing, reference } = error
        yield* Effect.logError(`${provider} refused a request of ours`).pipe(
          Effect.annotateLogs({ operation, about, missing, reference })
        )
        return yield* new ProviderError()
      }
      if (error instanceof Failed) {
        const { problem, why } = error
        const level = problem._tag === "IntegrationNotConfigured" ? "Error" : "Warn"
        yield* Effect.logWithLevel(level)(`${provider} failed`).pipe(Effect.annotateLogs({ operation, why }))
        return yield* Effect.fail(problem)
      }
      if (error instanceof CircuitBreaker.CircuitBreakerError) {
        const wait = error.reason._tag === "CircuitOpen" ? Duration.toSeconds(error.reason.retryAfter) : 1
        return yield* new ProviderUnavailable({ retryAfter: Math.max(1, Math.ceil(wait)) })
      }
      return yield* Effect.fail(error as Exclude<E, Refused | Failed>)
    })

    return requests.pipe(
      Effect.timeoutOrElse({
        duration: "3 seconds",
        orElse: () => Effect.fail(unreachable("No answer in time", false))
      }),
      breaker.execute<A, E | Failed>({ key: provider, classify: outcomeOf }),
      Effect.catch(conclude),
      Effect.withSpan(`${provider}.${operation}`)
    )
  }
})

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (error === undefined) return CircuitBreaker.ignored
  const isDown = error instanceof Failed && error.problem._tag !== "IntegrationNotConfigured"
  return isDown ? CircuitBreaker.failure() : CircuitBreaker.success
}

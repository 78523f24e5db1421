import { Cause, Data, Duration, Effect, Exit, Schedule } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { NotSent } from "../services/NotSent.ts"

/** A try that failed. `again`: nothing has left, and trying again at once may help. */
export class Failed extends Data.TaggedError("ChannelFailed")<{
  readonly notSent: NotSent
  readonly again: boolean
}> {}

export const failed = (
  reason: NotSent["reason"],
  detail: string,
  {
    again = false,
    ...more
  }: { readonly again?: boolean } & Pick<NotSent, "retryAfter" | "maybeSent" | "goneSince"> = {}
) => new Failed({ notSent: new NotSent({ reason, detail, ...more }), again })

/**
 * What may be said of a provider's answer: statuses and codes. Its sentences quote addresses, tokens and texts, and a
 * field that is for codes may be filled with anything.
 */
export const coded = (...parts: ReadonlyArray<unknown>): string =>
  parts
    .map(String)
    .filter((part) => /^(?:\d{1,6}|\d\.\d{1,3}\.\d{1,3}|(?!undefined$|null$)[A-Za-z][A-Za-z_-]{0,47})$/.test(part))
    .join(" ") || "no code"

/** Seconds, of a header that holds a number or a date; undefined when it holds neither. */
export const retryAfterOf = (header: unknown): number | undefined => {
  if (typeof header !== "string") return undefined
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(Math.ceil(seconds), 1), 3600)
}

/** The system's or OpenSSL's code for what broke a connection, at whatever depth it is. */
export const codeOf = (error: unknown): string | undefined => {
  let code: string | undefined
  for (let one = error, depth = 0; one instanceof Error && depth < 6; one = one.cause, depth++) {
    const own = (one as { readonly code?: unknown }).code
    if (typeof own === "string") code = own
  }
  return code
}

/** A connection that broke, or was never made. */
export const broken = (code: string | undefined): Failed => {
  const unmade = code !== undefined && /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)
  if (unmade) return failed("unavailable", code, { again: true })
  if (code !== undefined && /CERT|SIGNATURE|ERR_SSL|ERR_TLS/.test(code)) return failed("misconfigured", coded(code))
  return failed("unavailable", coded(code), { maybeSent: true })
}

/**
 * How every message leaves through one provider: within a deadline, and not at all while the provider is down. What has
 * surely not left is tried twice more at once; the rest is up to whoever keeps the message.
 */
export const sender = Effect.fnUntraced(function* (provider: string, deadline: Duration.Input = "8 seconds") {
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.rate({ threshold: 0.5, size: 20 }),
    openDuration: "15 seconds"
  })
  const late = failed("unavailable", "no answer in time", { maybeSent: true })

  return (attempt: Effect.Effect<void, Failed>): Effect.Effect<void, NotSent> =>
    attempt.pipe(
      Effect.retry({
        while: ({ again }) => again,
        times: 2,
        schedule: Schedule.jittered(Schedule.exponential("200 millis"))
      }),
      Effect.timeoutOrElse({ duration: deadline, orElse: () => Effect.fail(late) }),
      Effect.mapError(({ notSent }) => notSent),
      breaker.execute<void, NotSent>({ key: provider, classify: outcomeOf }),
      Effect.catchTag("CircuitBreakerError", ({ reason }) => {
        const wait = reason._tag === "CircuitOpen" ? Math.ceil(Duration.toSeconds(reason.retryAfter)) : 1
        return Effect.fail(
          new NotSent({ reason: "unavailable", retryAfter: Math.max(1, wait), detail: "not asked while it is down" })
        )
      }),
      Effect.tapError(({ detail, reason }) => {
        if (reason === "refused" || reason === "gone") return Effect.void
        const level = reason === "misconfigured" ? "Error" : "Warn"
        return Effect.logWithLevel(level)(`${provider} took no message`).pipe(Effect.annotateLogs({ reason, detail }))
      }),
      Effect.withSpan(`${provider}.send`)
    )
})

const outcomeOf = (exit: Exit.Exit<void, NotSent>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (error === undefined || error.reason === "throttled" || error.reason === "misconfigured") {
    return CircuitBreaker.ignored
  }
  return error.reason === "unavailable" ? CircuitBreaker.failure() : CircuitBreaker.success
}

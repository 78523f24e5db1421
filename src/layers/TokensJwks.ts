import { Clock, Effect, Fiber, FiberHandle, Result, type Scope } from "effect"
import { HttpClient } from "effect/http"
import { createLocalJWKSet, errors, type JWTHeaderParameters } from "jose"
import { TokenInvalid, TokensUnavailable } from "../services/Tokens.ts"
import { fetchKeySet } from "./JwksEndpoint.ts"
import type { TokenKeys } from "./TokenKeys.ts"

const minute = 60_000
const refreshEvery = 5 * minute
// Bounds how often tokens with invented key ids can make us ask the issuer.
const cooldown = 30_000
const firstRetryAfter = 1_000
// An issuer that is down for an evening should not sign everybody out; one that is gone for good should.
const trustedFor = 12 * 60 * minute

/**
 * An issuer's published keys (RFC 7517), fetched at start and every five minutes, so that a withdrawn key stops
 * counting whatever the traffic. While the issuer does not answer, the last good set counts on for hours.
 */
export const make: (options: {
  readonly url: URL
  readonly algorithms: ReadonlyArray<string>
}) => Effect.Effect<TokenKeys, never, HttpClient.HttpClient | Scope.Scope> = Effect.fnUntraced(function* ({
  algorithms,
  url
}) {
  const fork = yield* FiberHandle.makeRuntime<HttpClient.HttpClient>()
  let held: { text: string; at: number; find: ReturnType<typeof createLocalJWKSet> } | undefined
  let failure: TokensUnavailable | undefined
  let attemptedAt = Number.NEGATIVE_INFINITY
  let running: Fiber.Fiber<void> | undefined

  const attempt = Effect.gen(function* () {
    const answer = yield* Effect.result(fetchKeySet(url))
    attemptedAt = yield* Clock.currentTimeMillis
    if (Result.isFailure(answer)) {
      failure = answer.failure
      return yield* Effect.logWarning("The issuer's keys could not be fetched", {
        host: url.host,
        reason: failure.reason
      })
    }
    const { keys, text } = answer.success
    failure = undefined
    // The same keys again are the same set: what was verified with them stays verified.
    held = { text, at: attemptedAt, find: held?.text === text ? held.find : createLocalJWKSet({ keys }) }
  })

  // In a fiber of its own: whoever asked first may hang up, the others still wait for the answer.
  const refresh = Effect.suspend(() => {
    if (running !== undefined) return Fiber.await(running)
    const fiber = fork(attempt)
    running = fiber
    fiber.addObserver(() => {
      running = undefined
    })
    return Fiber.await(fiber)
  })

  const inForce = (now: number) => (held !== undefined && now - held.at < trustedFor ? held.find : undefined)

  const lookUp = Effect.fnUntraced(function* (header: JWTHeaderParameters) {
    const from = inForce(yield* Clock.currentTimeMillis)
    if (from === undefined) return yield* failure ?? new TokensUnavailable({ reason: "unreachable" })
    const key = yield* Effect.tryPromise({ try: () => from(header), catch: (error) => error }).pipe(
      Effect.catch((error) =>
        error instanceof errors.JWKSNoMatchingKey
          ? Effect.undefined
          : Effect.fail(new TokenInvalid({ reason: "unknown_key" }))
      )
    )
    return key && { key, from }
  })

  const find = Effect.fnUntraced(function* (header: JWTHeaderParameters) {
    const now = yield* Clock.currentTimeMillis
    if (inForce(now) === undefined && now - attemptedAt >= firstRetryAfter) yield* refresh
    const found = yield* lookUp(header)
    if (found !== undefined) return found
    if ((yield* Clock.currentTimeMillis) - attemptedAt >= cooldown) {
      yield* refresh
      const later = yield* lookUp(header)
      if (later !== undefined) return later
    }
    return yield* failure ?? new TokenInvalid({ reason: "unknown_key" })
  })

  yield* refresh.pipe(
    Effect.andThen(Effect.suspend(() => Effect.sleep(failure === undefined ? refreshEvery : cooldown))),
    Effect.forever,
    Effect.forkScoped
  )

  return { algorithms, inForce, find }
})

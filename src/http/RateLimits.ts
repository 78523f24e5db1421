import { Clock, Context, Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { RateLimited } from "../domain/RateLimited.ts"
import { SharedLimits } from "../services/SharedLimits.ts"
import { rateLimitOf, windowSeconds } from "./AnswerHeaders.ts"
import { CurrentRequest } from "./CurrentRequest.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { Load } from "./Load.ts"
import { TakesFiles } from "./Uploads.ts"

const window = windowSeconds * 1000
const mostCustomers = 100_000
/** Of those that one customer may have at once: an upload may take minutes, and a place of everybody's meanwhile. */
const placesOfUpload = 5

/** Annotates an endpoint that costs money or guards a secret with a tighter limit per customer, true over all replicas. */
export class Guarded extends Context.Service<
  Guarded,
  { readonly name: string; readonly limit: number; readonly seconds: number }
>()("portico/http/Guarded") {}

/**
 * Requests that one customer makes, in windows of a minute (draft-ietf-httpapi-ratelimit-headers), and at once.
 *
 * Counted in this process only, because a count that replicas share would cost each read a write. What guards codes,
 * money and paid look-ups is counted in Postgres: `services/SharedLimits`.
 */
export class RateLimits extends HttpApiMiddleware.Service<RateLimits, { requires: CurrentCustomer }>()(
  "portico/http/RateLimits",
  { error: RateLimited }
) {
  static readonly layer = Layer.effect(
    RateLimits,
    Effect.gen(function* () {
      const { maxInFlightPerCustomer, rateLimit } = yield* HttpSettings
      const load = yield* Load
      const sharedLimits = yield* SharedLimits
      const fields = rateLimitOf(rateLimit)
      const counts = new Map<string, { used: number; until: number; running: number }>()

      const countOf = (key: string, now: number) => {
        const count = counts.get(key)
        if (count !== undefined && count.until > now) return count
        if (counts.size >= mostCustomers) forget(now)
        // What still runs counts on into the next window.
        const next = Object.assign(count ?? { running: 0 }, { used: 0, until: now + window })
        // Taken out first, so that the oldest window always stands first.
        counts.delete(key)
        counts.set(key, next)
        return next
      }

      const forget = (now: number) => {
        for (const [key, { until }] of counts) {
          if (until > now && counts.size < mostCustomers) return
          counts.delete(key)
        }
      }

      return (httpEffect, { endpoint }) => {
        const guard = Context.getOrUndefined(endpoint.annotations, Guarded)
        const places = Context.getOrUndefined(endpoint.annotations, TakesFiles) === undefined ? 1 : placesOfUpload
        return Effect.withFiber(({ context }) => {
          const { customerId, orgId } = Context.getUnsafe(context, CurrentCustomer)
          const request = Context.get(context, CurrentRequest)
          const clock = Context.get(context, Clock.Clock)
          const now = clock.currentTimeMillisUnsafe()
          const count = countOf(`${orgId} ${customerId}`, now)
          const secondsFrom = (now: number) => Math.ceil((count.until - now) / 1000)
          const seconds = secondsFrom(now)
          const tooMany = (until: () => number) => {
            const { headers } = Context.getUnsafe(context, HttpServerRequest.HttpServerRequest)
            load.tooMany(headers["authorization"]!, until)
          }
          if (count.used >= rateLimit) {
            tooMany(() => (count.used < rateLimit ? 0 : Math.max(0, secondsFrom(clock.currentTimeMillisUnsafe()))))
            request.rateLimit = fields(0, seconds)
            return Effect.fail(new RateLimited({ retryAfter: seconds }))
          }
          count.used++
          request.rateLimit = fields(rateLimit - count.used, seconds)
          // Nobody's many requests at once may take the place of everybody else's.
          if (count.running >= maxInFlightPerCustomer) {
            tooMany(() => (count.running >= maxInFlightPerCustomer ? 1 : 0))
            return Effect.fail(new RateLimited({ retryAfter: 1 }))
          }
          count.running += places
          request.ended = () => (count.running -= places)
          return guard === undefined
            ? httpEffect
            : Effect.andThen(sharedLimits.use({ ...guard, orgId, key: customerId }), httpEffect)
        })
      }
    })
  )
}

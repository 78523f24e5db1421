import { Context, Effect, Layer } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Readiness } from "../services/Readiness.ts"
import { countRefused, isProbe } from "./AccessLog.ts"
import { type RequestFacts, requestIdOf } from "./CurrentRequest.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { pathOf, placeOf, shortOf } from "./Paths.ts"
import * as Refusals from "./Refusals.ts"
import * as Turns from "./Turns.ts"

type SentHeaders = Readonly<Record<string, string | undefined>>

const mostRemembered = 1_000
const burst = { times: 4, milliseconds: 200 }
/** Whom so many refusals a second do not slow down is told the rest later: a connection that waits asks for nothing. */
const unheeded = { refusals: 20, milliseconds: 250 }
/** So many are refused at once for each answer, which leaves time for answers; who comes beyond them is told later. */
const refusing = { perAnswer: 2, atMost: 400 }
/** In bytes: what Node.js reads to its end and forgets when a request was answered before. */
const smallBody = 16_384

/**
 * Bounds how many requests a process works on at once.
 *
 * Whoever sends more than can be answered has the rest refused before any work is done for it, so that those which are
 * answered are answered soon: by Little's law, none waits longer than `maxInFlight` takes. Many that come at one moment
 * are no overload: four times as many are let in, unless it has been too many for a while (as CoDel has it, RFC 8289).
 * All but a few wait for their turn before any work is done for them: who is let in is not refused any more.
 */
export class Load extends Context.Service<
  Load,
  {
    /** The answer to a request that is refused before anything else looks at it. */
    readonly refuse: (method: string, url: string, headers: SentHeaders) => Refusals.Refused | undefined
    /** The same of one with a large body, which the HTTP server has to get rid of: at the edge. */
    readonly refuseLarge: (
      request: HttpServerRequest.HttpServerRequest,
      current: RequestFacts,
      place: string
    ) => Refusals.Refused | undefined
    /** Begins with a request that was not refused, now or in a later turn of the event loop. */
    readonly inTurn: (url: string, headers: SentHeaders, run: () => void) => void
    /** Holds one place until an answer has begun: what is streamed from then on has bounds of its own. */
    readonly count: <A, E, R>(
      app: Effect.Effect<A, E, R>,
      request: HttpServerRequest.HttpServerRequest,
      current: RequestFacts
    ) => Effect.Effect<A, E, R>
    /** Gives the place back while a client is waited for. */
    readonly aside: <A, E, R>(
      waiting: Effect.Effect<A, E, R>,
      request: HttpServerRequest.HttpServerRequest
    ) => Effect.Effect<A, E, R>
    /** Whoever sends with this token is to wait for so many seconds, until that is none. */
    readonly tooMany: (authorization: string, seconds: () => number) => void
  }
>()("portico/http/Load") {
  static readonly layer = Layer.effect(
    Load,
    Effect.gen(function* () {
      const settings = yield* HttpSettings
      const readiness = yield* Readiness
      const context = yield* Effect.context<never>()
      const refusedAs = Refusals.make(settings)
      const { maxInFlight, maxInFlightPerCustomer } = settings
      const fewest = Math.min(maxInFlight, maxInFlightPerCustomer)
      const waiting = new Map<string, Told>()
      let fullSince = Infinity
      let toldAt = -Infinity
      let refusals = refusing.atMost

      const { begin, enter, leave, many, manyOf } = Turns.make()

      const isFull = (now: number) =>
        many() >= maxInFlight * burst.times || (many() >= maxInFlight && now - fullSince > burst.milliseconds)

      const watch = () => {
        if (many() < maxInFlight / 2) fullSince = Infinity
        else if (fullSince === Infinity && many() >= maxInFlight) fullSince = performance.now()
      }

      const tell = (now: number) => {
        if (now - toldAt < 1_000) return
        toldAt = now
        Effect.runForkWith(context)(Effect.logWarning("Overloaded: more requests at once than MAX_IN_FLIGHT"))
      }

      const tooMany = (authorization: string, seconds: () => number) => {
        if (waiting.size >= mostRemembered) waiting.clear()
        const { refused = 0, since = performance.now() } = waiting.get(authorization) ?? {}
        const told: Told = { seconds, refused, since }
        waiting.set(authorization, told)
        return told
      }

      const refusalOf = (url: string, { authorization }: SentHeaders): Refusals.Refusal | undefined => {
        if ((many() < fewest && waiting.size === 0) || isProbe(pathOf(url))) return undefined
        const now = performance.now()
        if (isFull(now)) {
          tell(now)
          if (refusals > 0) refusals--
          return { status: 503, retryAfter: 1, after: refusals > 0 ? 0 : unheeded.milliseconds }
        }
        if (authorization === undefined) return undefined
        const isTooMany = manyOf(authorization) >= maxInFlightPerCustomer
        const known = waiting.get(authorization)
        if (known === undefined && !isTooMany) return undefined
        const told = known ?? tooMany(authorization, () => 0)
        if (now - told.since > 1_000) Object.assign(told, { refused: 0, since: now })
        const seconds = told.seconds() || (isTooMany ? 1 : 0)
        if (seconds > 0) {
          const after = ++told.refused > unheeded.refusals ? unheeded.milliseconds : 0
          return { status: 429, retryAfter: seconds, after }
        }
        if (told.refused === 0) waiting.delete(authorization)
        return undefined
      }

      const answered = (...of: Parameters<typeof refusedAs>) => {
        const answer = refusedAs(...of)
        return readiness.closing() ? { ...answer, headers: { ...answer.headers, connection: "close" } } : answer
      }

      return Load.of({
        refuse: (method, url, headers) => {
          const refusal = method === "OPTIONS" || isLarge(headers) ? undefined : refusalOf(url, headers)
          if (refusal === undefined) return undefined
          countRefused(method, refusal.status, context)
          const path = pathOf(shortOf(url))
          const id = requestIdOf(headers["x-request-id"])
          return answered(refusal, { id, path, place: placeOf(path), origin: headers["origin"] })
        },
        refuseLarge: ({ headers }, { id, path }, place) => {
          const refusal = isLarge(headers) ? refusalOf(path, headers) : undefined
          // What is across origins is added to each answer there.
          return refusal && answered(refusal, { id, path, place, origin: undefined })
        },
        inTurn: (url, headers, run) => {
          if (isProbe(pathOf(url))) return run()
          begin(clientOf(headers), run)
          watch()
        },
        count: (app, { headers }, current) =>
          Effect.suspend(() => {
            const client = clientOf(headers)
            enter(client)
            watch()
            return Effect.onExit(app, () => {
              leave(client)
              watch()
              refusals = Math.min(refusals + refusing.perAnswer, refusing.atMost)
              current.ended?.()
              return Effect.void
            })
          }),
        aside: (waiting, { headers }) =>
          Effect.suspend(() => {
            const client = clientOf(headers)
            leave(client)
            watch()
            return Effect.onExit(waiting, () => Effect.sync(() => enter(client)))
          }),
        tooMany
      })
    })
  )
}

const clientOf = (headers: SentHeaders) => headers["authorization"] ?? headers["x-api-key"] ?? ""

/** Also what comes only when we ask for it (RFC 9110, section 10.1.1). */
const isLarge = (headers: SentHeaders) =>
  "transfer-encoding" in headers || "expect" in headers || Number(headers["content-length"] ?? 0) > smallBody

type Told = { readonly seconds: () => number; refused: number; since: number }

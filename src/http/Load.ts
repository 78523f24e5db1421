import { Context, Effect, Layer } from "effect"
import { HttpServerResponse } from "effect/http"
import { Readiness } from "../services/Readiness.ts"
import { countRefused, isProbe } from "./AccessLog.ts"
import { type RequestFacts, requestIdOf } from "./CurrentRequest.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { pathOf, placeOf, shortOf } from "./Paths.ts"
import * as Refusals from "./Refusals.ts"

type SentHeaders = Readonly<Record<string, string | undefined>>

const mostRemembered = 1_000
const burst = { times: 4, milliseconds: 200 }
/** Whom so many refusals a second do not slow down is told the rest later: a connection that waits asks for nothing. */
const unheeded = { refusals: 20, milliseconds: 250 }
const special = ["origin", "content-length", "transfer-encoding"]

/**
 * Bounds how many requests a process works on at once.
 *
 * Whoever sends more than can be answered has the rest refused before any work is done for it, so that those which are
 * answered are answered soon: by Little's law, none waits longer than `maxInFlight` takes. Many that come at one moment
 * are no overload: four times as many are let in, unless it has been too many for a while (as CoDel has it, RFC 8289).
 */
export class Load extends Context.Service<
  Load,
  {
    readonly refusalOf: (url: string, headers: SentHeaders) => Refusals.Refusal | undefined
    readonly answerTo: (
      refusal: Refusals.Refusal,
      request: RequestFacts,
      place: string
    ) => HttpServerResponse.HttpServerResponse
    /**
     * The answer to a request that is refused before anything else looks at it. Not to browsers of other origins, nor to
     * what has a body: the edge knows what these need.
     */
    readonly refuse: (method: string, url: string, headers: SentHeaders) => Refusals.Refused | undefined
    /** Holds one place until an answer has begun: what is streamed from then on has bounds of its own. */
    readonly count: <A, E, R>(app: Effect.Effect<A, E, R>, request: RequestFacts) => Effect.Effect<A, E, R>
    /** Gives the place back while a client is waited for. */
    readonly aside: <A, E, R>(waiting: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
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
      const { maxInFlight } = settings
      const waiting = new Map<string, Told>()
      let running = 0
      let fullSince = Infinity
      let toldAt = -Infinity

      const isFull = (now: number) =>
        running >= maxInFlight * burst.times || (running >= maxInFlight && now - fullSince > burst.milliseconds)

      const enter = () => {
        if (++running === maxInFlight) fullSince = performance.now()
      }

      const leave = () => {
        if (--running < maxInFlight) fullSince = Infinity
      }

      const tell = (now: number) => {
        if (now - toldAt < 1_000) return
        toldAt = now
        Effect.runForkWith(context)(Effect.logWarning("Overloaded: more requests at once than MAX_IN_FLIGHT"))
      }

      const refusalOf = (url: string, { authorization }: SentHeaders): Refusals.Refusal | undefined => {
        if ((running < maxInFlight && waiting.size === 0) || isProbe(pathOf(url))) return undefined
        const now = performance.now()
        if (isFull(now)) {
          tell(now)
          return { status: 503, retryAfter: 1, after: 0 }
        }
        const told = authorization === undefined ? undefined : waiting.get(authorization)
        if (told === undefined) return undefined
        if (now - told.since > 1_000) Object.assign(told, { refused: 0, since: now })
        const seconds = told.seconds()
        if (seconds > 0) {
          const after = ++told.refused > unheeded.refusals ? unheeded.milliseconds : 0
          return { status: 429, retryAfter: seconds, after }
        }
        if (told.refused === 0) waiting.delete(authorization!)
        return undefined
      }

      const answered = (refusal: Refusals.Refusal, request: Pick<RequestFacts, "id" | "path">, place: string) => {
        const answer = refusedAs(refusal, request, place)
        return readiness.closing() ? { ...answer, headers: { ...answer.headers, connection: "close" } } : answer
      }

      return Load.of({
        refusalOf,
        answerTo: (refusal, request, place) => {
          const { body, headers, status } = answered(refusal, request, place)
          return HttpServerResponse.text(body, { status, headers, contentType: "application/problem+json" })
        },
        refuse: (method, url, headers) => {
          if (special.some((name) => name in headers)) return undefined
          const refusal = refusalOf(url, headers)
          if (refusal === undefined) return undefined
          countRefused(method, refusal.status, context)
          const path = pathOf(shortOf(url))
          return answered(refusal, { id: requestIdOf(headers["x-request-id"]), path }, placeOf(path))
        },
        count: (app, request) =>
          Effect.suspend(() => {
            enter()
            return Effect.onExit(app, () => {
              leave()
              request.ended?.()
              return Effect.void
            })
          }),
        aside: (waiting) =>
          Effect.suspend(() => {
            leave()
            return Effect.onExit(waiting, () => Effect.sync(enter))
          }),
        tooMany: (authorization, seconds) => {
          if (waiting.size >= mostRemembered) waiting.clear()
          const { refused = 0, since = performance.now() } = waiting.get(authorization) ?? {}
          waiting.set(authorization, { seconds, refused, since })
        }
      })
    })
  )
}

type Told = { readonly seconds: () => number; refused: number; since: number }

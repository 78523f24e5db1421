import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import type { RequestFacts } from "./CurrentRequest.ts"

const refused = Effect.succeed(HttpServerResponse.empty({ status: 503 }))
const firstRefused = Effect.as(Effect.logWarning("Overloaded: more requests at once than MAX_IN_FLIGHT"), refused)

/**
 * Bounds how many requests a process works on at once.
 *
 * Whoever sends more than can be answered has the rest refused before any work is done for it, so that those which are
 * answered are answered soon: by Little's law, none waits longer than `most` takes.
 */
export const make = (most: number) => {
  let running = 0
  let quietUntil = 0

  return {
    /** What to answer instead, when there is no room. */
    refusal: (): Effect.Effect<HttpServerResponse.HttpServerResponse> | undefined => {
      if (running < most) return undefined
      const now = performance.now()
      if (now < quietUntil) return refused
      quietUntil = now + 1_000
      return Effect.flatten(firstRefused)
    },
    /** Holds one place until an answer has begun: what is streamed from then on has bounds of its own. */
    count: <A, E, R>(app: Effect.Effect<A, E, R>, request: RequestFacts): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        running++
        return Effect.onExit(app, () => {
          running--
          request.ended?.()
          return Effect.void
        })
      })
  }
}

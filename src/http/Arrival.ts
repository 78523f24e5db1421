import { type Context, Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { RequestTimeout } from "./Problems.ts"

const leastPerSecond = 500

/**
 * Waits for a whole body, for so many milliseconds at most. Nobody interrupts the reading itself, which would end the
 * connection and with it the answer; whoever reads the body afterwards has it, or the failure, from memory.
 */
export const arrived = (
  request: HttpServerRequest.HttpServerRequest,
  context: Context.Context<never>,
  patience: number
): Effect.Effect<void, RequestTimeout> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.fail(new RequestTimeout())), patience)
    const reading = Effect.runForkWith(context)(Effect.exit(request.arrayBuffer))
    reading.addObserver(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    return Effect.sync(() => clearTimeout(timer))
  })

/**
 * Makes the streams of one body fail when their sender keeps us waiting for longer than so many milliseconds in all. What
 * comes earns its time back, at a pace that any line has: a large body may take long, but neither stall nor trickle.
 */
export const inTime = (patience: number) => {
  let left = patience
  return <A, E, R>(
    body: Stream.Stream<A, E, R>,
    bytesOf: (piece: A) => number
  ): Stream.Stream<A, E | RequestTimeout, R> =>
    Stream.transformPull(body, (pull) =>
      Effect.succeed(
        Effect.suspend(() => {
          const asked = performance.now()
          return pull.pipe(
            Effect.timeoutOrElse({ duration: left, orElse: () => Effect.fail(new RequestTimeout()) }),
            Effect.map((pieces) => {
              const bytes = pieces.reduce((sum, piece) => sum + bytesOf(piece), 0)
              left = Math.min(patience, left - (performance.now() - asked) + (bytes / leastPerSecond) * 1_000)
              return pieces
            })
          )
        })
      )
    )
}

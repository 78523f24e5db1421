import { Clock, type Duration, Effect, Fiber, Stream } from "effect"

/**
 * Cuts an answer off whose reader does not take what there is for them: what was sent is in their hands and in the
 * socket's buffer, and nothing more is prepared meanwhile.
 */
export const cutWhenStuck = <E, R>(
  answer: Stream.Stream<Uint8Array, E, R>,
  patience: Duration.Input
): Stream.Stream<Uint8Array, E, R> =>
  Stream.transformPull(answer, (pull, scope) =>
    Effect.withFiber((writer) => {
      // The next pull comes when the last piece has gone out.
      let watchdog: Fiber.Fiber<void> | undefined
      const watch = Effect.sync(() => writer.interruptUnsafe()).pipe(
        Effect.delay(patience),
        Effect.forkIn(scope),
        Effect.map((fiber) => {
          watchdog = fiber
        })
      )
      return Effect.succeed(
        Effect.suspend(() => {
          watchdog?.interruptUnsafe()
          watchdog = undefined
          return Effect.tap(pull, () => watch)
        })
      )
    })
  )

/** Whether a moment is over, for who asks often. */
export const isOver = (moment: number | undefined): Effect.Effect<() => boolean> =>
  Clock.clockWith((clock) => Effect.succeed(() => moment !== undefined && clock.currentTimeMillisUnsafe() >= moment))

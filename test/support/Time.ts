import { Clock, Duration, Effect } from "effect"

/** The real clock, ahead by so many milliseconds; sleeping takes as long as ever. */
export const ahead = (real: Clock.Clock, milliseconds: () => number): Clock.Clock => {
  const millis = () => real.currentTimeMillisUnsafe() + milliseconds()
  const nanos = () => real.currentTimeNanosUnsafe() + BigInt(milliseconds()) * 1_000_000n
  const monotonic = () => real.monotonicTimeNanosUnsafe() + BigInt(milliseconds()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => real.sleep(duration)
  }
}

/** Runs an effect as if so much time had gone by. */
export const later =
  (duration: Duration.Input) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const milliseconds = Duration.toMillis(Duration.fromInputUnsafe(duration))
    return Clock.clockWith((real) =>
      Effect.provideService(
        effect,
        Clock.Clock,
        ahead(real, () => milliseconds)
      )
    )
  }

/** How many milliseconds three seconds take on this machine now: a busy one is late for everything alike. */
export const threeSeconds = Effect.map(Effect.timed(Effect.sleep("3 seconds")), ([took]) => Duration.toMillis(took))

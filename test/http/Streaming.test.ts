import { assert, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schedule, Stream } from "effect"
import { cutWhenStuck } from "../../src/http/Streaming.ts"

const pieces = (count: number) => Stream.fromSchedule(Schedule.recurs(count)).pipe(Stream.map(() => new Uint8Array(10)))

it.live("An answer is cut when its reader takes nothing for too long", () =>
  Effect.gen(function* () {
    let taken = 0
    const stuck = cutWhenStuck(pieces(100), "100 millis").pipe(
      Stream.runForEach(() => (++taken < 3 ? Effect.void : Effect.never))
    )
    const exit = yield* Effect.exit(Effect.timeout(stuck, "5 seconds"))
    assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
    assert.strictEqual(taken, 3)
  })
)

it.live("An answer is not cut for a reader who is slow, nor while there is nothing to read", () =>
  Effect.gen(function* () {
    let taken = 0
    const late = Stream.concat(
      pieces(2),
      Stream.fromEffect(Effect.delay(Effect.succeed(new Uint8Array(1)), "300 millis"))
    )
    yield* cutWhenStuck(late, "200 millis").pipe(
      Stream.runForEach(() =>
        Effect.delay(
          Effect.sync(() => taken++),
          "100 millis"
        )
      )
    )
    assert.strictEqual(taken, 3)
  })
)

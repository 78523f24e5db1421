import { Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Readiness } from "../services/Readiness.ts"
import * as Migrations from "./Migrations.ts"

export const layer = Layer.effect(
  Readiness,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    let closing = false
    let asking: Fiber.Fiber<boolean> | undefined

    const ask = Migrations.applied.pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.map((applied) => applied >= Migrations.expected),
      Effect.catchCause(() => Effect.succeed(false)),
      Effect.ensuring(
        Effect.sync(() => {
          asking = undefined
        })
      )
    )
    // A statement that hangs takes its time to be given up: nobody waits for that, and nobody asks a second time meanwhile.
    const migrated = Effect.suspend(() =>
      asking === undefined
        ? Effect.tap(Effect.forkDetach(ask), (fiber) =>
            Effect.sync(() => {
              if (fiber.pollUnsafe() === undefined) asking = fiber
            })
          )
        : Effect.succeed(asking)
    ).pipe(
      Effect.flatMap(Fiber.join),
      Effect.timeoutOrElse({ duration: "2 seconds", orElse: () => Effect.succeed(false) })
    )
    return Readiness.of({
      ready: Effect.suspend(() => (closing ? Effect.succeed(false) : migrated)),
      closing: () => closing,
      close: Effect.sync(() => {
        closing = true
      })
    })
  })
)

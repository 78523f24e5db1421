import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Readiness } from "../services/Readiness.ts"
import * as Migrations from "./Migrations.ts"

export const layer = Layer.effect(
  Readiness,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    let closing = false

    const migrated = Migrations.applied.pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.map((applied) => applied >= Migrations.expected),
      Effect.timeout("2 seconds"),
      Effect.catchCause(() => Effect.succeed(false))
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

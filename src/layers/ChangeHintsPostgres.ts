import { PgClient } from "@effect/sql-pg"
import { Config, Effect, Layer, Schedule, Stream } from "effect"
import { ChangeHints } from "../services/ChangeHints.ts"

/** By NOTIFY, on one connection for the whole process. Where the owner has only one, that is needed for better things. */
export const layer = Layer.effect(
  ChangeHints,
  Effect.gen(function* () {
    const client = yield* PgClient.PgClient
    const connections = yield* Config.Int("DATABASE_OWNER_POOL").pipe(Config.withDefault(5))
    const listened = Stream.unwrap(Effect.map(client.listen("portico_changes"), Stream.fromQueue)).pipe(
      Stream.map(({ payload }) => payload),
      Stream.retry(Schedule.spaced("5 seconds")),
      Stream.orDie
    )
    return ChangeHints.of({ hashes: connections < 2 ? Stream.empty : listened })
  })
)

// Writes to the embedded database in a folder until it is killed, and says which writes were acknowledged.
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { writeSync } from "node:fs"
import * as Embedded from "../../src/layers/Embedded.ts"

const database = Layer.unwrap(
  Effect.map(Embedded.make({ dataDir: process.argv[2]!, durable: true }), ({ connect }) =>
    PgClient.layer({ stream: connect, ssl: false, username: "postgres" })
  )
)

const write = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const id = randomUUID()
  yield* sql.withTransaction(
    Effect.andThen(sql`INSERT INTO halves VALUES (${id}, 1)`, sql`INSERT INTO halves VALUES (${id}, 2)`)
  )
  writeSync(1, `${id}\n`)
})

await Effect.runPromise(
  Effect.all(
    Array.from({ length: 8 }, () => Effect.forever(write)),
    { concurrency: "unbounded" }
  ).pipe(Effect.provide(database))
)

// Delivers what is due until it is killed, to a file that stands for everybody's mailbox.
// deliveryWorker.ts <mailbox> <database: a URL, or a folder for an embedded one> [how many messages to record itself]
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomInt } from "node:crypto"
import { appendFileSync, writeSync } from "node:fs"
import * as Postgres from "../../src/layers/Postgres.ts"
import * as PushOff from "../../src/layers/PushOff.ts"
import * as SmsOff from "../../src/layers/SmsOff.ts"
import { Codes } from "../../src/services/Codes.ts"
import { Deliveries } from "../../src/services/Deliveries.ts"
import { DeliveryQueue } from "../../src/services/DeliveryQueue.ts"
import { DeliveryWorkers } from "../../src/services/DeliveryWorkers.ts"
import { Mail } from "../../src/services/Mail.ts"
import { NotSent } from "../../src/services/NotSent.ts"
import { PushTargets } from "../../src/services/PushTargets.ts"
import { recordSome } from "./DeliveryLoad.ts"

const [, , mailbox, database, own = "0"] = process.argv as [string, string, string, string, string?]

/** Takes a while, before and after it has happened, and now and then does not. */
const mail = Layer.succeed(Mail, {
  configured: true,
  send: ({ id }) =>
    Effect.gen(function* () {
      yield* Effect.sleep(randomInt(5, 30))
      if (randomInt(20) === 0) return yield* new NotSent({ reason: "unavailable", detail: "451" })
      appendFileSync(mailbox, `${id}\n`)
      yield* Effect.sleep(randomInt(1, 10))
    })
})

const queue = DeliveryQueue.layerWith({
  lockExpiration: "3 seconds",
  lockRefreshInterval: "500 millis",
  pollInterval: "100 millis"
})
const engine = Layer.merge(Deliveries.layer, DeliveryWorkers.layerWith({ workers: 8, lease: "2 seconds" })).pipe(
  Layer.provide(queue),
  Layer.provide([mail, SmsOff.layer, PushOff.layer, PushTargets.layer, Codes.layerWith(Redacted.make("secret"))]),
  Layer.provideMerge(
    Postgres.layerFrom<unknown>(
      database.startsWith("postgres:")
        ? Postgres.server(Redacted.make(database))
        : Postgres.embedded({ dataDir: database, durable: true })
    )
  )
)

await Effect.runPromise(
  Effect.gen(function* () {
    const context = yield* Layer.build(engine)
    writeSync(1, "working\n")
    yield* recordSome(Number(own), (id) => writeSync(1, `recorded ${id}\n`)).pipe(Effect.provideContext(context))
    const sql = Context.get(context, SqlClient.SqlClient)
    const left = sql<{ readonly left: number }>`
      SELECT count(*)::int AS left FROM deliveries WHERE state = 'queued'`
    yield* Effect.repeat(Effect.delay(left, "200 millis"), { until: ([row]) => row!.left === 0 })
    const rows = yield* sql`SELECT id, state, attempts, finished FROM deliveries`
    writeSync(1, `ledger ${JSON.stringify(rows)}\n`)
    yield* Effect.never
  }).pipe(Effect.scoped)
)

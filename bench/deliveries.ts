// node run.mjs bench/deliveries.ts: how many messages a second the delivery engine records and sends, through channels
// that take no time, in one process on the embedded database and on a server.
//
// BENCH_DATABASE_URL  a Postgres server whose user may create databases (postgres://postgres@127.0.0.1:5432/postgres)
// BENCH_MESSAGES      how many messages (4000)
import { PgClient } from "@effect/sql-pg"
import { Console, Deferred, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { CurrentPlatform } from "../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../src/domain/Ids.ts"
import * as Postgres from "../src/layers/Postgres.ts"
import * as PushOff from "../src/layers/PushOff.ts"
import * as SmsOff from "../src/layers/SmsOff.ts"
import { Codes } from "../src/services/Codes.ts"
import { PlatformSql } from "../src/services/Database.ts"
import { Deliveries, type NewDelivery } from "../src/services/Deliveries.ts"
import { DeliveryQueue } from "../src/services/DeliveryQueue.ts"
import { DeliveryWorkers } from "../src/services/DeliveryWorkers.ts"
import { Mail } from "../src/services/Mail.ts"
import { PushTargets } from "../src/services/PushTargets.ts"

const { env } = process
const serverUrl = env["BENCH_DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres"
const messages = Number(env["BENCH_MESSAGES"] ?? 4000)

const orgId = OrgId.make("bench")
const customerId = CustomerId.make("ada")
const message: NewDelivery = {
  customerId,
  notificationId: "bench",
  message: { channel: "email", to: "ada@example.com", language: "en", subject: "Hello", text: "Hello", html: "Hello" }
}

/** Seconds that an effect takes. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const started = performance.now()
    return Effect.map(effect, () => (performance.now() - started) / 1000)
  })

const perSecond = (seconds: number) => `${Math.round(messages / seconds)}/s`

const measure = (name: string, database: ReturnType<typeof Postgres.layerFrom<unknown>>) =>
  Effect.gen(function* () {
    const sent = yield* Deferred.make<void>()
    const waited: Array<number> = []
    const since = new Map<string, number>()
    let count = 0
    const mail = Layer.succeed(Mail, {
      configured: true,
      send: ({ id }) =>
        Effect.suspend(() => {
          const at = since.get(id)
          if (at !== undefined) waited.push(performance.now() - at)
          return ++count === messages ? Effect.asVoid(Deferred.succeed(sent, undefined)) : Effect.void
        })
    })
    const channels = Layer.mergeAll(
      mail,
      SmsOff.layer,
      PushOff.layer,
      PushTargets.layer,
      Codes.layerWith(Redacted.make("bench"))
    )
    const base = Deliveries.layer.pipe(
      Layer.provideMerge(DeliveryQueue.layer),
      Layer.provideMerge(channels),
      Layer.provideMerge(database)
    )
    const context = yield* Layer.build(base)

    yield* Effect.gen(function* () {
      const sql = yield* PlatformSql
      const owner = yield* SqlClient.SqlClient
      const deliveries = yield* Deliveries
      const record = (many: number) =>
        sql.withTransaction(deliveries.record(Array.from({ length: many }, () => message)))
      yield* owner`INSERT INTO orgs (id, name) VALUES (${orgId}, 'Bench')`
      yield* sql`INSERT INTO customers (org_id, id) VALUES (${orgId}, ${customerId})`

      const single = yield* timed(
        Effect.forEach(Array.from({ length: messages / 2 }), () => record(1), { concurrency: 8, discard: true })
      )
      const batched = yield* timed(
        Effect.forEach(Array.from({ length: messages / 200 }), () => record(100), { concurrency: 2, discard: true })
      )
      const working = yield* timed(
        Effect.andThen(Layer.build(DeliveryWorkers.layer), Deferred.await(sent)).pipe(Effect.andThen(drained(owner)))
      )
      count = 0
      const one = Effect.map(record(1), ([id]) => void since.set(id!, performance.now()))
      yield* Effect.forEach(Array.from({ length: 200 }), () => Effect.delay(one, "5 millis"), { discard: true })
      yield* drained(owner)
      waited.sort((a, b) => a - b)
      const at = (share: number) => `${waited[Math.floor(waited.length * share)]?.toFixed(1)} ms`
      yield* Console.log(
        `${name}: recorded ${perSecond(single * 2)} one by one, ${perSecond(batched * 2)} by the hundred; ` +
          `sent ${perSecond(working)}; from commit to channel p50 ${at(0.5)}, p99 ${at(0.99)}`
      )
    }).pipe(Effect.provideContext(context), Effect.provideService(CurrentPlatform, { orgId }))
  }).pipe(Effect.scoped)

const drained = (sql: SqlClient.SqlClient) =>
  Effect.repeat(sql`SELECT 1 FROM deliveries WHERE state = 'queued' LIMIT 1`, { until: (rows) => rows.length === 0 })

const onServer = Effect.gen(function* () {
  const name = `portico_bench_${process.pid}`
  const admin = (statement: string) =>
    SqlClient.SqlClient.use((sql) => sql.unsafe(statement)).pipe(
      Effect.provide(PgClient.layer({ url: Redacted.make(serverUrl) })),
      Effect.orDie
    )
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  yield* Effect.acquireRelease(admin(`CREATE DATABASE ${name}`), () => admin(`DROP DATABASE ${name} WITH (FORCE)`))
  yield* measure("server", Postgres.layerFrom<unknown>(Postgres.server(Redacted.make(url))))
})

const embedded = Effect.gen(function* () {
  const dataDir = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(path.join(tmpdir(), "portico-bench-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
  yield* measure("embedded", Postgres.layerFrom<unknown>(Postgres.embedded({ dataDir, durable: true })))
})

await Effect.runPromise(Effect.scoped(Effect.andThen(embedded, onServer)))

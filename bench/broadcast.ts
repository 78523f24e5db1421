import { Context, Effect, Layer, Redacted, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { OrgId } from "../src/domain/Ids.ts"
import { CurrentPlatform } from "../src/domain/CurrentPlatform.ts"
import * as Postgres from "../src/layers/Postgres.ts"
import { Broadcasts } from "../src/services/Broadcasts.ts"
import { Deliveries } from "../src/services/Deliveries.ts"

/**
 * How long it takes to tell so many customers of a new org, and what it takes meanwhile. Without `DATABASE_URL` on an
 * embedded database in memory. Deliveries are made by others, so here they are only counted.
 *
 *     DATABASE_URL=postgres://... node run.mjs bench/broadcast.ts 100000
 */
const size = Number(process.argv[2] ?? 100_000)
const url = process.env["DATABASE_URL"]
const orgId = OrgId.make(`bench-${Date.now()}`)

const database: Effect.Effect<Postgres.Database, never, Scope.Scope> = Effect.orDie<
  Postgres.Database,
  unknown,
  Scope.Scope
>(url === undefined ? Postgres.embedded({}) : Postgres.server(Redacted.make(url)))

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(2)
const megabytes = () => Math.round(process.memoryUsage().rss / 2 ** 20)

const program = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const broadcasts = yield* Broadcasts
  yield* sql`INSERT INTO orgs (id, name) VALUES (${orgId}, 'Bench')`
  yield* sql`
    INSERT INTO customers (org_id, id, email)
    SELECT ${orgId}, 'c-' || lpad(n::text, 7, '0'), 'c' || n || '@example.com' FROM generate_series(1, ${size}) AS n`
  const asPlatform = Effect.provideService(CurrentPlatform, { orgId })

  const before = megabytes()
  const started = performance.now()
  const { id } = yield* broadcasts
    .accept({ customerIds: "all", type: "order", title: "News", body: "Something new." })
    .pipe(asPlatform)
  console.log(`accepted after ${seconds(started)} s`)

  let [most, slowest, batches] = [before, 0, 0]
  for (let told = 1; told > 0; batches++) {
    const at = performance.now()
    told = yield* broadcasts.tellNext
    slowest = Math.max(slowest, performance.now() - at)
    most = Math.max(most, megabytes())
  }
  console.log(
    `${size} customers told after ${seconds(started)} s, in ${batches} steps of at most ${Math.round(slowest)} ms`
  )
  console.log(`resident memory: ${before} MB before, at most ${most} MB`)

  const reading = performance.now()
  const { counts, customers } = yield* broadcasts.find(id, {}).pipe(asPlatform)
  console.log(`report after ${seconds(reading)} s:`, customers, counts)
})

const deliveries = Layer.succeed(
  Deliveries,
  Deliveries.of({ record: (recorded) => Effect.succeed(recorded.map(() => "id")) })
)

await Effect.runPromise(
  Effect.gen(function* () {
    const services = yield* Layer.build(
      Broadcasts.layer.pipe(Layer.provide(deliveries), Layer.provideMerge(Postgres.layerFrom(database)))
    )
    yield* Effect.provideContext(program, services as Context.Context<SqlClient.SqlClient | Broadcasts>)
  }).pipe(Effect.scoped, Effect.provideService(Scope.Scope, Scope.makeUnsafe()))
)
process.exit(0)

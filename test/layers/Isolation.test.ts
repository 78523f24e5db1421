import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Option, Stream } from "effect"
import type { SqlClient } from "effect/sql"
import type { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { as, isOf, ledger, open, person, type Person } from "../support/Ledger.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

/** Does what applications do, in random order, and says how often it saw a row of somebody else. */
const storm = (sql: SqlClient.SqlClient, me: Person, seed: number) =>
  Effect.gen(function* () {
    let state = seed
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    let wrong = 0
    let written = 0
    const look = (rows: ReadonlyArray<{ readonly orgId?: unknown; readonly customerId?: unknown }>, count?: number) => {
      wrong += rows.filter((row) => !isOf(me, row)).length
      if (count !== undefined && rows.length !== count) wrong++
    }
    const read = sql`SELECT org_id, customer_id FROM ledger`
    const write = sql`UPDATE ledger SET n = n + 1 RETURNING org_id, customer_id`
    const broken = sql`SELECT 1 / (line - line) FROM ledger`
    const swallowed = Effect.exit(broken)
    const wide = sql`SELECT org_id, customer_id FROM ledger, generate_series(1, 80)`

    const doings: ReadonlyArray<Effect.Effect<unknown, unknown, CurrentCustomer>> = [
      Effect.map(read, (rows) => look(rows, 5)),
      Effect.map(read.unprepared, (rows) => look(rows, 5)),
      Effect.map(read.values, (rows) =>
        look(
          rows.map(([orgId, customerId]) => ({ orgId, customerId })),
          5
        )
      ),
      Effect.map(write, (rows) => (look(rows, 5), written++)),
      swallowed,
      sql
        .withTransaction(
          Effect.gen(function* () {
            yield* Effect.exit(sql.withTransaction(Effect.andThen(write, broken)))
            yield* Effect.exit(sql.withTransaction(Effect.andThen(write, Effect.fail("no"))))
            look(yield* write, 5)
            look(yield* read, 5)
          })
        )
        .pipe(Effect.map(() => written++)),
      Effect.exit(sql.withTransaction(Effect.andThen(write, Effect.fail("no")))),
      Effect.exit(sql.withTransaction(Effect.andThen(write, broken))),
      Effect.exit(sql.withTransaction(Effect.andThen(write, swallowed))),
      sql.withTransaction(
        Effect.gen(function* () {
          look(yield* read, 5)
          const hers = yield* read.pipe(as(person(me.orgId, "nobody")))
          wrong += hers.length
          look(yield* read, 5)
        })
      ),
      Effect.map(Stream.runCollect(wide.stream), (rows) => look(rows, 400)),
      Effect.map(Stream.runCollect(Stream.take(wide.stream, 7)), (rows) => look(rows, 7)),
      Effect.suspend(() =>
        Effect.map(
          Effect.timeoutOption(wide, random(4)),
          Option.map((rows) => look(rows))
        )
      ),
      Effect.suspend(() =>
        Effect.timeoutOption(sql.withTransaction(Effect.andThen(wide, Effect.andThen(write, Effect.never))), random(9))
      ),
      Effect.map(
        Effect.exit(sql`INSERT INTO ledger ${sql.insert({ ...me, customerId: "stranger", line: 1 })}`),
        (exit) => (wrong += Exit.isSuccess(exit) ? 1 : 0)
      )
    ]
    for (let n = 0; n < 40; n++) yield* doings[random(doings.length)]!
    return { wrong, written }
  }).pipe(as(me))

layer(TestDatabase.layer, { excludeTestServices: true })("A customer's SQL client", (it) => {
  for (const config of [
    { multiplex: false, maxConnections: 10 },
    { multiplex: true, maxConnections: 4 }
  ]) {
    it.effect(`keeps 50 customers apart on ${config.multiplex ? "shared" : "exclusive"} connections`, () =>
      Effect.gen(function* () {
        const people = Array.from({ length: 50 }, (_, n) => person(`org-${n % 5}`, `customer-${Math.floor(n / 5)}`))
        const owner = yield* ledger(people)
        const sql = yield* open(config)

        const seen = yield* Effect.forEach(people, (me, n) => storm(sql, me, n + 1), { concurrency: "unbounded" })

        assert.strictEqual(
          seen.reduce((sum, { wrong }) => sum + wrong, 0),
          0
        )
        const rows = yield* owner`
          SELECT org_id, customer_id, min(n) AS n, max(n) - min(n) AS apart FROM ledger GROUP BY org_id, customer_id`
        assert.strictEqual(rows.length, 50)
        for (const [n, me] of people.entries()) {
          assert.deepInclude(
            rows.find((row) => isOf(me, row))!,
            { n: seen[n]!.written, apart: 0 }
          )
        }
        const busy = yield* owner`SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND usename = 'portico_customer' AND state <> 'idle'`
        assert.strictEqual(busy.length, 0)
      })
    )
  }
})

import { PgConnection } from "@effect/sql-pg"
import { layer } from "@effect/vitest"
import { Context, Effect, Fiber, Redacted, Schedule, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { isDeepStrictEqual } from "node:util"
import { assert, describe } from "vitest"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as PostgresRoles from "../../src/layers/PostgresRoles.ts"
import { CustomerSql, PlatformSql, transaction } from "../../src/services/Database.ts"
import { Cluster } from "../support/Cluster.ts"
import * as Pooler from "../support/PgBouncer.ts"
import { asAda, failureOf, superuser, up } from "../support/Replicas.ts"
import * as TestServer from "../support/TestServer.ts"

type Me = CurrentCustomer["Service"]

const rounds = 60
const people = ["acme", "other"].flatMap((org) =>
  ["ada", "eve", "kim", "lee"].map((id) => ({ orgId: OrgId.make(org), customerId: CustomerId.make(id) }))
)

const three = Effect.fnUntraced(function* (name: string) {
  const url = yield* (yield* Pooler.PgBouncer).database(name)
  const contexts = yield* Effect.forEach([url, url, url], up)
  yield* Context.get(contexts[0]!, SqlClient.SqlClient)`INSERT INTO orgs (id, name) VALUES ('acme', ''), ('other', '')`
  for (const { customerId, orgId } of people) {
    const sql = Context.get(contexts[0]!, PlatformSql)
    yield* sql`INSERT INTO customers ${sql.insert({ orgId, id: customerId })}`.pipe(
      Effect.provideService(CurrentPlatform, { orgId })
    )
  }
  return { contexts, url }
})

/** A connection of a customer's role as it comes out of the pooler, for whom nobody sets a tenant. */
const bare = (url: string) =>
  PgConnection.make({
    url: Redacted.make(url),
    username: PostgresRoles.customer,
    password: PostgresRoles.passwordOf(PostgresRoles.customer, Redacted.make(decodeURIComponent(new URL(url).password)))
  })

if (Pooler.missing !== undefined) console.warn(`layers/Pooler.test.ts is skipped: ${Pooler.missing}`)

describe.skipIf(Pooler.missing !== undefined)("Behind a pooler in transaction mode", () => {
  layer(Pooler.layer, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect(
      "a statement without a WHERE meets its own tenant's rows only, however many share the connections",
      () =>
        Effect.gen(function* () {
          const pooler = yield* Pooler.PgBouncer
          const { contexts, url } = yield* three("shared")
          const seen = { own: 0, foreign: [] as Array<unknown> }
          const judge = (expected: ReadonlyArray<Me>, rows: ReadonlyArray<unknown>) => {
            const names = expected.map(({ customerId, orgId }) => ({ orgId, id: customerId }))
            if (isDeepStrictEqual(rows, names)) seen.own++
            else seen.foreign.push({ expected, rows })
          }
          const lane = (context: (typeof contexts)[number], me: Me) => {
            const sql = Context.get(context, CustomerSql)
            const platform = Context.get(context, PlatformSql)
            const ofOrg = people.filter(({ orgId }) => orgId === me.orgId)
            const own = `${me.orgId} ${me.customerId}`
            const read = sql`SELECT org_id, id FROM customers`
            const failing = Effect.ignore(sql`SELECT 1 / (SELECT 0 FROM customers)`)
            const write = sql`UPDATE customers SET about = ${own} RETURNING org_id, id`
            const both = Effect.andThen(write, Effect.yieldNow).pipe(Effect.andThen(read), transaction(sql))
            const undone = sql.withTransaction(Effect.andThen(write, failing)).pipe(Effect.ignore)
            const all = platform`SELECT org_id, id FROM customers ORDER BY id`.pipe(
              Effect.provideService(CurrentPlatform, me)
            )
            const round = Effect.gen(function* () {
              judge([me], yield* read)
              judge([me], yield* Effect.andThen(failing, read))
              judge([me], yield* both)
              judge([me], yield* Effect.andThen(undone, write))
              judge([me], yield* Stream.runCollect(read.stream))
              judge(ofOrg, yield* all)
            })
            return Effect.repeat(round, { times: rounds - 1 }).pipe(Effect.provideService(CurrentCustomer, me))
          }
          const spied: Array<unknown> = []
          const spy = yield* bare(url)
          const most = { connections: 0 }
          const watch = Effect.gen(function* () {
            spied.push(...(yield* spy.query("SELECT id FROM customers")).rows)
            most.connections = Math.max(most.connections, yield* pooler.connections("shared"))
          }).pipe(Effect.andThen(Effect.sleep("5 millis")), Effect.forever)
          yield* Effect.raceFirst(
            Effect.forEach(
              contexts.flatMap((context) => people.map((me) => lane(context, me))),
              (one) => one,
              { concurrency: "unbounded", discard: true }
            ),
            watch
          )

          assert.deepEqual(seen.foreign.slice(0, 3), [])
          assert.strictEqual(seen.own, 3 * people.length * 6 * rounds)
          assert.deepEqual(spied, [])
          const { url: at } = yield* Cluster
          const texts = yield* TestServer.run(at("shared"), "SELECT org_id || ' ' || id AS own, about FROM customers")
          assert.deepEqual(
            texts.map(({ about }) => about),
            texts.map(({ own }) => own)
          )
          assert.isAtMost(most.connections, 13)
          process.stdout.write(
            `${seen.own} statements of ${people.length} tenants over ${most.connections} connections\n`
          )
        }),
      120_000
    )

    it.effect(
      "a role's limit on statements holds for each of them, and what a stream has instead stays with the stream",
      () =>
        Effect.gen(function* () {
          const pooler = yield* Pooler.PgBouncer
          const { url } = yield* three("limited")
          yield* Pooler.limited
          yield* Effect.promise(() => pooler.kill())
          yield* Effect.promise(() => pooler.up())
          const fresh = yield* Effect.forEach([url, url], up)
          const sql = Context.get(fresh[0]!, CustomerSql)
          const limit = sql<{ readonly limit: string }>`SELECT current_setting('statement_timeout') AS limit`
          const limits = { stream: new Set<string>(), statement: new Set<string>() }
          yield* Effect.forEach(
            Array.from({ length: 200 }),
            Effect.fnUntraced(function* () {
              const [ofStream] = yield* Stream.runCollect(limit.stream)
              limits.stream.add(ofStream!.limit)
              const [ofStatement] = yield* limit
              limits.statement.add(ofStatement!.limit)
            }),
            { concurrency: 20 }
          ).pipe(asAda)
          const spied = yield* (yield* bare(url)).query("SHOW statement_timeout")
          const slow = yield* Effect.flip(sql`SELECT pg_sleep(20)`).pipe(asAda)

          assert.deepEqual([[...limits.stream], [...limits.statement]], [["5min"], ["8s"]])
          assert.deepEqual(spied.rows, [{ statement_timeout: "8s" }])
          assert.strictEqual(slow.reason._tag, "StatementTimeoutError")
        }),
      60_000
    )

    it.effect(
      "whoever waits too long for a connection is told that it may pass, and the next is served",
      () =>
        Effect.gen(function* () {
          const pooler = yield* Pooler.PgBouncer
          const { contexts } = yield* three("waiting")
          yield* Effect.promise(() => pooler.kill())
          yield* Effect.promise(() => pooler.up({ query_wait_timeout: 1 }))
          const [busy, idle] = contexts.map((context) => Context.get(context, CustomerSql))
          const read = idle!`SELECT id FROM customers`
          yield* Effect.retry(read, { times: 20, schedule: Schedule.spaced("100 millis") }).pipe(asAda)
          const held = yield* Effect.forEach([1, 2, 3, 4], () => busy!.withTransaction(busy!`SELECT pg_sleep(4)`), {
            concurrency: "unbounded"
          }).pipe(asAda, Effect.forkScoped)
          yield* Effect.sleep("500 millis")

          const refused = yield* Effect.flip(read).pipe(asAda)
          yield* Fiber.join(held)

          assert.strictEqual(refused.reason._tag, "ConnectionError")
          assert.deepEqual(yield* read.pipe(asAda), [{ id: "ada" }])
          yield* Effect.promise(() => pooler.kill())
          yield* Effect.promise(() => pooler.up())
        }),
      60_000
    )

    it.effect(
      "a password that the role does not have is set again, and a wrong one of the owner's lets nobody in",
      () =>
        Effect.gen(function* () {
          const { url } = yield* three("forgotten")
          yield* superuser("ALTER ROLE portico_customer PASSWORD 'forgotten'")
          assert.match(yield* failureOf(bare(url)), /authentication failed/)

          const context = yield* up(url)

          assert.deepEqual(yield* Context.get(context, CustomerSql)`SELECT id FROM customers`.pipe(asAda), [
            { id: "ada" }
          ])
          const wrong = new URL(url)
          wrong.password = "wrong"
          assert.match(yield* failureOf(up(wrong.href)), /authentication failed/)
        })
    )
  })
})

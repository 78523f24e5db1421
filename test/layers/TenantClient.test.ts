import { PgClient, PgConnection, PgTypes } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Option, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlError } from "effect/sql"
import type { Duplex } from "node:stream"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as Postgres from "../../src/layers/Postgres.ts"
import * as PostgresRoles from "../../src/layers/PostgresRoles.ts"
import * as PostgresUrl from "../../src/layers/PostgresUrl.ts"
import * as TenantClient from "../../src/layers/TenantClient.ts"
import { tenantWire } from "../../src/layers/TenantWire.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

interface Person {
  readonly orgId: OrgId
  readonly customerId: CustomerId
}
const person = (org: string, customer: string): Person => ({
  orgId: OrgId.make(org),
  customerId: CustomerId.make(customer)
})
const as = (someone: Person) => Effect.provideService(CurrentCustomer, someone)
const ada = person("acme", "ada")
const eve = person("acme", "eve")
/** The same customer id in another org. */
const otherAda = person("other", "ada")

/** Five rows for each; in SQL no statement below has a WHERE. */
const ledger = (people: ReadonlyArray<Person>) =>
  Effect.gen(function* () {
    const owner = yield* SqlClient.SqlClient
    yield* Effect.acquireRelease(
      owner`CREATE TABLE ledger (org_id text, customer_id text, line integer, n integer, extra jsonb,
        PRIMARY KEY (org_id, customer_id, line))`,
      () => Effect.orDie(owner`DROP TABLE ledger`)
    )
    yield* owner`INSERT INTO ledger SELECT person ->> 'orgId', person ->> 'customerId', line, 0, '{"inner_name": 1}'
      FROM jsonb_array_elements(${JSON.stringify(people)}::jsonb) AS person, generate_series(1, 5) AS line`
    yield* owner`ALTER TABLE ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* owner`CREATE POLICY customer ON ledger TO portico_customer
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
      WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
    yield* owner`GRANT SELECT, INSERT, UPDATE, DELETE ON ledger TO portico_customer`
    return owner
  })

const login = Effect.gen(function* () {
  const { stream, url } = (yield* PgClient.PgClient).config
  const password = url && (yield* PostgresUrl.parse(url)).password
  return {
    ssl: false,
    stream: stream!,
    username: PostgresRoles.customer,
    password: password && PostgresRoles.passwordOf(PostgresRoles.customer, password),
    ...(url && { url })
  }
})

const connect = Effect.flatMap(login, (config) =>
  PgConnection.make({ ...config, stream: () => tenantWire(config.stream()) })
)

const open = (config: {
  readonly multiplex: boolean
  readonly maxConnections: number
  readonly stream?: () => Duplex
}) =>
  Effect.flatMap(login, (own) =>
    TenantClient.make({ ...own, driver: "pg", tenantOf: Postgres.customerOf, ...config })
  ).pipe(Effect.provide(Reactivity.layer))

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
      Effect.map(read.values, (rows) => look(rows.map(([orgId, customerId]) => ({ orgId, customerId })), 5)),
      Effect.map(write, (rows) => (look(rows, 5), written++)),
      swallowed,
      sql.withTransaction(
        Effect.gen(function* () {
          yield* Effect.exit(sql.withTransaction(Effect.andThen(write, broken)))
          yield* Effect.exit(sql.withTransaction(Effect.andThen(write, Effect.fail("no"))))
          look(yield* write, 5)
          look(yield* read, 5)
        })
      ).pipe(Effect.map(() => written++)),
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
      Effect.suspend(() => Effect.map(Effect.timeoutOption(wide, random(4)), Option.map((rows) => look(rows)))),
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

const isOf = (me: Person, row: { readonly orgId?: unknown; readonly customerId?: unknown }) =>
  row.orgId === me.orgId && row.customerId === me.customerId

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
          assert.deepInclude(rows.find((row) => isOf(me, row))!, { n: seen[n]!.written, apart: 0 })
        }
        const busy = yield* owner`SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND usename = 'portico_customer' AND state <> 'idle'`
        assert.strictEqual(busy.length, 0)
      })
    )
  }

  it.effect("asks the server once for a simple read", () =>
    Effect.gen(function* () {
      yield* ledger([ada])
      const { stream } = (yield* PgClient.PgClient).config
      const writes: Array<Uint8Array> = []
      const sql = yield* open({
        multiplex: true,
        maxConnections: 1,
        stream: () => {
          const socket = stream!()
          const write = socket.write.bind(socket) as (chunk: Uint8Array) => boolean
          socket.write = ((chunk: Uint8Array) => (writes.push(chunk), write(chunk))) as typeof socket.write
          return socket
        }
      })
      const read = sql`SELECT * FROM ledger`.pipe(as(ada))
      yield* read

      writes.length = 0
      const rows = yield* read

      assert.strictEqual(rows.length, 5)
      assert.strictEqual(writes.length, 1)
      assert.strictEqual(messagesIn(writes[0]!), "BE" + "BES")
    })
  )

  it.effect("leaves no customer behind on the connection", () =>
    Effect.gen(function* () {
      yield* ledger([ada])
      const raw = yield* connect
      const tenant = [PgTypes.text(ada.orgId), PgTypes.text(ada.customerId)]
      const count = (params: ReadonlyArray<unknown>) =>
        Effect.map(raw.query("SELECT 1 FROM ledger", params), ({ rows }) => rows.length)

      assert.strictEqual(yield* count(tenant), 5)
      assert.strictEqual(yield* count([]), 0)
      yield* raw.query("BEGIN")
      assert.strictEqual(yield* count(tenant), 5)
      yield* raw.query("COMMIT")
      assert.strictEqual(yield* count([]), 0)
    })
  )

  it.effect("dies without a customer, before anything is sent", () =>
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const statement = sql`SELECT 1`

      for (const attempt of [statement, statement.raw, statement.values, Stream.runDrain(statement.stream)]) {
        const exit = yield* Effect.exit(attempt as Effect.Effect<unknown>)
        assert.isTrue(Exit.hasDies(exit))
      }
      assert.isTrue(Exit.hasDies(yield* Effect.exit(sql.withTransaction(statement))))
    })
  )

  it.effect("speaks camelCase about columns and leaves JSON alone", () =>
    Effect.gen(function* () {
      yield* ledger([ada])
      const sql = yield* CustomerSql

      yield* sql`UPDATE ledger SET ${sql.update({ extra: JSON.stringify({ camelCase: 1, snake_case: 2 }) })}`.pipe(as(ada))
      const [row] = yield* sql`SELECT customer_id, extra FROM ledger LIMIT 1`.pipe(as(ada))

      assert.deepEqual(row, { customerId: "ada", extra: { camelCase: 1, snake_case: 2 } })
    })
  )

  it.effect("cannot hand a row over to somebody else, nor take one", () =>
    Effect.gen(function* () {
      const owner = yield* ledger([ada, eve, otherAda])
      const sql = yield* CustomerSql
      const refused = (statement: Effect.Effect<unknown, SqlError.SqlError>) =>
        Effect.map(Effect.flip(statement), ({ reason }) => assert.strictEqual(reason._tag, "AuthorizationError"))

      yield* refused(sql`INSERT INTO ledger ${sql.insert({ ...eve, line: 6 })}`.pipe(as(ada)))
      yield* refused(sql`UPDATE ledger SET ${sql.update({ orgId: "other" })}`.pipe(as(ada)))
      const taken = yield* sql`UPDATE ledger SET n = 7 WHERE org_id = 'other' RETURNING n`.pipe(as(ada))
      const removed = yield* sql`DELETE FROM ledger RETURNING org_id, customer_id`.pipe(as(eve))

      assert.strictEqual(taken.length, 0)
      assert.isTrue(removed.length === 5 && removed.every((row) => isOf(eve, row)))
      assert.deepEqual(yield* owner`SELECT count(*)::int AS left, sum(n)::int AS n FROM ledger`, [{ left: 10, n: 0 }])
    })
  )

  it.effect("is not fooled by what a customer is called", () =>
    Effect.gen(function* () {
      const names = ["-", "*", "a'b", 'a"b', "a\\b", "$1", "ä€😀", "x".repeat(128)]
      const people = names.map((name) => ({ ...ada, customerId: name as CustomerId }))
      yield* ledger(people)
      const sql = yield* CustomerSql

      for (const someone of people) {
        const rows = yield* sql`SELECT org_id, customer_id FROM ledger`.pipe(as(someone))
        assert.isTrue(rows.length === 5 && rows.every((row) => isOf(someone, row)))
      }
    })
  )
})

const messagesIn = (chunk: Uint8Array) => {
  const bytes = Buffer.from(chunk)
  const types: Array<string> = []
  for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) types.push(String.fromCharCode(bytes[at]!))
  return types.join("")
}

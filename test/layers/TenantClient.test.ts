import { PgClient, PgTypes } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import type { SqlError } from "effect/sql"
import type { CustomerId } from "../../src/domain/Ids.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { ada, as, connect, eve, isOf, ledger, open, otherAda } from "../support/Ledger.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

layer(TestDatabase.layer, { excludeTestServices: true })("A customer's SQL client", (it) => {
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

  it.effect("lets a stream take longer than other statements, in a transaction as well, and nothing after it", () =>
    Effect.gen(function* () {
      const sql = yield* open({ multiplex: true, maxConnections: 1 })
      const limit = sql<{ readonly limit: string }>`SELECT current_setting('statement_timeout') AS limit`
      const ofStream = Effect.map(Stream.runCollect(limit.stream), ([row]) => row!.limit)
      const ofStatement = Effect.map(limit, ([row]) => row!.limit)
      const before = yield* ofStatement

      assert.notStrictEqual(before, "5min")
      assert.strictEqual(yield* ofStream, "5min")
      assert.strictEqual(yield* ofStatement, before)
      assert.strictEqual(yield* sql.withTransaction(Effect.andThen(ofStatement, ofStream)), "5min")
      assert.strictEqual(yield* ofStatement, before)
    }).pipe(as(ada))
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

      yield* sql`UPDATE ledger SET ${sql.update({ extra: JSON.stringify({ camelCase: 1, snake_case: 2 }) })}`.pipe(
        as(ada)
      )
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

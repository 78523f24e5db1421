import { PgClient } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import {
  Cause,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Queue,
  Random,
  Schema,
  Scope,
  Stream
} from "effect"
import type { SqlError } from "effect/sql"
import { TestClock } from "effect/testing"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import type { Duplex } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import * as Embedded from "../../src/layers/Embedded.ts"

/** An embedded database in memory, and a dump of it from before any test ran. */
class Shared extends Context.Service<Shared, Embedded.Embedded & { readonly snapshot: Uint8Array }>()("test/Shared") {
  static readonly layer = Layer.effect(
    Shared,
    Effect.gen(function* () {
      const database = yield* Embedded.make({})
      const sql = yield* open(database)
      for (const extension of ["btree_gist", "citext", "pg_trgm", "pgcrypto"]) {
        yield* sql`CREATE EXTENSION ${sql(extension)}`
      }
      yield* sql`CREATE TABLE halves (id uuid, half int)`
      return Shared.of({ ...database, snapshot: yield* database.dump })
    })
  )
}

const open = (
  { connect }: Pick<Embedded.Embedded, "connect">,
  config?: PgClient.PgPoolConfig
): Effect.Effect<PgClient.PgClient, SqlError.SqlError, Scope.Scope> =>
  Effect.map(
    Layer.build(PgClient.layer({ stream: connect, ssl: false, username: "postgres", ...config })),
    Context.get(PgClient.PgClient)
  )

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "portico-embedded-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const codeOf = ({ reason }: SqlError.SqlError) => (reason.cause as { readonly code?: string }).code

class Declined extends Schema.TaggedError<Declined>()("Declined", {}) {}

/** Fifty customers at once do whatever comes to their mind with ten accounts that hold 1000 together. */
const mix = (database: Embedded.Embedded, table: string, config: PgClient.PgPoolConfig) =>
  Effect.gen(function* () {
    const sql = yield* open(database, { maxConnections: 10, ...config })
    const accounts = sql(table)
    yield* sql`CREATE TABLE ${accounts} (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0))`
    yield* sql`INSERT INTO ${accounts} SELECT id, 100 FROM generate_series(0, 9) AS id`

    const total = Effect.gen(function* () {
      const [row] = yield* sql<{ readonly total: number }>`SELECT sum(balance)::int AS total FROM ${accounts}`
      assert.strictEqual(row?.total, 1000)
    })
    const add = (id: number, amount: number) =>
      sql`UPDATE ${accounts} SET balance = balance + ${amount} WHERE id = ${id}`
    const transfer = <E>(between: Effect.Effect<unknown, E>) =>
      sql.withTransaction(
        Effect.gen(function* () {
          const from = yield* Random.nextIntBetween(0, 9)
          const to = yield* Random.nextIntBetween(0, 9)
          const rows = yield* sql<{ readonly id: number; readonly balance: number }>`
            SELECT id, balance FROM ${accounts} WHERE id IN (${from}, ${to}) ORDER BY id FOR UPDATE
          `
          const amount = Math.min(7, rows.find(({ id }) => id === from)!.balance)
          yield* add(from, -amount)
          yield* between
          yield* add(to, amount)
        })
      )

    const operations: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
      total,
      transfer(Effect.void),
      transfer(Effect.yieldNow),
      transfer(sql`SELECT * FROM ${accounts}`.pipe(Effect.timeoutOption("1 milli"))),
      // A statement that fails, inside of a transaction and outside, and in a savepoint that the rest survives.
      Effect.flip(transfer(sql`SELECT 1 / 0`)),
      Effect.flip(add(3, -10_000)),
      transfer(Effect.exit(sql.withTransaction(Effect.andThen(add(5, 1), sql`SELECT 1 / 0`)))),
      Effect.flip(transfer(new Declined())),
      transfer(Effect.sleep("2 millis")).pipe(Effect.timeoutOption("1 milli")),
      sql`SELECT pg_sleep(0), sum(balance) FROM ${accounts}`.pipe(Effect.timeoutOption("1 milli")),
      Stream.runCount(sql`SELECT * FROM generate_series(1, 400)`.stream).pipe(
        Effect.map((count) => assert.strictEqual(count, 400))
      ),
      Stream.runDrain(Stream.take(sql`SELECT * FROM generate_series(1, 400)`.stream, 3))
    ]
    const fifty = (operations: ReadonlyArray<Effect.Effect<unknown, unknown>>) =>
      Effect.forEach(
        Array.from({ length: 50 }, (_, fiber) => fiber),
        (fiber) =>
          Effect.repeat(Effect.flatten(Random.choice(operations)), { times: 24 }).pipe(
            Random.withSeed(`fiber ${fiber}`)
          ),
        { concurrency: "unbounded", discard: true }
      )
    yield* fifty(operations)
    yield* total

    // The first one to decline interrupts all the others, whatever they are waiting for.
    for (const left of [3, 5, 8, 13, 21]) {
      let patience = left
      const decline = Effect.suspend(() => (--patience < 0 ? new Declined() : Effect.void))
      const declined = yield* Effect.flip(fifty([Effect.andThen(total, decline), transfer(Effect.void)]))
      assert.instanceOf(declined, Declined)
      yield* total
    }
  })

layer(Shared.layer, { excludeTestServices: true })("The embedded database", (it) => {
  const shared = <A, E>(
    name: string,
    test: (database: Shared["Service"]) => Effect.Effect<A, E, Scope.Scope>,
    timeout = 30_000
  ) => it.effect(name, () => Effect.flatMap(Shared, test), timeout)

  shared(
    "keeps the balance while fifty fibers read, transfer, fail, give up and stream on ten connections",
    (database) => mix(database, "accounts", {})
  )

  shared("keeps the balance while they share multiplexed connections", (database) =>
    mix(database, "multiplexed_accounts", { maxConnections: 3, multiplex: true })
  )

  shared("has the extensions", (database) =>
    Effect.gen(function* () {
      const sql = yield* open(database)
      yield* sql`CREATE TABLE bookings (room int, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&))`
      yield* sql`INSERT INTO bookings VALUES (7, '[1,5)')`
      assert.strictEqual(codeOf(yield* Effect.flip(sql`INSERT INTO bookings VALUES (7, '[4,6)')`)), "23P01")
      const [row] = yield* sql`
        SELECT similarity('portico', 'portico') = 1 AS alike, 'Ada'::citext = 'ada' AS same, digest('', 'md5') IS NULL AS none
      `
      assert.deepStrictEqual(row, { alike: true, same: true, none: false })
    })
  )

  shared("answers the same however its input is cut", (database) =>
    Effect.gen(function* () {
      const chopped = (): Duplex => {
        const socket = database.connect()
        const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean
        let size = 0
        socket.write = (bytes: Uint8Array) => {
          for (let at = 0; at < bytes.length; at += size) write(bytes.slice(at, at + (size = (size % 7) + 1)))
          return true
        }
        return socket
      }
      const sql = yield* open({ connect: chopped })
      const text = "grüße ".repeat(1_000)
      const found = yield* Effect.forEach([1, 2, 3], (n) => sql`SELECT ${n}::int AS n, ${text}::text AS text`, {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        found.flat(),
        [1, 2, 3].map((n) => ({ n, text }))
      )
    })
  )

  shared("notifies the connections that listen, and no others", (database) =>
    Effect.gen(function* () {
      const sql = yield* open(database)
      const [first, second] = [yield* open(database, { maxConnections: 1 }), yield* open(database)]
      const overheard: Array<string> = []
      const deaf = yield* open({
        connect: () => database.connect().on("data", (bytes: Buffer) => overheard.push(bytes.toString("latin1")))
      })
      yield* deaf`SELECT 1`
      const received = (queue: Queue.Dequeue<{ readonly payload: string }, SqlError.SqlError>) =>
        Effect.map(Queue.clear(queue), (all) => all.map(({ payload }) => payload))

      const tickets = yield* second.listen("tickets")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const orders = [yield* first.listen("Orders"), yield* second.listen("Orders")]
          yield* sql.notify("Orders", "one")
          yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`SELECT pg_notify('Orders', 'two')`
              yield* Effect.sleep("20 millis")
              // Everybody else has to wait for the transaction, so look without asking the database.
              for (const queue of orders) assert.deepStrictEqual(yield* received(queue), ["one"])
            })
          )
          yield* Effect.ignore(
            sql.withTransaction(Effect.andThen(sql`SELECT pg_notify('Orders', '?')`, new Declined()))
          )
          yield* Effect.sleep("20 millis")
          for (const queue of orders) assert.deepStrictEqual(yield* received(queue), ["two"])
        })
      )
      // Both have said UNLISTEN; one of them listens again, with the statement it has prepared before.
      const again = yield* first.listen("Orders")
      yield* sql.notify("Orders", "three")
      yield* sql.notify("tickets", "four")
      yield* Effect.sleep("20 millis")
      assert.deepStrictEqual(yield* received(again), ["three"])
      assert.deepStrictEqual(yield* received(tickets), ["four"])
      assert.notInclude(overheard.join(""), "Orders")
    })
  )

  shared("keeps a connection listening when another one on the same channel goes away", (database) =>
    Effect.gen(function* () {
      const sql = yield* open(database)
      const stays = yield* sql.listen("shared")
      yield* Effect.scoped(Effect.flatMap(open(database), (leaves) => leaves.listen("shared")))
      yield* sql.notify("shared", "still here")
      assert.strictEqual((yield* Queue.take(stays)).payload, "still here")
    })
  )

  shared("never runs one role's statement as another role", (database) =>
    Effect.gen(function* () {
      const owner = yield* open(database)
      yield* owner`CREATE ROLE ada LOGIN`
      yield* owner`CREATE ROLE "Eve ""the"" other" LOGIN`
      const check = Effect.fnUntraced(function* (username: string, config?: PgClient.PgPoolConfig) {
        const sql = yield* open(database, { username, maxConnections: 3, ...config })
        const whoami = Effect.map(sql`SELECT current_user::text AS now, session_user::text AS login`, ([row]) =>
          assert.deepStrictEqual(row, { now: username, login: username })
        )
        yield* Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          (n) => (n % 3 === 0 ? sql.withTransaction(Effect.andThen(whoami, whoami)) : whoami),
          { concurrency: 10 }
        )
      })
      yield* Effect.all(
        [check("postgres"), check("ada"), check("ada", { multiplex: true }), check('Eve "the" other')],
        { concurrency: "unbounded" }
      )
      const refused = yield* Effect.flip((yield* open(database, { username: "ada" }))`CREATE TABLE adas (id int)`)
      assert.strictEqual(codeOf(refused), "42501")
    })
  )

  shared("refuses a role that cannot log in", (database) =>
    Effect.gen(function* () {
      const owner = yield* open(database)
      yield* owner`CREATE ROLE nobody NOLOGIN`
      yield* owner`CREATE ROLE somebody LOGIN`
      const attempt = (username: string) =>
        Effect.scoped(Effect.flatMap(open(database, { username }), (sql) => sql`SELECT 1`))
      assert.strictEqual((yield* attempt("somebody")).length, 1)
      yield* owner`ALTER ROLE somebody NOLOGIN`
      for (const username of ["nobody", "somebody", "stranger", "x' OR 'a' = 'a", "SELECT 1"]) {
        assert.strictEqual(codeOf(yield* Effect.flip(attempt(username))), "28000")
      }
    })
  )

  shared("rolls back the transaction of a connection that is dropped", (database) =>
    Effect.gen(function* () {
      const sql = yield* open(database)
      yield* sql`CREATE TABLE drops (id int)`
      let socket: Duplex | undefined
      const dropped = yield* open({ connect: () => (socket = database.connect()) }, { maxConnections: 1 })
      const exit = yield* Effect.exit(
        dropped.withTransaction(
          Effect.gen(function* () {
            yield* dropped`INSERT INTO drops VALUES (1)`
            socket?.destroy()
            assert.strictEqual((yield* sql`SELECT * FROM drops`).length, 0)
            yield* dropped`INSERT INTO drops VALUES (2)`
          })
        )
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual((yield* sql`SELECT * FROM drops`).length, 0)
      assert.strictEqual((yield* dropped`INSERT INTO drops VALUES (3) RETURNING id`).length, 1)
    })
  )

  shared("drops a statement that is given up while it waits for its turn", (database) =>
    Effect.gen(function* () {
      const sql = yield* open(database)
      yield* sql`CREATE TABLE given_up (id int)`
      const other = yield* open(database, { minConnections: 1, maxConnections: 1 })
      yield* other`SELECT 1`
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`INSERT INTO given_up VALUES (1)`
          const given = other`INSERT INTO given_up VALUES (2)`.pipe(Effect.timeoutOption("10 millis"))
          const [duration] = yield* Effect.timed(given)
          assert.isBelow(Duration.toSeconds(duration), 2)
        })
      )
      assert.deepStrictEqual(yield* other`SELECT * FROM given_up`, [{ id: 1 }])
    })
  )

  shared("releases what a connection has prepared when it closes", (database) =>
    Effect.gen(function* () {
      const sql = yield* open(database, { maxConnections: 1 })
      const count = Effect.map(
        sql<{ readonly n: number }>`SELECT count(*)::int AS n FROM pg_prepared_statements`,
        ([row]) => row?.n
      )
      yield* count
      const before = yield* count
      yield* Effect.scoped(
        Effect.gen(function* () {
          const other = yield* open(database, { maxConnections: 1 })
          for (const n of [1, 2, 3]) yield* other`SELECT ${n}::int AS ${sql(`n${n}`)}`
          assert.strictEqual(yield* count, before! + 3)
        })
      )
      assert.strictEqual(yield* count, before)
    })
  )

  shared("refuses COPY FROM STDIN instead of waiting for it for ever", (database) =>
    Effect.gen(function* () {
      const sql = yield* open(database)
      assert.strictEqual(codeOf(yield* Effect.flip(sql`COPY halves FROM STDIN`)), "0A000")
      yield* sql`SELECT 1`
    })
  )

  shared("ends a transaction somebody forgot, so that others go on", ({ snapshot }) =>
    Effect.gen(function* () {
      const database = yield* Embedded.make({ snapshot, idleInTransaction: "200 millis" })
      const sql = yield* open(database)
      const forgetful = yield* open(database)
      const begun = yield* Deferred.make<void>()
      const woken = yield* Deferred.make<void>()
      const forgotten = yield* Effect.forkScoped(
        Effect.exit(
          forgetful.withTransaction(
            Effect.gen(function* () {
              yield* forgetful`INSERT INTO halves VALUES (gen_random_uuid(), 1)`
              yield* Deferred.succeed(begun, undefined)
              yield* Deferred.await(woken)
              yield* forgetful`SELECT 1`
            })
          )
        )
      )
      yield* Deferred.await(begun)
      assert.strictEqual((yield* sql`SELECT * FROM halves`.pipe(Effect.timeout("2 seconds"))).length, 0)
      yield* Deferred.succeed(woken, undefined)
      const exit = yield* Fiber.join(forgotten)
      assert.strictEqual(Exit.isFailure(exit) && codeOf(Cause.squash(exit.cause) as SqlError.SqlError), "25P03")
    })
  )

  shared("starts a copy from a dump", ({ snapshot }) =>
    Effect.gen(function* () {
      const copy = yield* Embedded.make({ snapshot })
      yield* Effect.flatMap(open(copy), (sql) => sql`INSERT INTO halves VALUES (gen_random_uuid(), 1)`)
      const second = yield* Embedded.make({ snapshot: yield* copy.dump })
      assert.strictEqual((yield* Effect.flatMap(open(second), (sql) => sql`SELECT * FROM halves`)).length, 1)
    })
  )

  shared("lets go of its clients when it closes, also of one in a transaction", ({ snapshot }) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const sql = yield* Effect.flatMap(Scope.provide(Embedded.make({ snapshot }), scope), open)
      const exit = yield* Effect.exit(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`INSERT INTO halves VALUES (gen_random_uuid(), 1)`
            yield* Scope.close(scope, Exit.void)
            yield* sql`SELECT 1`
          })
        )
      )
      assert.strictEqual(Exit.isFailure(exit) && codeOf(Cause.squash(exit.cause) as SqlError.SqlError), "57P01")
      assert.strictEqual(codeOf(yield* Effect.flip(sql`SELECT 1`)), "57P01")
    })
  )

  shared("shortens its log every minute", ({ snapshot }) =>
    Effect.gen(function* () {
      const sql = yield* Effect.flatMap(Embedded.make({ snapshot }), open)
      const startOfLog = sql`SELECT redo_lsn::text FROM pg_control_checkpoint()`
      yield* sql`INSERT INTO halves VALUES (gen_random_uuid(), 1)`
      const before = yield* startOfLog
      yield* TestClock.adjust("1 minute")
      assert.notDeepEqual(yield* startOfLog, before)
    }).pipe(Effect.provide(TestClock.layer()))
  )

  shared("keeps its data in a folder, which nobody else can open meanwhile", ({ snapshot }) =>
    Effect.gen(function* () {
      const dataDir = yield* folder
      const insert = Effect.gen(function* () {
        const sql = yield* Effect.flatMap(Embedded.make({ dataDir, durable: true }), open)
        const inUse = yield* Effect.flip(Embedded.make({ dataDir: `${dataDir}/.` }))
        assert.strictEqual(inUse._tag, "EmbeddedInUse")
        assert.include(inUse.message, path.basename(dataDir))
        yield* sql`INSERT INTO halves VALUES (gen_random_uuid(), 1)`
        return (yield* sql`SELECT * FROM halves`).length
      })
      // What a first start leaves that was killed half way.
      writeFileSync(path.join(dataDir, "first-start"), "")
      writeFileSync(path.join(dataDir, "PG_VERSION"), "18\n")
      yield* Effect.scoped(Embedded.make({ dataDir, snapshot }))
      assert.strictEqual(yield* Effect.scoped(insert), 1)
      assert.strictEqual(yield* Effect.scoped(insert), 2)
    })
  )

  shared(
    "loses no acknowledged commit, and no half of one, to kill -9",
    ({ snapshot }) =>
      Effect.gen(function* () {
        const dataDir = yield* folder
        yield* Effect.scoped(Embedded.make({ dataDir, snapshot }))
        const acknowledged = new Set<string>()
        for (const cycle of [1, 2, 3]) {
          const before = acknowledged.size
          const inUse = yield* Effect.scoped(
            Effect.gen(function* () {
              const writer = yield* Effect.acquireRelease(
                Effect.sync(() => spawnWriter(dataDir)),
                ({ kill }) => Effect.promise(kill)
              )
              yield* Effect.promise(() => writer.started).pipe(Effect.timeout("10 seconds"))
              const inUse = yield* Effect.flip(Embedded.make({ dataDir }))
              yield* Effect.promise(() => sleep(200 + 50 * cycle))
              yield* Effect.promise(writer.kill)
              for (const id of writer.acknowledged()) acknowledged.add(id)
              return inUse
            })
          )
          assert.strictEqual(inUse._tag, "EmbeddedInUse")
          assert.isAbove(acknowledged.size, before)
        }
        const sql = yield* Effect.flatMap(Embedded.make({ dataDir }), open)
        const rows = yield* sql<{ readonly id: string; readonly halves: number }>`
          SELECT id::text, count(*)::int AS halves FROM halves GROUP BY id
        `
        assert.isTrue(rows.every(({ halves }) => halves === 2))
        const found = new Set(rows.map(({ id }) => id))
        assert.deepStrictEqual(
          [...acknowledged].filter((id) => !found.has(id)),
          []
        )
      }),
    60_000
  )
})

const spawnWriter = (dataDir: string) => {
  const script = path.join(import.meta.dirname, "../support/embeddedWriter.ts")
  const child = spawn(process.execPath, [script, dataDir], { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  const started = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      resolve()
    })
    child.once("exit", () => reject(new Error("the writer ended by itself")))
  })
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  return {
    started,
    // The last line may be cut off.
    acknowledged: () => output.split("\n").slice(0, -1),
    kill: () => {
      child.kill("SIGKILL")
      return ended
    }
  }
}

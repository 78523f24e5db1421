import { assert, describe, layer } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { type AddressInfo, createServer } from "node:net"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as Migrations from "../../src/layers/Migrations.ts"
import * as Postgres from "../../src/layers/Postgres.ts"
import { CustomerSql, PlatformSql, transaction } from "../../src/services/Database.ts"
import { Cluster, missing } from "../support/Cluster.ts"
import * as TestServer from "../support/TestServer.ts"

const acme = OrgId.make("acme")
const asAcme = Effect.provideService(CurrentPlatform, { orgId: acme })
const asAda = Effect.provideService(CurrentCustomer, { orgId: acme, customerId: CustomerId.make("ada") })

/** As managed Postgres has it: may create roles and databases, but is no superuser. */
const password = "p@ss/w%rd:#? 'x'"
const manager = (database: string, options = "sslmode=require", host = "localhost") =>
  Cluster.useSync(
    ({ port }) => `postgres://manager:${encodeURIComponent(password)}@${host}:${port}/${database}?${options}`
  )

const up = (url: string) => Layer.build(Postgres.layerFrom(Postgres.server(Redacted.make(url))))

const superuser = (statement: string) =>
  Effect.flatMap(Cluster, ({ url }) => TestServer.run(url("postgres"), statement))

const database = Effect.fnUntraced(function* (name: string) {
  yield* superuser(`CREATE DATABASE ${name} OWNER manager`)
  return yield* manager(name)
})

/** A database with ada and eve in it. */
const populated = Effect.fnUntraced(function* (name: string) {
  const context = yield* Effect.flatMap(database(name), up)
  const platform = Context.get(context, PlatformSql)
  yield* Context.get(context, SqlClient.SqlClient)`INSERT INTO orgs (id, name) VALUES ('acme', 'Acme')`
  for (const id of ["ada", "eve"]) {
    yield* platform`INSERT INTO customers ${platform.insert({ orgId: acme, id })}`.pipe(asAcme)
  }
  return { platform, customer: Context.get(context, CustomerSql), owner: Context.get(context, SqlClient.SqlClient) }
})

const failureOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) => (Exit.isSuccess(exit) ? "none" : Cause.pretty(exit.cause)))

const World = Layer.effectDiscard(
  superuser(`CREATE ROLE manager LOGIN CREATEROLE PASSWORD '${password.replaceAll("'", "''")}'`)
).pipe(Layer.provideMerge(Cluster.layer))

if (missing !== undefined) console.warn(`Postgres.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("Postgres", () => {
  layer(World, { excludeTestServices: true })((it) => {
    it.effect("comes up when replicas of two databases start at once and nothing is there yet", () =>
      Effect.gen(function* () {
        const urls = yield* Effect.forEach(["first", "second"], database)

        const replicas = yield* Effect.forEach([...urls, ...urls, ...urls], up, { concurrency: "unbounded" })

        for (const context of replicas) {
          assert.strictEqual(yield* Effect.provideContext(Migrations.applied, context), Migrations.expected)
          assert.deepEqual(yield* Context.get(context, PlatformSql)`SELECT id FROM orgs`.pipe(asAcme), [])
          assert.deepEqual(yield* Context.get(context, CustomerSql)`SELECT id FROM orgs`.pipe(asAda), [])
        }
      })
    )

    it.effect("keeps customers from an owner that is no superuser", () =>
      Effect.gen(function* () {
        const { customer, owner, platform } = yield* populated("owned")

        assert.deepEqual(yield* owner`SELECT id FROM customers`, [])
        assert.deepEqual(yield* customer`SELECT id FROM customers`.pipe(asAda), [{ id: "ada" }])
        assert.strictEqual((yield* platform`SELECT id FROM customers`.pipe(asAcme)).length, 2)
      })
    )

    it.effect("leaves a password alone that works, and sets one that does not", () =>
      Effect.gen(function* () {
        const url = yield* database("passwords")
        const stored = superuser("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'portico%' ORDER BY 1")
        yield* up(url)
        const before = yield* stored
        yield* Effect.forEach([url, url], up, { concurrency: "unbounded" })

        assert.deepEqual(yield* stored, before)

        yield* superuser("ALTER ROLE portico_customer PASSWORD 'forgotten'")
        const [context] = yield* Effect.forEach([url, url, url], up, { concurrency: "unbounded" })

        assert.deepEqual(yield* Context.get(context!, CustomerSql)`SELECT 1 AS one`.pipe(asAda), [{ one: 1 }])
      })
    )

    it.effect("does not start with a role that row security would not bind", () =>
      Effect.gen(function* () {
        const url = yield* database("unbound")
        yield* up(url)
        yield* superuser("ALTER ROLE portico_platform BYPASSRLS")

        const failure = yield* failureOf(up(url))

        yield* superuser("ALTER ROLE portico_platform NOBYPASSRLS")
        assert.include(failure, "portico_platform is not bound by row security")
      })
    )

    it.effect("encrypts every connection under sslmode=require, prefer and the two that verify", () =>
      Effect.gen(function* () {
        const { certificate } = yield* Cluster
        yield* database("encrypted")
        const encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        for (const [options, host] of [
          ["sslmode=require"],
          ["sslmode=prefer"],
          [`sslmode=require&sslrootcert=${certificate}`],
          [`sslmode=verify-ca&sslrootcert=${certificate}`, "127.0.0.1"],
          [`sslmode=verify-full&sslrootcert=${certificate}`]
        ]) {
          const context = yield* up(yield* manager("encrypted", options, host))
          const customer = Context.get(context, CustomerSql)
          const platform = Context.get(context, PlatformSql)
          const owner = Context.get(context, SqlClient.SqlClient)
          assert.deepEqual(yield* customer.unsafe(encrypted).pipe(asAda), [{ ssl: true }])
          assert.deepEqual(yield* platform.unsafe(encrypted).pipe(asAcme), [{ ssl: true }])
          assert.deepEqual(yield* owner.unsafe(encrypted), [{ ssl: true }])
          const wide = yield* customer`SELECT repeat('x', 100) AS line FROM generate_series(1, 30000)`.pipe(asAda)
          assert.strictEqual(wide.length, 30_000)
        }
      })
    )

    it.effect("trusts no server under another certificate or another name", () =>
      Effect.gen(function* () {
        const { certificate, unrelatedCertificate } = yield* Cluster
        yield* database("distrusted")
        for (const [options, host, message] of [
          [`sslmode=verify-full&sslrootcert=${unrelatedCertificate}`, "localhost", "certificate"],
          [`sslmode=verify-ca&sslrootcert=${unrelatedCertificate}`, "localhost", "certificate"],
          [`sslmode=require&sslrootcert=${unrelatedCertificate}`, "localhost", "certificate"],
          ["sslmode=verify-full", "localhost", "certificate"],
          [`sslmode=verify-full&sslrootcert=${certificate}`, "127.0.0.1", "127.0.0.1"],
          ["sslmode=disable", "localhost", "no encryption"],
          [`sslmode=verify-full&sslrootcert=/nowhere`, "localhost", "cannot read sslrootcert=/nowhere"],
          ["sslmode=verify", "localhost", 'unknown sslmode "verify"']
        ] as const) {
          assert.include(yield* failureOf(up(yield* manager("distrusted", options, host))), message)
        }
      })
    )

    it.effect("never says a word in plain text to a server without TLS", () =>
      Effect.gen(function* () {
        const heard: Array<Buffer> = []
        const server = createServer((socket) => {
          socket.on("data", (chunk) => {
            heard.push(chunk)
            socket.write("N")
          })
        })
        yield* Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
        yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
        const { port } = server.address() as AddressInfo

        const failure = yield* failureOf(up(`postgres://manager:secret@127.0.0.1:${port}/any?sslmode=require`))

        assert.include(failure, `The server at 127.0.0.1:${port} does not offer TLS`)
        assert.isTrue(heard.length > 0 && heard.every((chunk) => chunk.length === 8))
      })
    )

    it.effect("is reached over a unix socket", () =>
      Effect.gen(function* () {
        const { directory } = yield* Cluster
        yield* database("local")
        const context = yield* up(yield* manager("local", `host=${encodeURIComponent(directory)}`))

        const customer = Context.get(context, CustomerSql)
        assert.deepEqual(yield* customer`SELECT inet_client_addr() AS address`.pipe(asAda), [{ address: null }])
      })
    )

    it.effect("heals when connections are cut, and when the server crashes", () =>
      Effect.gen(function* () {
        const { customer, owner, platform } = yield* populated("cut")
        const ask = Effect.all(
          [
            ...Array.from({ length: 40 }, () => customer`SELECT id FROM customers`.pipe(asAda)),
            ...Array.from({ length: 20 }, () => customer.withTransaction(customer`SELECT id FROM customers`).pipe(asAda)),
            ...Array.from({ length: 10 }, () => platform`SELECT id FROM customers WHERE id = 'ada'`.pipe(asAcme))
          ],
          { concurrency: "unbounded" }
        )
        const cut = superuser("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = 'cut'")
        const healed = Effect.gen(function* () {
          yield* Effect.sleep("50 millis")
          const answers = yield* ask
          assert.isTrue(answers.every((rows) => rows.length === 1 && rows[0]!["id"] === "ada"))
          assert.strictEqual((yield* owner`SELECT 1`).length, 1)
        })
        yield* ask

        yield* cut
        yield* healed

        const within = yield* Effect.exit(
          customer.withTransaction(Effect.andThen(cut, customer`SELECT id FROM customers`)).pipe(asAda)
        )
        assert.isTrue(Exit.isFailure(within))
        yield* healed

        yield* Effect.flatMap(Cluster, ({ crash }) => crash)
        yield* healed
      })
    )

    it.effect("lets both of two transactions succeed that wait for each other", () =>
      Effect.gen(function* () {
        const { platform } = yield* populated("deadlock")
        const change = (id: string) => platform`UPDATE customers SET name = coalesce(name, '') || 'x' WHERE id = ${id}`
        let attempts = 0
        const both = (first: string, second: string, mine: Deferred.Deferred<void>, theirs: Deferred.Deferred<void>) =>
          Effect.gen(function* () {
            attempts++
            yield* change(first)
            yield* Deferred.succeed(mine, undefined)
            yield* Deferred.await(theirs)
            yield* change(second)
          }).pipe(transaction(platform), asAcme)
        const one = yield* Deferred.make<void>()
        const other = yield* Deferred.make<void>()

        yield* Effect.all([both("ada", "eve", one, other), both("eve", "ada", other, one)], { concurrency: 2 })

        assert.strictEqual(attempts, 3)
        const names = yield* platform`SELECT name FROM customers`.pipe(asAcme)
        assert.deepEqual(names, [{ name: "xx" }, { name: "xx" }])
      })
    )

    it.effect("repeats a transaction that saw what another one changed", () =>
      Effect.gen(function* () {
        const { customer } = yield* populated("conflict")
        const rename = (name: string) => customer`UPDATE customers SET name = ${name}`
        let attempts = 0

        yield* Effect.gen(function* () {
          yield* customer`SELECT name FROM customers`
          if (attempts++ === 0) yield* Effect.promise(() => Effect.runPromise(rename("theirs").pipe(asAda)))
          yield* rename("mine")
        }).pipe(
          transaction(customer),
          Effect.provideService(SqlClient.BeginTransaction, "BEGIN ISOLATION LEVEL REPEATABLE READ"),
          asAda
        )

        assert.strictEqual(attempts, 2)
        assert.deepEqual(yield* customer`SELECT name FROM customers`.pipe(asAda), [{ name: "mine" }])
      })
    )
  })
})

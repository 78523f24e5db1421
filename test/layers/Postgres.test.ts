import { assert, describe, it, layer } from "@effect/vitest"
import { ConfigProvider, Context, Deferred, Effect, Exit, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import * as Migrations from "../../src/layers/Migrations.ts"
import * as Postgres from "../../src/layers/Postgres.ts"
import { CustomerSql, PlatformSql, transaction } from "../../src/services/Database.ts"
import { Cluster, missing } from "../support/Cluster.ts"
import * as Replicas from "../support/Replicas.ts"
import { acme, asAcme, asAda, database, failureOf, manager, populated, superuser, up } from "../support/Replicas.ts"

describe("Without a DATABASE_URL", () => {
  it.live("the database is embedded in DATA_DIR, and is the same after a restart", () =>
    Effect.gen(function* () {
      const dataDir = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(path.join(tmpdir(), "portico-data-"))),
        (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
      )
      const run = <A, E>(use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
        SqlClient.SqlClient.use(use).pipe(
          Effect.provide(Postgres.layer),
          Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ DATA_DIR: dataDir })))
        )

      yield* run((sql) => sql`INSERT INTO orgs (id, name) VALUES ('acme', 'Acme')`)

      assert.deepEqual(yield* run((sql) => sql`SELECT id FROM orgs`), [{ id: "acme" }])
    })
  )

  it.live("a DATABASE_URL that is none is named, and not shown", () =>
    Effect.gen(function* () {
      const failure = yield* failureOf(
        Layer.build(Postgres.layer).pipe(
          Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ DATABASE_URL: "postgres:secret@host" })))
        )
      )
      assert.include(failure, "DATABASE_URL")
      assert.notInclude(failure, "secret")
    })
  )
})

if (missing !== undefined) console.warn(`Postgres.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("Postgres", () => {
  layer(Replicas.layer, { excludeTestServices: true })((it) => {
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

    it.effect("writes down changes under an owner that is no superuser", () =>
      Effect.gen(function* () {
        const { customer, owner, platform } = yield* populated("logged")
        yield* platform`INSERT INTO products ${platform.insert({
          orgId: acme,
          id: "lamp",
          sku: "L-1",
          name: "Lamp",
          price: 100,
          currency: "USD",
          available: true
        })}`.pipe(asAcme)
        yield* customer`
          INSERT INTO wishlist_items (org_id, customer_id, product_id, price_when_added, currency_when_added)
          VALUES ('acme', 'ada', 'lamp', 100, 'USD')`.pipe(asAda)
        yield* platform`UPDATE products SET price = 90`.pipe(asAcme)
        yield* platform`UPDATE customers SET name = 'Ada' WHERE id = 'ada'`.pipe(asAcme)

        const log = yield* customer`SELECT sequence::int, type, id FROM customer_changes ORDER BY sequence`.pipe(asAda)
        assert.deepEqual(log, [
          { sequence: 1, type: "profile", id: "ada" },
          { sequence: 2, type: "wishlistItem", id: "lamp" },
          { sequence: 3, type: "wishlistItem", id: "lamp" },
          { sequence: 4, type: "profile", id: "ada" }
        ])
        const forged = customer`INSERT INTO customer_changes (org_id, customer_id, sequence, type, id, op)
          VALUES ('acme', 'ada', 5, 'order', 'x', 'upsert')`.pipe(asAda)
        assert.match(yield* failureOf(forged), /permission denied/)
        const called = customer`SELECT log_change('acme', 'ada', 'order', 'x', 'upsert')`.pipe(asAda)
        assert.match(yield* failureOf(called), /permission denied/)
        assert.lengthOf(yield* owner`SELECT 1 FROM customer_changes WHERE customer_id = 'eve'`, 1)
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
            ...Array.from({ length: 20 }, () =>
              customer.withTransaction(customer`SELECT id FROM customers`).pipe(asAda)
            ),
            ...Array.from({ length: 10 }, () => platform`SELECT id FROM customers WHERE id = 'ada'`.pipe(asAcme))
          ],
          { concurrency: "unbounded" }
        )
        const cut = superuser("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = 'cut'")
        const healed = Effect.gen(function* () {
          // A busy process may be late for one timer, but in turns of its own it hears of each cut that there was.
          yield* Effect.repeat(Effect.sleep("20 millis"), { times: 4 })
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

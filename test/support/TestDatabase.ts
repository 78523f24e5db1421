import { Effect, identity, Layer, Redacted, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { inject } from "vitest"
import * as Postgres from "../../src/layers/Postgres.ts"
import * as TestServer from "./TestServer.ts"

const pools: Postgres.Pools = { customer: 4, platform: 3, owner: 5 }

/** The embedded database of this worker: the snapshot, started once. */
const ofWorker = globalThis as { portico?: Promise<Postgres.Database> }

const embedded = Effect.promise(() => {
  const start = Effect.suspend(() => Postgres.embedded({ snapshot: readFileSync(inject("snapshot")) }))
  return (ofWorker.portico ??= Effect.runPromise(Effect.provideService(start, Scope.Scope, Scope.makeUnsafe())))
})

/** Leaves no row of anybody's. */
export const truncate = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ readonly name: string }>`
    SELECT quote_ident(tablename) AS name FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE '%migrations'
  `
  yield* sql`TRUNCATE ${sql.literal(tables.map(({ name }) => name).join(", "))} RESTART IDENTITY CASCADE`
})

const clone = Effect.fnUntraced(function* (url: string, template: string, by: (url: string) => string) {
  const name = `portico_test_${randomBytes(4).toString("hex")}`
  yield* Effect.acquireRelease(TestServer.run(url, `CREATE DATABASE ${name} TEMPLATE ${template}`), () =>
    TestServer.run(url, `DROP DATABASE ${name} WITH (FORCE)`)
  )
  return yield* Postgres.server(Redacted.make(by(TestServer.at(url, name))))
})

const cloneOf = ({ template, url }: { readonly url: string; readonly template: string }, by = identity<string>) =>
  Postgres.layerFrom(clone(url, template, by), pools)

/** A clone on the server of `TEST_DATABASE_URL`, reached by another address. */
export const layerBy = (by: (url: string) => string) => Layer.unwrap(Effect.sync(() => cloneOf(inject("server")!, by)))

/**
 * A migrated database without any rows: with `TEST_DATABASE_URL` a clone on that server, else the embedded one.
 *
 * Each `layer(TestDatabase.layer)(...)` starts from an empty database, so a file has one of them.
 */
export const layer = Layer.unwrap(
  Effect.sync(() => {
    const server = inject("server")
    return server === undefined
      ? Layer.tap(Postgres.layerFrom(embedded, pools), (context) => Effect.provideContext(truncate, context))
      : cloneOf(server)
  })
)

/** Switches row security off until the scope closes: what still holds then is the WHERE of the statements. */
export const withoutPolicies = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ readonly name: string }>`
    SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace
  `
  const all = (action: "DISABLE" | "ENABLE") =>
    Effect.forEach(
      tables,
      ({ name }) => sql`ALTER TABLE ${sql.literal(name)} ${sql.literal(action)} ROW LEVEL SECURITY`
    )
  yield* Effect.acquireRelease(all("DISABLE"), () => Effect.orDie(all("ENABLE")))
})

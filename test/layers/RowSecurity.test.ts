import { PgClient, PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as PostgresRoles from "../../src/layers/PostgresRoles.ts"
import * as PostgresUrl from "../../src/layers/PostgresUrl.ts"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const acme = OrgId.make("acme")
const other = OrgId.make("other")
const ada = { orgId: acme, customerId: CustomerId.make("ada") }
const asAda = Effect.provideService(CurrentCustomer, ada)
const asPlatform = (orgId: OrgId) => Effect.provideService(CurrentPlatform, { orgId })

/** ada and eve in each of two orgs. */
const customers = Effect.gen(function* () {
  const owner = yield* SqlClient.SqlClient
  const sql = yield* PlatformSql
  yield* owner`INSERT INTO orgs (id, name) VALUES ('acme', 'Acme'), ('other', 'Other') ON CONFLICT DO NOTHING`
  for (const orgId of [acme, other]) {
    yield* sql`INSERT INTO customers ${sql.insert([
      { orgId, id: "ada" },
      { orgId, id: "eve" }
    ])} ON CONFLICT DO NOTHING`.pipe(asPlatform(orgId))
  }
})

interface Table {
  readonly name: string
  readonly enabled: boolean
  readonly forced: boolean
  readonly orgColumn: string
  /** None in a table whose rows are the org's as a whole. */
  readonly customerColumn: string | null
}

/** Every table that has tenants in it or that a tenant's role may touch. */
const tables = SqlClient.SqlClient.use(
  (sql) => sql<Table>`
    SELECT oid::regclass::text AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced,
      CASE WHEN has_org THEN 'org_id' ELSE 'id' END AS org_column,
      CASE WHEN relname = 'customers' THEN 'id' WHEN has_customer THEN 'customer_id' END AS customer_column
    FROM pg_class, LATERAL (
      SELECT 'org_id' = ANY (names) AS has_org, 'customer_id' = ANY (names) AS has_customer
      FROM (SELECT array_agg(attname) AS names FROM pg_attribute WHERE attrelid = pg_class.oid) AS attributes
    ) AS columns
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND (has_org OR EXISTS (
      SELECT 1 FROM unnest(ARRAY['portico_customer', 'portico_platform']) AS role
      WHERE has_any_column_privilege(role, pg_class.oid, 'SELECT, INSERT, UPDATE')
        OR has_table_privilege(role, pg_class.oid, 'DELETE, TRUNCATE')))
    ORDER BY 1`
)

/** A row that satisfies a table's types; its constraints are dropped first, in a transaction that is rolled back. */
const anyRow = Effect.fnUntraced(function* (table: string) {
  const sql = yield* SqlClient.SqlClient
  const checks = yield* sql<{ readonly name: string }>`
    SELECT quote_ident(conname) AS name FROM pg_constraint WHERE conrelid = ${table}::regclass AND contype IN ('c', 'x')`
  for (const { name } of checks) yield* sql`ALTER TABLE ${sql.literal(`${table} DROP CONSTRAINT ${name}`)}`
  const columns = yield* sql<{ readonly name: string; readonly value: string }>`
    SELECT quote_ident(attname) AS name, CASE
      WHEN typcategory = 'S' THEN '''x'''
      WHEN typcategory = 'N' THEN '1'
      WHEN typcategory = 'B' THEN 'false'
      WHEN typcategory = 'D' THEN 'now()'
      WHEN typcategory = 'T' THEN '''1 second'''
      WHEN typcategory = 'A' THEN '''{}'''
      WHEN typcategory = 'R' THEN '''empty'''
      WHEN typname = 'uuid' THEN 'gen_random_uuid()'
      WHEN typname IN ('json', 'jsonb') THEN '''{}'''
      WHEN typname = 'bytea' THEN '''x'''
      ELSE 'NULL' END AS value
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = ''
      AND (attnotnull AND NOT atthasdef OR attname IN ('org_id', 'customer_id'))`
  const list = (key: "name" | "value") => columns.map((column) => column[key]).join(", ")
  return sql`INSERT INTO ${sql.literal(`${table} (${list("name")}) VALUES (${list("value")})`)}`
})

/** What a role can do to a row of org x and customer x while it acts for `tenant`. */
const touch = Effect.fnUntraced(function* (
  { name: table, orgColumn }: Table,
  role: string,
  tenant: readonly [org: string, customer: string] | undefined
) {
  const sql = yield* SqlClient.SqlClient
  const touched: Array<string> = []
  const attempt = (what: string, statement: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>) =>
    Effect.map(Effect.exit(sql.withTransaction(statement)), (exit) => {
      if (Exit.isSuccess(exit) ? exit.value.length > 0 : !isRefused(exit.cause)) touched.push(what)
    })
  const org = sql(orgColumn)

  const attempts = Effect.gen(function* () {
    yield* sql`SET LOCAL session_replication_role = replica`
    const insert = yield* anyRow(table)
    yield* insert
    if (tenant !== undefined) {
      yield* sql`SELECT set_config('app.org_id', ${tenant[0]}, true), set_config('app.customer_id', ${tenant[1]}, true)`
    }
    yield* sql`SET LOCAL ROLE ${sql(role)}`
    yield* attempt("read", sql`SELECT 1 FROM ${sql(table)} WHERE ${org} = 'x'`)
    // A WHERE would ask the policy for reading as well.
    yield* attempt("update", sql`UPDATE ${sql(table)} SET ${org} = 'y' RETURNING 1`)
    yield* attempt("delete", sql`DELETE FROM ${sql(table)} RETURNING 1`)
    yield* attempt("insert", Effect.as(insert, [1]))
    return yield* Effect.fail("rolled back" as const)
  })
  yield* Effect.ignore(Effect.catchIf(sql.withTransaction(attempts), (error) => error !== "rolled back", Effect.die))
  return touched
})

const isRefused = (cause: Cause.Cause<SqlError.SqlError>) =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error.reason._tag === "AuthorizationError")

layer(TestDatabase.layer, { excludeTestServices: true })("Row security", (it) => {
  it.effect("is enabled and forced on every table that tenants have rows in or may touch", () =>
    Effect.gen(function* () {
      const all = yield* tables
      assert.includeMembers(
        all.map(({ name }) => name),
        ["customers", "orders", "orgs"]
      )
      assert.deepEqual(
        all.filter(({ enabled, forced }) => !enabled || !forced),
        []
      )
    })
  )

  it.effect("has no way around: no view of the owner's, no key that spans orgs", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const views = yield* sql`
        SELECT oid::regclass::text AS view FROM pg_class
        WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
          AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
          AND (has_table_privilege('portico_customer', oid, 'SELECT') OR has_table_privilege('portico_platform', oid, 'SELECT'))`
      assert.deepEqual(views, [])

      // A key shared by orgs tells one of them, by refusing it, what another has.
      const keys = yield* sql`
        SELECT indexrelid::regclass::text AS key FROM pg_index
        JOIN pg_attribute AS org ON org.attrelid = indrelid AND org.attname = 'org_id'
        JOIN pg_class ON pg_class.oid = indrelid AND relnamespace = 'public'::regnamespace
        WHERE (indisunique OR indisexclusion) AND indkey[0] IS DISTINCT FROM org.attnum`
      assert.deepEqual(keys, [])
    })
  )

  it.effect("could be spread by org: what is not led by it is named, and is none of a request's", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const others = yield* sql<{ readonly name: string; readonly unique: boolean }>`
        SELECT pg_class.relname || ': ' || indexrelid::regclass AS name, indisunique AS unique FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid AND relnamespace = 'public'::regnamespace
        LEFT JOIN pg_attribute AS org ON org.attrelid = indrelid AND org.attname = 'org_id'
        WHERE indkey[0] IS DISTINCT FROM org.attnum`
      const of = (unique: boolean) => others.filter((index) => index.unique === unique).map(({ name }) => name)
      // Tables of no tenant: the list of orgs, and a queue and two ledgers that stay in one place.
      assert.sameMembers(of(true), [
        "orgs: orgs_pkey",
        "effect_sql_migrations: effect_sql_migrations_pkey",
        "delivery_queue: delivery_queue_pkey",
        "delivery_queue: idx_delivery_queue_id",
        "delivery_queue_migrations: delivery_queue_migrations_pkey"
      ])
      // By which the background looks through all orgs for what is due or too old.
      assert.sameMembers(of(false), [
        "account_exports: account_exports_due",
        "customer_changes: customer_changes_at",
        "delivery_queue: idx_delivery_queue_take",
        "delivery_queue: idx_delivery_queue_update",
        "enrollments: enrollments_expiry",
        "erasures: erasures_due",
        "file_leftovers: file_leftovers_due",
        "idempotency_keys: idempotency_keys_age",
        "local_vault_items: local_vault_items_id",
        "local_vault_items: local_vault_items_origin",
        "local_vaults: local_vaults_id",
        "payment_checks: payment_checks_due",
        "place_sessions: place_sessions_end",
        "shared_limits: shared_limits_end",
        "stripe_events: stripe_events_age"
      ])

      const spanning = yield* sql<{ readonly name: string }>`
        SELECT conrelid::regclass || ': ' || conname AS name FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND confrelid <> 'orgs'::regclass
          AND NOT EXISTS (
            SELECT FROM unnest(conkey, confkey) AS pair (here, there)
            JOIN pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = here AND a.attname = 'org_id'
            JOIN pg_attribute AS b ON b.attrelid = confrelid AND b.attnum = there AND b.attname = 'org_id')`
      assert.deepEqual(spanning, [])
    })
  )

  it.effect("binds the tenants' roles, which own nothing, inherit nothing and make nothing", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const roles = yield* sql`
        SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS privileged,
          EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid) AS owns,
          EXISTS (SELECT 1 FROM pg_auth_members WHERE member = pg_roles.oid) AS belongs,
          has_schema_privilege(oid, 'public', 'CREATE') AS makes
        FROM pg_roles WHERE rolname LIKE 'portico%' ORDER BY 1`
      const ordinary = { privileged: false, owns: false, belongs: false, makes: false }
      assert.deepEqual(roles, [
        { rolname: "portico_customer", ...ordinary },
        { rolname: "portico_platform", ...ordinary }
      ])
    })
  )

  it.effect(
    "shows nothing and takes nothing without a tenant or for another, in every table",
    () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        for (const table of yield* tables) {
          for (const role of [PostgresRoles.customer, PostgresRoles.platform]) {
            const foreign = [undefined, ["", ""], ["y", "y"], ["y", "x"]] as const
            const stranger =
              role === PostgresRoles.customer && table.customerColumn !== null ? [["x", "y"] as const] : []
            for (const tenant of [...foreign, ...stranger]) {
              assert.deepEqual(yield* touch(table, role, tenant), [], `${role} in ${table.name} as ${tenant}`)
            }
            if ((yield* touch(table, role, ["x", "x"])).includes("read")) seen.push(table.name)
          }
        }
        // With the right tenant the same rows are there, so they were there to be seen.
        assert.includeMembers(seen, ["customers", "orders", "orgs"])
      }),
    // Four statements for each of some fifty tables, role and tenant.
    120_000
  )

  it.effect("holds alone: without any WHERE everybody sees their own rows", () =>
    Effect.gen(function* () {
      yield* customers
      const mine = yield* CustomerSql.use((sql) => sql`SELECT org_id, id FROM customers`).pipe(asAda)
      const ours = yield* PlatformSql.use((sql) => sql`SELECT org_id, id FROM customers ORDER BY id`).pipe(
        asPlatform(acme)
      )

      assert.deepEqual(mine, [{ orgId: acme, id: "ada" }])
      assert.deepEqual(ours, [
        { orgId: acme, id: "ada" },
        { orgId: acme, id: "eve" }
      ])
    })
  )

  it.effect("is not needed: without policies an explicit WHERE finds the same rows", () =>
    Effect.gen(function* () {
      yield* customers
      yield* TestDatabase.withoutPolicies
      const sql = yield* CustomerSql
      const everybody = yield* sql`SELECT org_id, id FROM customers`.pipe(asAda)
      const mine = yield* sql`
        SELECT org_id, id FROM customers WHERE org_id = ${ada.orgId} AND id = ${ada.customerId}`.pipe(asAda)

      assert.strictEqual(everybody.length, 4)
      assert.deepEqual(mine, [{ orgId: acme, id: "ada" }])
    })
  )

  it.effect("keeps a connection that has no tenant at all out", () =>
    Effect.gen(function* () {
      yield* customers
      const { stream, url } = (yield* PgClient.PgClient).config
      const password = url && (yield* PostgresUrl.parse(url)).password
      for (const username of [PostgresRoles.customer, PostgresRoles.platform]) {
        const raw = yield* PgConnection.make({
          ssl: false,
          stream: stream!,
          username,
          ...(url && { url }),
          ...(password && { password: PostgresRoles.passwordOf(username, password) })
        })
        assert.deepEqual((yield* raw.query("SELECT * FROM customers")).rows, [])
        assert.strictEqual((yield* raw.query("UPDATE customers SET name = 'x'")).rowCount, 0)
        const error = yield* Effect.flip(raw.query("INSERT INTO customers (org_id, id) VALUES ('acme', 'mallory')"))
        assert.strictEqual(error.reason._tag, "AuthorizationError")
      }
    })
  )
})

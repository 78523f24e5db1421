import { PgClient, PgConnection } from "@effect/sql-pg"
import { Effect } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import type { Duplex } from "node:stream"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as Postgres from "../../src/layers/Postgres.ts"
import * as PostgresRoles from "../../src/layers/PostgresRoles.ts"
import * as PostgresUrl from "../../src/layers/PostgresUrl.ts"
import * as TenantClient from "../../src/layers/TenantClient.ts"
import { tenantWire } from "../../src/layers/TenantWire.ts"

export interface Person {
  readonly orgId: OrgId
  readonly customerId: CustomerId
}
export const person = (org: string, customer: string): Person => ({
  orgId: OrgId.make(org),
  customerId: CustomerId.make(customer)
})
export const as = (someone: Person) => Effect.provideService(CurrentCustomer, someone)
export const ada = person("acme", "ada")
export const eve = person("acme", "eve")
/** The same customer id in another org. */
export const otherAda = person("other", "ada")

/** Five rows for each; in SQL no statement below has a WHERE. */
export const ledger = (people: ReadonlyArray<Person>) =>
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

export const connect = Effect.flatMap(login, (config) =>
  PgConnection.make({ ...config, stream: () => tenantWire(config.stream()) })
)

export const open = (config: {
  readonly multiplex: boolean
  readonly maxConnections: number
  readonly stream?: () => Duplex
}) =>
  Effect.flatMap(login, (own) =>
    TenantClient.make({ ...own, driver: "pg", tenantOf: Postgres.customerOf, ...config })
  ).pipe(Effect.provide(Reactivity.layer))

export const isOf = (me: Person, row: { readonly orgId?: unknown; readonly customerId?: unknown }) =>
  row.orgId === me.orgId && row.customerId === me.customerId

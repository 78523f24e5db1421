import { Cause, Context, Effect, Exit, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as Postgres from "../../src/layers/Postgres.ts"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import { Cluster } from "./Cluster.ts"
import * as TestServer from "./TestServer.ts"

export const acme = OrgId.make("acme")
export const asAcme = Effect.provideService(CurrentPlatform, { orgId: acme })
export const asAda = Effect.provideService(CurrentCustomer, { orgId: acme, customerId: CustomerId.make("ada") })

/** As managed Postgres has it: may create roles and databases, but is no superuser. */
const password = "p@ss/w%rd:#? 'x'"
export const manager = (database: string, options = "sslmode=require", host = "localhost") =>
  Cluster.useSync(
    ({ port }) => `postgres://manager:${encodeURIComponent(password)}@${host}:${port}/${database}?${options}`
  )

export const up = (url: string) => Layer.build(Postgres.layerFrom(Postgres.server(Redacted.make(url))))

export const superuser = (statement: string) =>
  Effect.flatMap(Cluster, ({ url }) => TestServer.run(url("postgres"), statement))

export const database = Effect.fnUntraced(function* (name: string) {
  yield* superuser(`CREATE DATABASE ${name} OWNER manager`)
  return yield* manager(name)
})

/** A database with ada and eve in it. */
export const populated = Effect.fnUntraced(function* (name: string) {
  const context = yield* Effect.flatMap(database(name), up)
  const platform = Context.get(context, PlatformSql)
  yield* Context.get(context, SqlClient.SqlClient)`INSERT INTO orgs (id, name) VALUES ('acme', 'Acme')`
  for (const id of ["ada", "eve"]) {
    yield* platform`INSERT INTO customers ${platform.insert({ orgId: acme, id })}`.pipe(asAcme)
  }
  return { platform, customer: Context.get(context, CustomerSql), owner: Context.get(context, SqlClient.SqlClient) }
})

export const failureOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) => (Exit.isSuccess(exit) ? "none" : Cause.pretty(exit.cause)))

/** A cluster with a manager, and nothing else. */
export const layer = Layer.effectDiscard(
  superuser(`CREATE ROLE manager LOGIN CREATEROLE PASSWORD '${password.replaceAll("'", "''")}'`)
).pipe(Layer.provideMerge(Cluster.layer))

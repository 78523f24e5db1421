import { PgClient, PgConnection } from "@effect/sql-pg"
import { Config, Context, Effect, Layer, Option, Redacted, type Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { type Migrator, SqlClient, type SqlError } from "effect/sql"
import path from "node:path"
import type { Duplex } from "node:stream"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerSql, PlatformSql } from "../services/Database.ts"
import * as Embedded from "./Embedded.ts"
import * as Migrations from "./Migrations.ts"
import * as PostgresRoles from "./PostgresRoles.ts"
import { impatient } from "./PostgresSilence.ts"
import * as PostgresUrl from "./PostgresUrl.ts"
import * as TenantClient from "./TenantClient.ts"

/** A database and how its owner gets in. */
export interface Database {
  readonly connect: () => Duplex
  readonly driver: "pg" | "pglite"
  readonly url?: Redacted.Redacted
  readonly username?: string
  readonly password?: Redacted.Redacted | undefined
}

/** How many connections each replica may open. */
export interface Pools {
  readonly customer: number
  readonly platform: number
  readonly owner: number
}

export const server = (url: Redacted.Redacted): Effect.Effect<Database, Config.ConfigError> =>
  Effect.map(PostgresUrl.parse(url), ({ connect, password }) => ({
    connect: impatient(connect),
    driver: "pg",
    url,
    password
  }))

export const embedded = (
  options: Parameters<typeof Embedded.make>[0]
): Effect.Effect<Database, Embedded.EmbeddedInUse, Scope.Scope> =>
  Effect.map(Embedded.make(options), ({ connect }) => ({ connect, driver: "pglite", username: "postgres" }))

export const customerOf: TenantClient.TenantOf = (context) => {
  const current = Context.getOrUndefined(context, CurrentCustomer)
  return current && [current.orgId, current.customerId]
}

/** No customer has the id `*`, and no policy for the platform reads it. */
export const platformOf: TenantClient.TenantOf = (context) => {
  const current = Context.getOrUndefined(context, CurrentPlatform)
  return current && [current.orgId, "*"]
}

export const defaultPools: Pools = { customer: 10, platform: 5, owner: 5 }

// The queue keeps instants without a zone: an hour that comes twice, or never, would move what is due.
const zone = { TimeZone: "UTC" }

// A server that is alive says by then that the statement took too long; one that says nothing for longer hangs.
const longestStatement = 8
const longestSilence = longestStatement + 2

const tenantSession = {
  ...zone,
  statement_timeout: `${longestStatement}s`,
  idle_in_transaction_session_timeout: "60s"
}

/**
 * Opens the three doors to a database: as its owner, who migrates and keeps the queues, as the customer of the current
 * fiber and as the platform of the current fiber. The latter two log in under roles of their own, which own nothing and
 * are bound by row security.
 */
export const make = Effect.fnUntraced(function* (database: Database, pools: Pools = defaultPools) {
  const connection = {
    // The transport is encrypted already where it has to be.
    ssl: false,
    stream: database.connect,
    applicationName: "portico",
    ...(database.url && { url: database.url })
  } satisfies PgConnection.Config

  const client = yield* PgClient.make({
    ...connection,
    username: database.username,
    startupParameters: zone,
    maxConnections: pools.owner,
    transformQueryNames: TenantClient.names.query,
    transformResultNames: TenantClient.names.result,
    transformJson: false
  })
  // Code that depends on a session of its own (advisory locks, say) asks for this.
  const owner = Object.assign(client, { driver: database.driver })

  const tenant = Effect.fnUntraced(function* (role: string, tenantOf: TenantClient.TenantOf, maxConnections: number) {
    const password = database.password && PostgresRoles.passwordOf(role, database.password)
    const login = { ...connection, username: role, password, startupParameters: tenantSession }
    yield* PostgresRoles.ensure(role, password, Effect.scoped(Effect.asVoid(PgConnection.make(login)))).pipe(
      Effect.provideService(SqlClient.SqlClient, owner)
    )
    return yield* TenantClient.make({
      ...login,
      maxConnections,
      multiplex: true,
      // Statements on one connection wait for the slowest of them, but leave together: a few keep it busy.
      multiplexConcurrency: 16,
      preparedStatementCacheSize: 500,
      driver: database.driver,
      longestSilence,
      tenantOf
    })
  })

  const customer = yield* tenant(PostgresRoles.customer, customerOf, pools.customer)
  const platform = yield* tenant(PostgresRoles.platform, platformOf, pools.platform)
  yield* Effect.provideService(Migrations.run, SqlClient.SqlClient, owner)

  return Context.make(CustomerSql, customer).pipe(
    Context.add(PlatformSql, platform),
    Context.add(SqlClient.SqlClient, owner),
    Context.add(PgClient.PgClient, owner)
  )
})

export const layerFrom = <E>(
  database: Effect.Effect<Database, E, Scope.Scope>,
  pools?: Pools
): Layer.Layer<
  CustomerSql | PlatformSql | SqlClient.SqlClient | PgClient.PgClient,
  E | SqlError.SqlError | Migrator.MigrationError
> => Layer.effectContext(Effect.flatMap(database, (found) => make(found, pools))).pipe(Layer.provide(Reactivity.layer))

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* Config.option(Config.Redacted("DATABASE_URL"))
    const dataDir = yield* Config.String("DATA_DIR").pipe(Config.withDefault(".data"))
    const pools = yield* Config.all({
      customer: Config.Int("DATABASE_POOL").pipe(Config.withDefault(defaultPools.customer)),
      platform: Config.Int("DATABASE_PLATFORM_POOL").pipe(Config.withDefault(defaultPools.platform)),
      owner: Config.Int("DATABASE_OWNER_POOL").pipe(Config.withDefault(defaultPools.owner))
    })
    const database = Effect.gen(function* () {
      return Option.isSome(url)
        ? yield* server(url.value)
        : yield* embedded({ dataDir: path.join(dataDir, "postgres"), durable: true })
    })
    return layerFrom(database, pools)
  })
)

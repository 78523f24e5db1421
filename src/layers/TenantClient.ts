import { PgClient, type PgConnection, PgPool, PgTypes } from "@effect/sql-pg"
import { Context, Effect, type Scope, Stream, String } from "effect"
import type { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlConnection, SqlError } from "effect/sql"
import type { Duplex } from "node:stream"
import { CommitsForCertain } from "../services/Database.ts"
import * as CommitOutcome from "./CommitOutcome.ts"
import * as PoolQueue from "./PoolQueue.ts"
import { patient, tenantWire } from "./TenantWire.ts"

/** Which tenant a fiber runs for, if any: org and customer. */
export type TenantOf = (context: Context.Context<never>) => readonly [org: string, customer: string] | undefined

/** Column names are snake_case in the database and camelCase here; what is inside of JSON values stays as it is. */
export const names = {
  query: String.camelToSnake,
  result: ((known: Map<string, string>) => (column: string) => {
    const name = known.get(column) ?? String.snakeToCamel(column)
    if (known.size < 10_000) known.set(column, name)
    return name
  })(new Map())
}

/**
 * Sends what the requests of one turn of the event loop ask in one write, which costs more than the asking: for us, and
 * for Postgres, which wakes up once.
 */
const batched = (socket: Duplex): Duplex => {
  const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean
  const uncork = () => socket.uncork()
  socket.write = ((bytes: Uint8Array) => {
    if (socket.writableCorked === 0) {
      socket.cork()
      setImmediate(uncork)
    }
    return write(bytes)
  }) as typeof socket.write
  return socket
}

/** All rows of an answer have the same columns: their names are looked up once. */
const renamed = <A extends object>(rows: ReadonlyArray<A>): ReadonlyArray<A> => {
  if (rows.length === 0) return rows
  const columns = Object.keys(rows[0]!)
  const fields = columns.map(names.result)
  return rows.map((row) => {
    const renamed: Record<string, unknown> = {}
    for (let i = 0; i < columns.length; i++) renamed[fields[i]!] = row[columns[i] as keyof A]
    return renamed as A
  })
}

/** A `SqlClient` each of whose statements runs as the tenant of its fiber, and dies without one. */
export const make: (
  options: PgPool.Config & {
    readonly stream: () => Duplex
    readonly driver: string
    readonly tenantOf: TenantOf
    /** In seconds. */
    readonly longestSilence?: number
  }
) => Effect.Effect<SqlClient.SqlClient, SqlError.SqlError, Scope.Scope | Reactivity.Reactivity> = Effect.fnUntraced(
  function* ({ driver, longestSilence, stream, tenantOf, ...config }) {
    let open = 0
    const connections = yield* PgPool.make({
      ...config,
      stream: () => {
        const socket = stream()
        const ready = () => {
          open++
          socket.once("close", () => open--)
        }
        return driver === "pg"
          ? tenantWire(batched(socket), longestSilence, ready)
          : tenantWire(socket, Infinity, ready)
      }
    })
    const pool = PoolQueue.inFrontOf(connections, () => open > 0)
    const tenantConnection = (connection: PgConnection.PgConnection) => new TenantConnection(connection, tenantOf)

    return yield* SqlClient.make({
      acquirer: Effect.map(pool.get, tenantConnection),
      borrower: (f) => pool.use((connection) => f(tenantConnection(connection))),
      transactionAcquirer: Effect.map(pool.reserve, tenantConnection),
      compiler: PgClient.makeCompiler(names.query, false),
      transformRows: renamed,
      driver,
      spanAttributes: [["db.system.name", "postgresql"]],
      prepareTransactionControls: true,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      commit: (connection) =>
        Effect.withFiber(({ context }) =>
          Context.get(context, CommitsForCertain)
            ? CommitOutcome.certain(connection, commit(connection), (ask) =>
                pool.use((another) => ask(tenantConnection(another)))
              )
            : commit(connection)
        )
    })
  }
)

const isControl = (sql: string) => /^(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/.test(sql)

/** Postgres answers a COMMIT of an aborted transaction with ROLLBACK, and no error. */
const commit = (connection: SqlConnection.Connection): Effect.Effect<void, SqlError.SqlError> =>
  Effect.flatMap(
    connection.executeRaw("COMMIT", []) as Effect.Effect<PgConnection.Result, SqlError.SqlError>,
    ({ command }) => {
      if (command !== "ROLLBACK") return Effect.void
      const message = "COMMIT rolled back an aborted transaction"
      const reason = new SqlError.UnknownError({ cause: new Error(message), message, operation: "commit" })
      return Effect.fail(new SqlError.SqlError({ reason }))
    }
  )

type Params = ReadonlyArray<unknown>
type Transform = (<A extends object>(row: ReadonlyArray<A>) => ReadonlyArray<A>) | undefined

class TenantConnection implements SqlConnection.Connection {
  readonly connection: PgConnection.PgConnection
  readonly tenantOf: TenantOf

  constructor(connection: PgConnection.PgConnection, tenantOf: TenantOf) {
    this.connection = connection
    this.tenantOf = tenantOf
  }

  private asTenant<A>(
    sql: string,
    params: Params,
    run: (params: Params) => Effect.Effect<A, SqlError.SqlError>
  ): Effect.Effect<A, SqlError.SqlError> {
    if (isControl(sql)) return run(params)
    return Effect.withFiber((fiber) => {
      const tenant = this.tenantOf(fiber.context)
      if (tenant === undefined) return Effect.die(new Error("A tenant statement outside of a tenant"))
      return run([...params, PgTypes.text(tenant[0]), PgTypes.text(tenant[1])])
    })
  }

  private rows(sql: string, params: Params, transform: Transform, prepare: boolean) {
    return Effect.map(
      this.asTenant(sql, params, (all) => this.connection.query(sql, all, prepare)),
      ({ rows }) => (transform === undefined ? rows : transform(rows))
    )
  }

  execute(sql: string, params: Params, transform: Transform) {
    return this.rows(sql, params, transform, true)
  }
  executeUnprepared(sql: string, params: Params, transform: Transform) {
    return this.rows(sql, params, transform, false)
  }
  executeRaw(sql: string, params: Params) {
    return this.asTenant(sql, params, (all) => this.connection.query(sql, all))
  }
  executeValues(sql: string, params: Params) {
    return this.asTenant(sql, params, (all) => this.connection.queryValues(sql, all))
  }
  executeValuesUnprepared(sql: string, params: Params) {
    return this.asTenant(sql, params, (all) => this.connection.queryValues(sql, all, false))
  }
  /** A long answer over a slow line takes longer than any other may; who reads nothing at all is cut before. */
  executeStream(sql: string, params: Params, transform: Transform) {
    const run = (all: Params) => Effect.succeed(this.connection.stream(patient + sql, all))
    const rows = Stream.unwrap(this.asTenant(sql, params, run))
    return transform === undefined
      ? rows
      : Stream.mapArray(rows, (chunk) => transform(chunk) as unknown as typeof chunk)
  }
}

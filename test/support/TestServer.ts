import { PgConnection } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"

/** The URL of another database on the same server. */
export const at = (server: string, database: string): string => {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

/** Runs one statement on a connection of its own. */
export const run = (url: string, statement: string): Effect.Effect<ReadonlyArray<PgConnection.Row>> =>
  PgConnection.make({ url: Redacted.make(url) }).pipe(
    Effect.flatMap((connection) => connection.query(statement)),
    Effect.map(({ rows }) => rows),
    Effect.scoped,
    Effect.orDie
  )

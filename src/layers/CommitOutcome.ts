import { Effect, Schedule } from "effect"
import type { SqlConnection, SqlError } from "effect/sql"

/** For how long it is asked about a transaction that has not ended yet. */
const patience = "2 seconds"

/**
 * Commits, and asks Postgres over `another` connection what became of it when this one is lost before the answer: what has
 * taken effect is no failure. Costs a round trip beforehand, for the transaction's number.
 */
export const certain = (
  connection: SqlConnection.Connection,
  commit: Effect.Effect<void, SqlError.SqlError>,
  another: <A>(
    ask: (connection: SqlConnection.Connection) => Effect.Effect<A, SqlError.SqlError>
  ) => Effect.Effect<A, SqlError.SqlError>
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.gen(function* () {
    // A transaction that Postgres has ended already answers nothing: COMMIT says so.
    const [transaction] = yield* Effect.orElseSucceed(connection.execute(numberOf, [], undefined), () => [])
    yield* Effect.catch(commit, (error) => {
      if (error.reason._tag !== "ConnectionError" || typeof transaction?.number !== "string") return Effect.fail(error)
      const { number, timeline } = transaction
      const status = another((connection) => connection.execute(statusOf, [number], undefined))
      return status.pipe(
        // A standby that was promoted without it gives its number to somebody else.
        Effect.map(([row]) => (row?.timeline === timeline ? (row?.status as unknown) : undefined)),
        Effect.repeat({ while: (status) => status === "in progress", schedule: Schedule.spaced("50 millis") }),
        Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(error) }),
        Effect.flatMap((status) => (status === "committed" ? Effect.void : Effect.fail(error))),
        Effect.mapError(() => error)
      )
    })
  })

const timeline = "left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline"
const numberOf = `SELECT pg_current_xact_id_if_assigned()::text AS number, ${timeline}`
const statusOf = `SELECT pg_xact_status($1::text::xid8) AS status, ${timeline}`

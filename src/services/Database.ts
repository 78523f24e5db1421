import { Cause, Context, Effect, Option, Schedule } from "effect"
import { type SqlClient, SqlError } from "effect/sql"

/**
 * The database as one customer sees it: row security shows the rows of `CurrentCustomer` and no others, for reads and
 * writes alike. A statement run without a `CurrentCustomer` dies before it reaches the wire.
 */
export class CustomerSql extends Context.Service<CustomerSql, SqlClient.SqlClient>()("portico/services/CustomerSql") {}

/** The database as one org's platform sees it: every customer of `CurrentPlatform`'s org, and no other org. */
export class PlatformSql extends Context.Service<PlatformSql, SqlClient.SqlClient>()("portico/services/PlatformSql") {}

/**
 * Whether it has to be found out what became of a COMMIT whose answer is lost. A write whose key is stored with it needs
 * no such question: its repeat is the question.
 */
export const CommitsForCertain = Context.Reference<boolean>("portico/services/CommitsForCertain", {
  defaultValue: () => false
})

/**
 * Runs an effect in one transaction, and again when Postgres ends it only because another transaction was in its way.
 *
 * Inside of an outer transaction nothing is repeated: Postgres has ended all of it. The effect may run up to four times,
 * so what it does besides SQL belongs behind `afterCommit`.
 */
export const transaction =
  (sql: SqlClient.SqlClient) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError.SqlError, R> =>
    Effect.flatMap(Effect.serviceOption(sql.transactionService), (outer) =>
      Option.isSome(outer)
        ? sql.withTransaction(effect)
        : sql.withTransaction(effect).pipe(
            Effect.sandbox,
            Effect.retry({
              while: isConflict,
              times: 3,
              schedule: Schedule.jittered(Schedule.exponential("20 millis"))
            }),
            Effect.catch(Effect.failCause)
          )
    )

// Services let most database errors die, so a conflict may come as either.
const isConflict = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => {
    const error = Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
    return SqlError.isSqlError(error) && ["DeadlockError", "SerializationError"].includes(error.reason._tag)
  })

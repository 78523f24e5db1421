import type { PgConnection, PgPool } from "@effect/sql-pg"
import { Cause, Effect, Exit, Option, type Scope } from "effect"
import { SqlError } from "effect/sql"

type Lends = Pick<PgPool.PgPool, "get" | "use" | "reserve">
type Connection = PgConnection.PgConnection

/** For how long nobody asks again for a connection that could not be opened, in milliseconds. */
const pause = 250

/**
 * Lets `most` at a time wait within a pool for a connection, and all others in front of it.
 *
 * A connection that cannot be opened costs Effect's pool time for each who waits there: with 400 of them, a database that
 * was gone kept a process busy for half a minute, and deaf. So when `open` says that there is no other connection either,
 * all who wait here are told the same at once, and until one can be opened again, one tries for all.
 */
export const inFrontOf = (pool: Lends, open: () => number, most = 32): Lends => {
  const queue = new Set<(turn: Effect.Effect<void, SqlError.SqlError>) => void>()
  /** Who waits within the pool. */
  let inside = 0
  let failure: SqlError.SqlError | undefined
  let quietUntil = 0

  const isDown = () => failure !== undefined && open() === 0
  const isFree = () => inside < (isDown() ? 1 : most)
  const admit = () => {
    for (const resume of queue) {
      if (!isFree()) return
      queue.delete(resume)
      inside++
      resume(Effect.void)
    }
  }
  const lent = () => {
    inside--
    failure = undefined
    // Not from within somebody else's turn: theirs would run within ours, and so on for as many as wait.
    if (queue.size > 0) queueMicrotask(admit)
  }
  const missed = (cause: Cause.Cause<unknown>) => {
    inside--
    const error = Option.getOrUndefined(Cause.findErrorOption(cause))
    if (SqlError.isSqlError(error)) {
      failure = error
      quietUntil = performance.now() + pause
    }
    if (!SqlError.isSqlError(error) || !isDown()) return admit()
    const all = [...queue]
    queue.clear()
    for (const resume of all) resume(Effect.fail(error))
  }

  const turn = Effect.callback<void, SqlError.SqlError>((resume) => {
    queue.add(resume)
    return Effect.sync(() => queue.delete(resume))
  })

  /** `borrow` calls back once it has a connection, or fails without. */
  const inTurn = <A, E, R>(
    borrow: (lent: () => void) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | SqlError.SqlError, R> =>
    Effect.suspend(() => {
      if (failure !== undefined && isDown() && performance.now() < quietUntil) return Effect.fail(failure)
      let waits = false
      const begun = () => {
        waits = false
        lent()
      }
      const ended = (exit: Exit.Exit<unknown, unknown>) => {
        if (waits && Exit.isFailure(exit)) missed(exit.cause)
        return undefined
      }
      if (queue.size === 0 && isFree()) {
        return Effect.onExitPrimitive(
          Effect.suspend(() => {
            waits = true
            inside++
            return borrow(begun)
          }),
          ended
        )
      }
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(turn), () => {
          waits = true
          return Effect.onExitPrimitive(restore(borrow(begun)), ended)
        })
      )
    })

  const taking = (acquire: Effect.Effect<Connection, SqlError.SqlError, Scope.Scope>) =>
    inTurn((lent) => Effect.tap(acquire, () => Effect.sync(lent)))

  return {
    get: taking(pool.get),
    reserve: taking(pool.reserve),
    use: (f) =>
      inTurn((lent) =>
        pool.use((connection) => {
          lent()
          return f(connection)
        })
      )
  }
}

import type { PgConnection, PgPool } from "@effect/sql-pg"
import { Cause, Effect, type Exit } from "effect"
import { SqlError } from "effect/sql"

/** A pool spends time on each that waits whenever a connection cannot be opened, and on each of these attempts for all. */
const mostInside = 32
const pause = 250

/** Where one is on its way to a connection; who has one holds no place any more. */
interface Place {
  held: boolean
  resume: ((turn: Effect.Effect<void, SqlError.SqlError>) => void) | undefined
}

/**
 * Lets so many wait inside of a pool, and the others in front of it, in their order.
 *
 * While no connection is open, an attempt that fails is the answer to all who wait in front, and to whoever comes within
 * the next moment; then one tries for all. Without this hundreds who wait make a pool of a lost server busy for minutes.
 */
export const inFrontOf = (pool: Pick<PgPool.PgPool, "get" | "use">, isOpen: () => boolean) => {
  const queue = new Set<Place>()
  let inside = 0
  let refused: { readonly error: SqlError.SqlError; readonly until: number } | undefined

  const isFull = () => inside >= (refused !== undefined && !isOpen() ? 1 : mostInside)

  const take = (place: Place) => {
    inside++
    place.held = true
  }

  // A fiber that is resumed runs at once, and may come to an end: not inside of another's.
  const tell = (place: Place, turn: Effect.Effect<void, SqlError.SqlError>) => {
    queue.delete(place)
    queueMicrotask(() => place.resume!(turn))
  }

  const leave = (place: Place) => {
    inside--
    place.held = false
    for (const next of queue) {
      if (isFull()) return
      take(next)
      tell(next, Effect.void)
    }
  }

  const arrive = (place: Place) => {
    refused = undefined
    leave(place)
  }

  const refuse = (error: SqlError.SqlError) => {
    refused = { error, until: performance.now() + pause }
    for (const place of queue) tell(place, Effect.fail(error))
  }

  const turnOf = (place: Place) =>
    Effect.callback<void, SqlError.SqlError>((resume) => {
      place.resume = resume
      queue.add(place)
    })

  /** Whoever is interrupted anywhere on the way, or fails, gives the place to the next. */
  const gone = (place: Place, exit: Exit.Exit<unknown, unknown>) => {
    if (place.held) {
      const error = exit._tag === "Failure" ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined
      if (SqlError.isSqlError(error) && !isOpen()) refuse(error)
      leave(place)
    } else if (place.resume !== undefined) queue.delete(place)
    return Effect.void
  }

  const inTurn = <A, E, R>(through: (place: Place) => Effect.Effect<A, E | SqlError.SqlError, R>) =>
    Effect.suspend(() => {
      const place: Place = { held: false, resume: undefined }
      const entered = Effect.suspend(() => {
        if (refused !== undefined && !isOpen() && performance.now() < refused.until) return Effect.fail(refused.error)
        if (isFull()) return Effect.andThen(turnOf(place), through(place))
        take(place)
        return through(place)
      })
      return Effect.onExit(entered, (exit) => gone(place, exit))
    })

  const get = inTurn((place) => Effect.tap(pool.get, () => Effect.sync(() => arrive(place))))

  return {
    get,
    // As the pool itself has it. Who waits for the statements of others on a connection waits for the pool no more.
    reserve: Effect.flatMap(get, ({ pin }) => pin),
    use: <A, E, R>(f: (connection: PgConnection.PgConnection) => Effect.Effect<A, E, R>) =>
      inTurn<A, E, R>((place) =>
        pool.use((connection) => {
          arrive(place)
          return f(connection)
        })
      )
  }
}

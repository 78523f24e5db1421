import type { PgConnection, PgPool } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Pool } from "effect"
import { SqlError } from "effect/sql"
import * as PoolQueue from "../../src/layers/PoolQueue.ts"

const refused = new SqlError.SqlError({ reason: new SqlError.ConnectionError({ cause: new Error("refused") }) })

/** A pool of two connections that four can share, to a server that is there or is not. */
const make = Effect.gen(function* () {
  const server = { away: false, asked: 0, open: 0 }
  const acquire = Effect.acquireRelease(
    Effect.suspend(() => {
      server.asked++
      if (server.away) return Effect.fail(refused)
      server.open++
      return Effect.succeed({} as PgConnection.PgConnection)
    }).pipe(Effect.delay("1 millis")),
    () => Effect.sync(() => server.open--)
  )
  const pool = yield* Pool.makeWithTTL({ acquire, min: 0, max: 2, concurrency: 4, timeToLive: "1 minute" })
  const lends: Pick<PgPool.PgPool, "get" | "use" | "reserve"> = {
    get: Pool.get(pool),
    use: (f) => Pool.use(pool, f),
    reserve: Effect.tap(Pool.get(pool), (connection) => Pool.reserve(pool, connection))
  }
  const seen = new Set<PgConnection.PgConnection>()
  const drop = Effect.suspend(() => Effect.forEach(seen, (connection) => Pool.invalidate(pool, connection)))
  const queue = PoolQueue.inFrontOf(lends, () => server.open)
  const borrow = queue.use((connection) => {
    seen.add(connection)
    return Effect.delay(Effect.succeed("lent"), "2 millis")
  })
  const reserve = Effect.scoped(Effect.as(Effect.delay(queue.reserve, "1 millis"), "lent"))
  const keep = Effect.scoped(Effect.andThen(queue.reserve, Effect.never))
  return { server, drop, borrow, reserve, keep }
})

const many = <A, E>(count: number, effect: Effect.Effect<A, E>) =>
  Effect.all(
    Array.from({ length: count }, () => Effect.exit(effect)),
    { concurrency: "unbounded" }
  )

describe("In front of a pool", () => {
  it.live("all who wait are told at once that no connection can be opened, for a few attempts", () =>
    Effect.gen(function* () {
      const { borrow, reserve, server } = yield* make
      server.away = true

      const exits = (yield* Effect.all([many(500, borrow), many(100, reserve)], { concurrency: 2 })).flat()

      assert.deepStrictEqual([...new Set(exits.map((exit) => Exit.isFailure(exit)))], [true])
      assert.isBelow(server.asked, 100)
    }).pipe(Effect.scoped)
  )

  it.live("until one can be opened again, one tries for all", () =>
    Effect.gen(function* () {
      const { borrow, server } = yield* make
      server.away = true
      yield* many(10, borrow)
      yield* Effect.sleep("300 millis")

      server.asked = 0
      const refusals = yield* many(500, borrow)
      const asked = server.asked
      server.away = false
      yield* Effect.sleep("300 millis")
      const lent = yield* many(500, borrow)

      assert.isTrue(refusals.every(Exit.isFailure))
      assert.strictEqual(asked, 1)
      assert.isTrue(lent.every(Exit.isSuccess))
    }).pipe(Effect.scoped)
  )

  it.live("who can be served by the connections there are is not told of those that cannot be opened", () =>
    Effect.gen(function* () {
      const { borrow, server } = yield* make
      yield* borrow
      server.away = true

      const exits = yield* many(500, borrow)

      assert.strictEqual(server.open, 1)
      assert.isAbove(exits.filter(Exit.isSuccess).length, 400)
    }).pipe(Effect.scoped)
  )

  it.live("whoever leaves before their turn is not waited for", () =>
    Effect.gen(function* () {
      const { borrow, keep } = yield* make
      const kept = yield* Effect.forkChild(Effect.all([keep, keep], { concurrency: 2 }))
      yield* Effect.sleep("50 millis")
      const staying = yield* Effect.forkChild(many(40, borrow))
      const leaving = yield* Effect.forkChild(many(100, borrow))
      yield* Effect.sleep("50 millis")

      yield* Fiber.interrupt(leaving)
      yield* Fiber.interrupt(kept)
      const exits = [...(yield* Fiber.join(staying)), ...(yield* many(100, borrow))]

      assert.isTrue(exits.every(Exit.isSuccess))
    }).pipe(Effect.scoped, Effect.timeout("20 seconds"))
  )

  it.live("whoever leaves, waiting or served, leaves their place to others", () =>
    Effect.gen(function* () {
      const { borrow, drop, reserve } = yield* make
      for (let round = 0; round < 30; round++) {
        const leaving = yield* Effect.forkChild(Effect.all([many(100, borrow), many(20, reserve)], { concurrency: 2 }))
        yield* Effect.sleep(`${round % 6} millis`)
        if (round % 3 === 0) yield* drop
        yield* Fiber.interrupt(leaving)
      }

      const exits = (yield* Effect.all([many(200, borrow), many(40, reserve)], { concurrency: 2 })).flat()

      assert.isTrue(exits.every(Exit.isSuccess))
    }).pipe(Effect.scoped, Effect.timeout("20 seconds"))
  )
})

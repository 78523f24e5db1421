import type { PgConnection } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Pool, Schedule } from "effect"
import { SqlError } from "effect/sql"
import * as PoolQueue from "../../src/layers/PoolQueue.ts"

const down = () =>
  new SqlError.SqlError({ reason: new SqlError.ConnectionError({ cause: new Error("down"), message: "down" }) })

/** A pool of connections that are nothing but objects, and what a server would know of it. */
const made = Effect.fnUntraced(function* (size: number) {
  const server = { up: true, open: 0, attempts: 0 }
  const connect = Effect.gen(function* () {
    server.attempts++
    yield* Effect.sleep("2 millis")
    if (!server.up) return yield* Effect.fail(down())
    server.open++
    const connection: unknown = { pin: Effect.suspend(() => Effect.succeed(connection)) }
    return connection as PgConnection.PgConnection
  })
  const pool = yield* Pool.makeWithTTL({ acquire: connect, min: 0, max: size, timeToLive: "1 minute" })
  const queue = PoolQueue.inFrontOf({ get: Pool.get(pool), use: (f) => Pool.use(pool, f) }, () => server.open > 0)
  const waiting = Effect.map(Pool.stats(pool), ({ pending }) => pending)
  const lose = Effect.suspend(() => {
    server.up = false
    server.open = 0
    const lost = [...pool.state.items].flatMap(({ exit }) => (Exit.isSuccess(exit) ? [exit.value] : []))
    return Effect.forEach(lost, (connection) => Pool.invalidate(pool, connection), { discard: true })
  })
  return { server, queue, waiting, lose }
})

const settled = Effect.sleep("20 millis")
const numbers = (length: number) => Array.from({ length }, (_, n) => n)
const areConnectionErrors = (exits: ReadonlyArray<Exit.Exit<unknown, SqlError.SqlError>>) =>
  exits.every(
    (exit) =>
      Exit.isFailure(exit) &&
      exit.cause.reasons.every((reason) => Cause.isFailReason(reason) && reason.error.reason._tag === "ConnectionError")
  )

describe("The queue in front of a pool", () => {
  it.live("lets a few wait inside, and everybody through in the order they came in", () =>
    Effect.gen(function* () {
      const { queue, waiting } = yield* made(1)
      const gate = yield* Latch.make()
      const done: Array<number> = []
      let most = 0
      const work = (n: number) =>
        Effect.map(waiting, (others) => {
          most = Math.max(most, others)
          done.push(n)
        })
      const holder = yield* Effect.forkChild(queue.use(() => gate.await))
      yield* settled
      const fibers = yield* Effect.forEach(numbers(200), (n) =>
        Effect.forkChild(
          n % 3 === 0
            ? Effect.scoped(
                Effect.andThen(
                  n % 2 === 0 ? queue.get : queue.reserve,
                  Effect.sync(() => done.push(n))
                )
              )
            : queue.use(() => work(n))
        )
      )
      yield* settled
      assert.strictEqual(yield* waiting, 32)
      assert.deepEqual(done, [])

      yield* gate.open
      yield* Fiber.joinAll([holder, ...fibers])
      assert.deepEqual(done, numbers(200))
      assert.isAtMost(most, 32)
      assert.strictEqual(yield* waiting, 0)
    })
  )

  it.live("keeps no place for whoever is interrupted, waiting inside, in front or at work", () =>
    Effect.gen(function* () {
      const { queue, waiting } = yield* made(2)
      const work = Effect.sleep("1 millis")
      let ended = 0
      for (let round = 0; round < 30; round++) {
        const fibers = yield* Effect.forEach(numbers(80), (n) =>
          Effect.forkChild(n % 2 === 0 ? queue.use(() => work) : Effect.scoped(Effect.andThen(queue.reserve, work)))
        )
        yield* Effect.forEach(
          fibers,
          (fiber, n) =>
            n % 4 === 3
              ? Fiber.join(fiber)
              : Effect.andThen(Effect.sleep(Math.random() * 40), Fiber.interrupt(fiber)).pipe(Effect.asVoid),
          { concurrency: "unbounded" }
        )
        ended += fibers.length
      }
      assert.strictEqual(ended, 2_400)
      assert.strictEqual(yield* waiting, 0)

      const gate = yield* Latch.make()
      const holders = yield* Effect.forEach(numbers(2), () => Effect.forkChild(queue.use(() => gate.await)))
      const fibers = yield* Effect.forEach(numbers(40), () => Effect.forkChild(queue.use(() => Effect.void)))
      yield* settled
      assert.strictEqual(yield* waiting, 32)
      yield* gate.open
      yield* Fiber.joinAll([...holders, ...fibers])
    })
  )

  it.live("tells all who wait at once when the server is gone, and has one try for all until it is back", () =>
    Effect.gen(function* () {
      const { lose, queue, server } = yield* made(2)
      const gate = yield* Latch.make()
      const ask = Effect.exit(queue.use(() => Effect.void))
      const holders = yield* Effect.forEach(numbers(2), () => Effect.forkChild(queue.use(() => gate.await)))
      yield* settled
      const waiting = yield* Effect.forEach(numbers(400), () => Effect.forkChild(ask))
      yield* settled
      server.attempts = 0
      yield* lose
      yield* gate.open
      yield* Fiber.joinAll(holders)
      assert.isTrue(areConnectionErrors(yield* Fiber.joinAll(waiting)))
      // Those inside have theirs each.
      assert.isAtMost(server.attempts, 40)

      server.attempts = 0
      assert.isTrue(areConnectionErrors(yield* Effect.all([ask, ask, Effect.exit(Effect.scoped(queue.reserve))])))
      assert.strictEqual(server.attempts, 0)

      yield* Effect.sleep("300 millis")
      assert.isTrue(
        areConnectionErrors(
          yield* Effect.all(
            numbers(300).map(() => ask),
            { concurrency: "unbounded" }
          )
        )
      )
      assert.strictEqual(server.attempts, 1)

      server.up = true
      yield* Effect.sleep("300 millis")
      const back = yield* Effect.all(
        numbers(300).map(() => ask),
        { concurrency: "unbounded" }
      )
      assert.isTrue(back.every(Exit.isSuccess))
    })
  )

  it.live("has another try when who tried for all has gone", () =>
    Effect.gen(function* () {
      const { queue, server } = yield* made(1)
      server.up = false
      yield* Effect.exit(queue.use(() => Effect.void))
      yield* Effect.sleep("300 millis")
      server.up = true
      const trying = yield* Effect.forkChild(
        queue.use(() => Effect.void),
        { startImmediately: true }
      )
      const next = yield* Effect.forkChild(
        queue.use(() => Effect.succeed("there")),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(trying)
      assert.strictEqual(yield* Fiber.join(next), "there")
    })
  )

  it.live("leaves those alone who wait while a connection is open, when no more can be opened", () =>
    Effect.gen(function* () {
      const { queue, server } = yield* made(2)
      const gate = yield* Latch.make()
      const holder = yield* Effect.forkChild(queue.use(() => gate.await))
      yield* settled
      server.up = false
      const fibers = yield* Effect.forEach(numbers(100), () =>
        Effect.forkChild(Effect.exit(queue.use(() => Effect.void)))
      )
      yield* Effect.suspend(() => Effect.sleep("5 millis")).pipe(
        Effect.repeat({ until: () => server.attempts > 5, schedule: Schedule.recurs(100) })
      )
      yield* gate.open
      yield* Fiber.join(holder)
      const exits = yield* Fiber.joinAll(fibers)
      const served = exits.filter(Exit.isSuccess)
      assert.isAbove(served.length, 50)
      assert.isTrue(areConnectionErrors(exits.filter(Exit.isFailure)))
    })
  )

  it.live("gives whoever holds a connection another, while others wait", () =>
    Effect.gen(function* () {
      const { queue } = yield* made(2)
      const nested = Effect.scoped(
        Effect.andThen(
          queue.reserve,
          queue.use(() => Effect.succeed("asked"))
        )
      )
      const plain = numbers(100).map(() => queue.use(() => Effect.as(Effect.sleep("1 millis"), "asked")))
      const answers = yield* Effect.all([nested, ...plain], { concurrency: "unbounded" })
      assert.deepEqual([...new Set(answers)], ["asked"])
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { transaction } from "../../src/services/Database.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const deadlock = new SqlError.SqlError({ reason: new SqlError.DeadlockError({ cause: new Error("40P01") }) })
const conflict = new SqlError.SqlError({ reason: new SqlError.SerializationError({ cause: new Error("40001") }) })
const duplicate = new SqlError.SqlError({
  reason: new SqlError.UniqueViolation({ cause: new Error("23505"), constraint: "orders_pkey" })
})

/** Goes wrong in each of these ways, one after the other, and then well. */
const attempts = (...failures: ReadonlyArray<Effect.Effect<never, SqlError.SqlError>>) => {
  let count = 0
  return {
    count: () => count,
    effect: Effect.suspend((): Effect.Effect<string, SqlError.SqlError> => failures[count++] ?? Effect.succeed("done"))
  }
}

layer(TestDatabase.layer, { excludeTestServices: true })("A transaction", (it) => {
  it.effect("runs again after a deadlock or a conflict, failed or died", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const attempt = attempts(Effect.fail(deadlock), Effect.die(conflict), Effect.die(deadlock))

      assert.strictEqual(yield* attempt.effect.pipe(transaction(sql)), "done")
      assert.strictEqual(attempt.count(), 4)
    })
  )

  it.effect("gives up after three more attempts, with the error it met", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const attempt = attempts(...Array.from({ length: 9 }, () => Effect.fail(deadlock)))

      assert.strictEqual(yield* Effect.flip(attempt.effect.pipe(transaction(sql))), deadlock)
      assert.strictEqual(attempt.count(), 4)
    })
  )

  it.effect("is not repeated for any other error", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const attempt = attempts(Effect.fail(duplicate))

      assert.strictEqual(yield* Effect.flip(attempt.effect.pipe(transaction(sql))), duplicate)
      assert.strictEqual(attempt.count(), 1)
    })
  )

  it.effect("is repeated as a whole, from the outermost", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const inner = attempts(Effect.fail(deadlock))
      let outer = 0

      yield* Effect.andThen(
        Effect.sync(() => outer++),
        inner.effect.pipe(transaction(sql))
      ).pipe(transaction(sql))

      assert.strictEqual(inner.count(), 2)
      assert.strictEqual(outer, 2)
    })
  )
})

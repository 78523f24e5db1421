import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { essence, growthOf, isReplayed, sendOf, writes } from "../support/KeyedWrites.ts"
import { nextNumber } from "../support/People.ts"
import { recipesOf } from "../support/Recipes.ts"
import * as WholeApp from "../support/WholeApp.ts"
import { aLoner } from "../support/World.ts"

const many = 20

layer(WholeApp.layer, { excludeTestServices: true })(`Sent ${many} times at once with one key`, (it) => {
  for (const operation of writes) {
    const id = operation.operation["operationId"] as string
    it.effect(`${id} happens once, and every answer is the first one's or says that it still runs`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (const recipe of recipesOf(id)) {
          const actor = yield* aLoner
          const send = sendOf(operation, actor)
          const { orgId } = actor.customer
          // What it does alone; a first time makes what a customer has only one of.
          yield* sql`DELETE FROM shared_limits`
          yield* send(yield* recipe.make(actor), `key-${nextNumber()}`)
          const single = yield* recipe.make(actor)
          const alone = yield* growthOf(orgId, send(single, `key-${nextNumber()}`))
          assert.isBelow(alone.value.status, 300, alone.value.text)
          const request = yield* recipe.make(actor)
          yield* sql`DELETE FROM shared_limits`
          const key = `key-${nextNumber()}`

          const storm = yield* growthOf(
            orgId,
            Effect.all(
              Array.from({ length: many }, () => send(request, key)),
              { concurrency: "unbounded" }
            )
          )
          const again = yield* growthOf(orgId, send(request, key))

          const first = storm.value.filter((answer) => answer.status < 300 && !isReplayed(answer))
          assert.lengthOf(first, 1, storm.value.map(({ status }) => status).join())
          for (const answer of [...storm.value, again.value]) {
            if (answer.json?.code === "idempotency_in_progress") {
              assert.deepStrictEqual([answer.status, answer.headers["retry-after"]], [409, "1"])
            } else if (answer.json?.code !== "rate_limited") assert.strictEqual(essence(answer), essence(first[0]!))
          }
          assert.isTrue(isReplayed(again.value) || again.value.json?.code === "rate_limited", again.value.text)
          assert.deepStrictEqual([storm.grown, again.grown], [alone.grown, {}])
        }
      })
    )
  }
})

import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { afterAll, describe, inject } from "vitest"
import { assertProblem } from "../support/Answers.ts"
import { type Cut, cuttingProxy, type Cycle } from "../support/CuttingProxy.ts"
import { essence, growthOf, isReplayed, sendOf, writes } from "../support/KeyedWrites.ts"
import { type Operation } from "../support/OpenApiDocument.ts"
import { nextNumber } from "../support/People.ts"
import type { Recipe } from "../support/Recipe.ts"
import { recipesOf } from "../support/Recipes.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as WholeApp from "../support/WholeApp.ts"
import { type Actor, aLoner } from "../support/World.ts"

const server = inject("server")
const { hostname, port } = new URL(server?.url ?? "postgres://127.0.0.1")
const proxy = await cuttingProxy({ host: hostname, port: Number(port || 5432) })
const byProxy = (url: string) =>
  Object.assign(new URL(url), { hostname: "127.0.0.1", port: String(proxy.port), search: "" }).href

afterAll(() => proxy.close())

/** The claim of a write that calls out, which is the same for all of them. */
const isClaim = ({ statements, within }: Cycle) =>
  !within && statements.some((one) => /^\s*INSERT INTO idempotency_keys\b/.test(one))

/** Where something of a request's is there for good: a COMMIT, or a write outside of any transaction. */
const isLasting = (cycle: Cycle) =>
  /^portico_(?:customer|platform)$/.test(cycle.role) &&
  !isClaim(cycle) &&
  cycle.statements.some((one) => one === "COMMIT" || (!cycle.within && /^\s*(?:INSERT|UPDATE|DELETE|WITH)\b/.test(one)))

/** Sends one request of the recipe's, loses a connection, and asks twice more with the same key. */
const lose = Effect.fnUntraced(function* (
  operation: Operation,
  recipe: Recipe,
  actor: Actor,
  { is, nth, ...cut }: Omit<Cut, "at"> & { readonly is: (cycle: Cycle) => boolean; readonly nth: number }
) {
  const sql = yield* SqlClient.SqlClient
  const send = sendOf(operation, actor)
  const request = yield* recipe.make(actor)
  yield* sql`DELETE FROM shared_limits`
  const key = `key-${nextNumber()}`
  const before = proxy.cuts()
  let passed = 0
  proxy.cut({ ...cut, at: (cycle) => is(cycle) && passed++ === nth })
  const { grown, value } = yield* growthOf(
    actor.customer.orgId,
    Effect.gen(function* () {
      const first = yield* send(request, key)
      proxy.cut(undefined)
      yield* sql`DELETE FROM shared_limits`
      return { first, again: yield* send(request, key), last: yield* send(request, key) }
    })
  )
  const { again, first, last } = value
  const where = `${cut.when} number ${nth}: ${again.text}`
  // What has been found out in time need not be asked again.
  if (first.status === 503) assertProblem(first, 503, "service_unavailable")
  else assert.strictEqual(essence(first), essence(again), where)
  assert.strictEqual(essence(last), essence(again), where)
  assert.isTrue(isReplayed(last), where)
  return { status: again.status, grown, cut: proxy.cuts() > before }
})

/**
 * What one request of the recipe's comes to when nothing is lost, and in how many moments it could be; a first one makes
 * what a customer has only one of.
 */
const keep = Effect.fnUntraced(function* (operation: Operation, recipe: Recipe, actor: Actor) {
  const send = sendOf(operation, actor)
  yield* SqlClient.SqlClient.use((sql) => sql`DELETE FROM shared_limits`)
  yield* send(yield* recipe.make(actor), `key-${nextNumber()}`)
  const request = yield* recipe.make(actor)
  let moments = 0
  const count = (cycle: Cycle) => {
    if (isLasting(cycle)) moments++
    return false
  }
  proxy.cut({ when: "before", at: count })
  const { grown, value } = yield* growthOf(actor.customer.orgId, send(request, `key-${nextNumber()}`))
  proxy.cut(undefined)
  return { kept: { status: value.status, grown }, moments }
})

describe.skipIf(server === undefined)("When the connection to Postgres is lost", () => {
  layer(WholeApp.layerOn(TestDatabase.layerBy(byProxy)), { excludeTestServices: true })((it) => {
    for (const operation of writes) {
      const id = operation.operation["operationId"] as string
      it.effect(`while it commits, ${id} happens once, and a repeat tells how it went`, () =>
        Effect.gen(function* () {
          for (const recipe of recipesOf(id)) {
            const actor = yield* aLoner
            const { kept, moments } = yield* keep(operation, recipe, actor)
            assert.isAbove(moments, 0)
            for (let nth = 0; nth < moments; nth++) {
              for (const when of ["before", "after"] as const) {
                const lost = yield* lose(operation, recipe, actor, { is: isLasting, nth, when })
                assert.deepStrictEqual(lost, { ...kept, cut: nth === 0 || lost.cut }, `${when} number ${nth}`)
              }
            }
          }
        })
      )
    }

    it.effect("and Postgres does not notice at once, who asks again need not wait for that", () =>
      Effect.gen(function* () {
        const operation = writes.find(({ operation }) => operation["operationId"] === "profile.change")!
        for (const recipe of recipesOf("profile.change")) {
          const actor = yield* aLoner
          const { kept } = yield* keep(operation, recipe, actor)
          const cut = { is: isLasting, nth: 0, when: "before", unnoticed: 300 } as const
          assert.deepStrictEqual(yield* lose(operation, recipe, actor, cut), { ...kept, cut: true })
        }
      })
    )

    it.effect("while it claims its key, a repeat need not wait for the claim to run out", () =>
      Effect.gen(function* () {
        const operation = writes.find(({ operation }) => operation["operationId"] === "addresses.autocomplete")!
        for (const recipe of recipesOf("addresses.autocomplete")) {
          const actor = yield* aLoner
          const { kept } = yield* keep(operation, recipe, actor)
          for (const when of ["before", "after"] as const) {
            assert.deepStrictEqual(yield* lose(operation, recipe, actor, { is: isClaim, nth: 0, when }), {
              ...kept,
              cut: true
            })
          }
        }
      })
    )
  })
})

if (server === undefined) console.warn("CutConnections.test.ts is skipped: it takes a server of TEST_DATABASE_URL")

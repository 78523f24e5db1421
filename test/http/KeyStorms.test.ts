import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type Answer, App } from "../support/App.ts"
import { form } from "../support/Forms.ts"
import { type Json, type Operation, operations } from "../support/OpenApiDocument.ts"
import { nextNumber } from "../support/People.ts"
import { recipesOf } from "../support/Recipes.ts"
import { urlOf } from "../support/References.ts"
import * as WholeApp from "../support/WholeApp.ts"
import { type Actor, aLoner, fingerprints } from "../support/World.ts"

const many = 20

const writes = operations.filter(({ operation }) =>
  operation["parameters"].some(({ $ref = "" }: Json) => $ref.endsWith("/IdempotencyKey"))
)

/** How many rows an org has in each table, but for the keys themselves and what the background adds in its own time. */
const rowsOf = (orgId: string) =>
  Effect.map(fingerprints, (all) => {
    const rows = new Map<string, number>()
    for (const [whose, sum] of all) {
      const [table, org] = whose.split(" ")
      if (org !== orgId || ["idempotency_keys", "deliveries", "outbox_messages"].includes(table!)) continue
      rows.set(table!, (rows.get(table!) ?? 0) + Number(sum.split(" ")[0]))
    }
    return rows
  })

const growthOf = <A, E, R>(orgId: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* rowsOf(orgId)
    const value = yield* effect
    const after = yield* rowsOf(orgId)
    const tables = [...new Set([...before.keys(), ...after.keys()])].sort()
    const grown = tables.map((table) => [table, (after.get(table) ?? 0) - (before.get(table) ?? 0)] as const)
    return { value, grown: Object.fromEntries(grown.filter(([, rows]) => rows !== 0)) }
  })

const sendOf = ({ method, operation, path }: Operation, { customer, platform }: Actor) =>
  Effect.fnUntraced(function* (request: Parameters<typeof urlOf>[1], key: string) {
    const { call } = yield* App
    const isPlatform = "apiKey" in (operation["security"][0] ?? {})
    const sent = request.form === undefined ? { body: request.body } : form(request.form)
    return yield* call(isPlatform ? platform : customer, method.toUpperCase(), urlOf(path, request), {
      ...sent,
      headers: { ...sent.headers, ...request.headers, "idempotency-key": key }
    })
  })

const isReplayed = ({ headers }: Answer) => headers["idempotency-replayed"] === "true"
const essence = ({ bytes, headers, status }: Answer) =>
  JSON.stringify([status, headers["etag"], headers["content-type"], Buffer.from(bytes).toString("base64")])

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

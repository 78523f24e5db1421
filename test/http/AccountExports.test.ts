import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { AccountExports } from "../../src/services/AccountExports.ts"
import { assertProblem } from "../support/Answers.ts"
import * as App from "../support/App.ts"
import { type Customer, people, placeOrder } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const writeDue = AccountExports.use(({ writeDue }) => writeDue)

const request = Effect.fnUntraced(function* (who: Customer) {
  const { call } = yield* App.App
  const asked = yield* call(who, "POST", "/client-data/account/export")
  assert.strictEqual(asked.status, 202, asked.text)
  return asked
})

layer(App.layer, { excludeTestServices: true })("An export", (it) => {
  it.effect("is a file of the customer's own with all that the account tells, and they are told of it", () =>
    Effect.gen(function* () {
      const { call } = yield* App.App
      const { ada, eve } = yield* people
      yield* placeOrder(ada)
      const order = yield* placeOrder(eve)
      yield* call(ada, "PUT", "/client-data/profile", { body: { about: "<script>\u007f" } })
      const before = yield* call(ada, "GET", "/client-data/all")

      const asked = yield* request(ada)
      const location = asked.headers["location"]!
      assert.strictEqual(location, `/client-data/account/exports/${asked.json.id}`)
      assert.deepInclude(asked.json, { status: "queued", path: null, size: null, finishedAt: null })
      assert.strictEqual(yield* writeDue, 1)

      const ready = (yield* call(ada, "GET", location)).json
      assert.strictEqual(ready.status, "ready")
      assert.match(ready.path, /^exports\/account-\d{4}-\d\d-\d\d\.json$/)
      const { data } = (yield* call(ada, "GET", "/client-data/files")).json
      assert.lengthOf(data, 1)
      assert.deepInclude(data[0], { path: ready.path, contentType: "application/json", size: ready.size })
      const content = yield* call(ada, "GET", `/client-data/files/${encodeURIComponent(ready.path)}`)
      const { asOf: _, ...told } = JSON.parse(content.text)
      const { asOf: __, ...known } = before.json
      assert.deepEqual(told, known)
      assert.notInclude(content.text, order.id)
      assert.strictEqual(content.bytes.length, ready.size)

      const [notice] = (yield* call(ada, "GET", "/client-data/notifications")).json.data
      assert.deepInclude(notice, { title: "Your data is ready", data: { exportId: ready.id, path: ready.path } })
    })
  )

  it.effect("is one at a time, and the next one is another file", () =>
    Effect.gen(function* () {
      const { call } = yield* App.App
      const { ada, eve } = yield* people
      const asked = yield* Effect.forEach([1, 2, 3, 4], () => request(ada), { concurrency: "unbounded" })
      assert.strictEqual(new Set(asked.map(({ json }) => json.id)).size, 1)
      const hers = yield* request(eve)
      assert.notStrictEqual(hers.json.id, asked[0]!.json.id)
      assert.strictEqual(yield* writeDue, 2)
      const next = yield* request(ada)
      assert.notStrictEqual(next.json.id, asked[0]!.json.id)
      yield* writeDue
      const { data } = (yield* call(ada, "GET", "/client-data/files?sort=path&order=asc")).json
      assert.lengthOf(data, 2)
    })
  )

  it.effect("is written once by however many replicas, and taken over from one that has died", () =>
    Effect.gen(function* () {
      const { call } = yield* App.App
      const sql = yield* SqlClient.SqlClient
      const { acme, ada } = yield* people
      const { json } = yield* request(ada)
      const written = yield* Effect.all([writeDue, writeDue, writeDue], { concurrency: "unbounded" })
      assert.strictEqual(
        written.reduce((sum, one) => sum + one, 0),
        1
      )
      // As a process leaves it that was killed half way.
      yield* sql`
        UPDATE account_exports SET status = 'running', path = NULL, size = NULL, finished_at = NULL,
          due_at = now() + interval '1 minute' WHERE org_id = ${acme}`
      assert.strictEqual(yield* writeDue, 0)
      yield* sql`UPDATE account_exports SET due_at = now() WHERE org_id = ${acme}`
      assert.strictEqual(yield* writeDue, 1)
      assert.strictEqual((yield* call(ada, "GET", `/client-data/account/exports/${json.id}`)).json.status, "ready")
    })
  )

  it.effect("fits though the customer has no room left for files", () =>
    Effect.gen(function* () {
      const { call } = yield* App.App
      const sql = yield* SqlClient.SqlClient
      const { acme, ada } = yield* people
      const { json } = yield* request(ada)
      yield* Effect.scoped(
        Effect.andThen(
          TestDatabase.withoutPolicies,
          sql`INSERT INTO file_usage (org_id, customer_id, bytes) VALUES (${acme}, 'ada', ${2 ** 30})`
        )
      )
      yield* writeDue
      const ready = (yield* call(ada, "GET", `/client-data/account/exports/${json.id}`)).json
      assert.strictEqual(ready.status, "ready")
      const gone = yield* call(ada, "DELETE", `/client-data/files/${encodeURIComponent(ready.path)}`)
      assert.strictEqual(gone.status, 204, gone.text)
    })
  )

  it.effect("of somebody else is not there", () =>
    Effect.gen(function* () {
      const { call } = yield* App.App
      const { ada, eve, mallory, namesake } = yield* people
      const { json } = yield* request(ada)
      const missing = yield* call(eve, "GET", `/client-data/account/exports/nothing`)
      for (const stranger of [eve, mallory, namesake]) {
        const answer = yield* call(stranger, "GET", `/client-data/account/exports/${json.id}`)
        assertProblem(answer, 404, "export_not_found")
        assert.strictEqual(answer.json.detail, missing.json.detail)
      }
      yield* writeDue
    })
  )
})

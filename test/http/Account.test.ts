import { assert, layer } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { gunzipSync } from "node:zlib"
import * as TokensMint from "../../src/layers/TokensMint.ts"
import { Readiness } from "../../src/services/Readiness.ts"
import { assertInvalid, assertProblem } from "../support/Answers.ts"
import * as App from "../support/App.ts"
import { eventually, listen } from "../support/EventStream.ts"
import { type Customer, people, placeOrder } from "../support/People.ts"

const names =
  "profile verification addresses paymentMethods orders tickets conversations messages notifications pushTokens wishlist reservations files benefits enrollments transactions wallet cursor asOf"

/** A connection of the customer's to their events, closed with the scope. */
const follow = Effect.fnUntraced(function* (who: Customer, query = "", more: Readonly<Record<string, string>> = {}) {
  const app = yield* App.App
  const headers = { orgid: who.orgId, authorization: `Bearer ${yield* app.tokenOf(who)}`, ...more }
  return yield* Effect.acquireRelease(
    Effect.promise(() => listen(`${app.baseUrl}/client-data/events${query}`, headers)),
    (stream) => Effect.sync(stream.close)
  )
})

layer(App.layer, { excludeTestServices: true })("The account", (it) => {
  it.effect("comes whole, in one answer, with a cursor that changes go on from", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const { ada } = yield* people
      const order = yield* placeOrder(ada)
      yield* app.call(ada, "POST", "/client-data/tickets", { body: { title: "Broken", description: "It is." } })
      yield* app.call(ada, "POST", "/client-data/messages", { body: { text: "Hello" } })

      const all = yield* app.call(ada, "GET", "/client-data/all")
      assert.strictEqual(all.status, 200, all.text)
      assert.strictEqual(Object.keys(all.json).join(" "), names)
      for (const [name, path] of [
        ["orders", "orders"],
        ["addresses", "addresses"],
        ["paymentMethods", "payment-methods"]
      ] as const) {
        const list = yield* app.call(ada, "GET", `/client-data/${path}`)
        assert.deepEqual(all.json[name], list.json.data)
      }
      assert.deepEqual(all.json.orders[0].id, order.id)
      assert.deepEqual(all.json.profile, (yield* app.call(ada, "GET", "/client-data/profile")).json)
      assert.deepEqual(all.json.wallet, { balance: null })
      assert.lengthOf(all.json.tickets, 1)
      assert.deepEqual(all.json.tickets[0].comments, [])

      const none = yield* app.call(ada, "GET", `/client-data/changes?since=${all.json.cursor}`)
      assert.deepEqual(none.json, { data: [], cursor: all.json.cursor, hasNext: false })
      yield* app.call(ada, "PUT", "/client-data/profile", { body: { about: "Counts" } })
      const one = yield* app.call(ada, "GET", `/client-data/changes?since=${all.json.cursor}`)
      assert.strictEqual(one.json.data.length, 1)
      assert.deepInclude(one.json.data[0], { type: "profile", op: "upsert", id: "ada" })
      assert.strictEqual(one.json.data[0].record.about, "Counts")
    })
  )

  it.effect("is compressed for who accepts it, and not sent again to who has it", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const { ada } = yield* people
      yield* placeOrder(ada)
      const plain = yield* app.call(ada, "GET", "/client-data/all")
      const zipped = yield* app.call(ada, "GET", "/client-data/all", { headers: { "accept-encoding": "gzip" } })
      assert.strictEqual(zipped.headers["content-encoding"], "gzip")
      assert.include(zipped.headers["vary"], "Accept-Encoding")
      const { asOf: _, ...sent } = JSON.parse(gunzipSync(zipped.bytes).toString())
      const { asOf: _1, ...all } = plain.json
      assert.deepEqual(sent, all)

      for (const path of ["/client-data/all", "/client-data/dashboard"]) {
        const first = yield* app.call(ada, "GET", path)
        const known = { headers: { "if-none-match": first.headers["etag"]! } }
        const again = yield* app.call(ada, "GET", path, known)
        assert.deepEqual([again.status, again.text, again.headers["etag"]], [304, "", first.headers["etag"]])
        yield* placeOrder(ada)
        assert.strictEqual((yield* app.call(ada, "GET", path, known)).status, 200)
      }
      const head = yield* app.call(ada, "HEAD", "/client-data/all")
      assert.deepEqual([head.status, head.text], [200, ""])
    })
  )

  it.effect("refuses cursors of others, and those that the log no longer reaches", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const sql = yield* SqlClient.SqlClient
      const { acme, ada, eve, namesake } = yield* people
      const { cursor } = (yield* app.call(ada, "GET", "/client-data/all")).json
      for (const who of [eve, namesake]) {
        assertInvalid(yield* app.call(who, "GET", `/client-data/changes?since=${cursor}`), "/query/since")
        assertInvalid(yield* app.call(who, "GET", `/client-data/events?since=${cursor}`), "/query/since")
      }
      assertInvalid(yield* app.call(ada, "GET", "/client-data/changes"), "/query/since")
      assertInvalid(yield* app.call(ada, "GET", "/client-data/changes?since=%00"), "/query/since")
      const headers = { "last-event-id": "42" }
      assertInvalid(yield* app.call(ada, "GET", "/client-data/events", { headers }), "/header/last-event-id")
      yield* placeOrder(ada)
      yield* sql`UPDATE customer_change_counters SET forgotten = last WHERE org_id = ${acme} AND customer_id = 'ada'`
      assertProblem(yield* app.call(ada, "GET", `/client-data/changes?since=${cursor}`), 410, "cursor_expired")
      assertProblem(yield* app.call(ada, "GET", `/client-data/events?since=${cursor}`), 410, "cursor_expired")
    })
  )
})

layer(App.layer, { excludeTestServices: true })("Events", (it) => {
  it.effect("begin at once, and come as things happen, to their customer alone", () =>
    Effect.gen(function* () {
      const { ada, eve } = yield* people
      const hers = yield* follow(ada)
      const others = yield* follow(eve)
      assert.strictEqual(hers.response.headers["content-type"], "text/event-stream; charset=utf-8")
      assert.match(hers.text(), /^: connected\nretry: 2000\nid: [\w-]+\n\n$/)
      const order = yield* placeOrder(ada)
      assert.isTrue(yield* eventually(() => hers.events.length === 1, 1000))
      assert.deepInclude(hers.events[0]!.data, { type: "order", op: "upsert", id: order.id })
      assert.strictEqual(hers.events[0]!.data.record?.["number"], order.number)
      const theirs = yield* placeOrder(eve)
      assert.isTrue(yield* eventually(() => others.events.length > 0))
      assert.deepEqual(
        [hers, others].map(({ events }) => events.map(({ data }) => data.id)),
        [[order.id], [theirs.id]]
      )
    })
  )

  it.effect("go on after the last one received, without a gap or a repeat", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const first = yield* follow(ada)
      const ids: Array<string> = []
      for (let n = 0; n < 3; n++) ids.push((yield* placeOrder(ada)).id)
      yield* eventually(() => first.events.length === 3)
      const [one] = first.events
      first.close()
      for (let n = 0; n < 250; n++) ids.push((yield* placeOrder(ada)).id)
      const second = yield* follow(ada, "", { "last-event-id": one!.id })
      ids.push((yield* placeOrder(ada)).id)
      yield* eventually(() => second.events.length === 253)
      assert.deepEqual(
        second.events.map(({ data }) => data.id),
        ids.slice(1)
      )
    })
  )

  it.effect("end with the token that they were opened with", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const { ada } = yield* people
      const provider = ConfigProvider.fromEnv({ env: { AUTH_JWT_SECRET: App.secret } })
      const token = yield* TokensMint.mint({
        secret: Redacted.make(App.secret),
        claims: ada.claims,
        expiresIn: "2 seconds"
      }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, provider), Effect.orDie)
      const short = yield* follow(ada, "", { authorization: `Bearer ${token}` })
      const long = yield* follow(ada)
      let over = 0
      void short.ended.then(() => (over = Date.now()))
      assert.isTrue(yield* eventually(() => over > 0))
      assert.isTrue(short.response.complete)
      let closed = false
      void long.ended.then(() => (closed = true))
      assert.isFalse(closed)
      assert.strictEqual((yield* app.call(ada, "HEAD", "/client-data/events")).status, 200)
    })
  )

  it.effect("end when their log is given a new start, and who comes back is told so", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const sql = yield* SqlClient.SqlClient
      const { ada, eve } = yield* people
      const hers = yield* follow(ada)
      const others = yield* follow(eve)
      yield* sql`UPDATE customer_change_counters SET seal = gen_random_uuid()::text
        WHERE org_id = ${ada.orgId} AND customer_id = ${ada.customerId}`
      assert.isTrue(yield* eventually(() => hers.response.closed))
      assert.isFalse(others.response.closed)
      const back = yield* app.call(ada, "GET", "/client-data/events", { headers: { "last-event-id": hers.lastId()! } })
      assert.strictEqual(back.status, 400)
    })
  )

  it.effect("are ten for each customer at most, and who leaves makes room", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const { ada, eve } = yield* people
      const open = yield* Effect.forEach(Array.from({ length: 10 }), () => follow(ada))
      assertProblem(yield* app.call(ada, "GET", "/client-data/events"), 429, "rate_limited")
      yield* follow(eve)
      open[0]!.close()
      yield* Effect.sleep("200 millis")
      const again = yield* follow(ada)
      assert.strictEqual(again.response.statusCode, 200)
    })
  )

  it.effect("end when shutdown begins", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const stream = yield* follow(ada)
      let over = false
      void stream.ended.then(() => (over = true))
      yield* Readiness.use(({ close }) => close)
      assert.isTrue(yield* eventually(() => over, 2000))
      assert.isTrue(stream.response.complete)
    })
  )
})

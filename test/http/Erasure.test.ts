import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { AccountExports } from "../../src/services/AccountExports.ts"
import { Broadcasts } from "../../src/services/Broadcasts.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { DeliveryQueue } from "../../src/services/DeliveryQueue.ts"
import { DeliveryWorkers } from "../../src/services/DeliveryWorkers.ts"
import { Deliveries } from "../../src/services/Deliveries.ts"
import { ErasureRuns } from "../../src/services/ErasureRuns.ts"
import { Erasures } from "../../src/services/Erasures.ts"
import { erasedTables, keptTables, lastErasedTables, otherwiseErasedTables } from "../../src/services/ErasureTables.ts"
import { SharedLimits } from "../../src/services/SharedLimits.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { book, define } from "../support/Bookings.ts"
import { canaryOf } from "../support/Canaries.ts"
import { Channels, layer as channels } from "../support/Channels.ts"
import { file, form } from "../support/Forms.ts"
import { as, type Customer, makeCustomer, makeOrg, nextNumber, people, placeOrder } from "../support/People.ts"
import { recipes } from "../support/Recipes.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { guards } from "../support/TestServices.ts"
import { type Actor, aPhone, changedBetween, fingerprints } from "../support/World.ts"

const queue = DeliveryQueue.layerWith({
  lockExpiration: "10 seconds",
  lockRefreshInterval: "2 seconds",
  pollInterval: "50 millis"
})

/** Codes that a test can read. */
const services = Layer.fresh(
  Layer.merge(
    Erasures.layerWith({ graceDays: 14 }).pipe(Layer.provide([Deliveries.layer, SharedLimits.layer])),
    DeliveryWorkers.layerWith({ workers: 2, lease: "20 seconds" })
  ).pipe(Layer.provide(queue), Layer.provideMerge(channels))
).pipe(Layer.provide(TestDatabase.layer), Layer.orDie)

const at = "/client-data/account/erasure"
/** By the clock of the application, which tests before may have turned on. */
const runDue = SqlClient.SqlClient.use((sql) =>
  Effect.andThen(
    sql`UPDATE erasures SET erases_at = erases_at - interval '1 hour'`,
    ErasureRuns.use(({ runDue }) => runDue)
  )
)

/** As if every replica had noticed, and every wait was over. */
const waitOver = ({ customerId, orgId }: Customer) =>
  SqlClient.SqlClient.use((sql) =>
    Effect.andThen(
      sql`
        UPDATE customers SET erased_at = erased_at - interval '1 minute' WHERE org_id = ${orgId} AND id = ${customerId}`,
      sql`UPDATE erasures SET due_at = now() WHERE org_id = ${orgId} AND customer_id = ${customerId}`
    )
  )

const codeTo = (to: string) =>
  Channels.use(({ mails, texts }) =>
    Effect.sync(() => [...mails, ...texts].findLast((message) => message.to === to)?.code).pipe(
      Effect.repeat({ until: (code) => code !== undefined, schedule: Schedule.spaced("20 millis") }),
      Effect.timeout("10 seconds"),
      Effect.orDie,
      Effect.map((code) => code!)
    )
  )

const verified = Effect.gen(function* () {
  const email = `ada-${nextNumber()}@acme.example`
  const orgId = yield* makeOrg("acme")
  return { email, ada: yield* makeCustomer(orgId, "ada", { name: "Ada", email, emailVerified: true }) }
})

const ask = (who: Customer, body: unknown = {}) => App.use(({ call }) => call(who, "POST", at, { body }))

/** Every row of every table that holds a text, by table; what the books keep is left out. */
const rowsWith = Effect.fnUntraced(function* (text: string) {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ readonly name: string }>`
    SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`
  const found: Array<string> = []
  for (const { name } of tables) {
    const kept = name === "orders" ? "- 'items'" : ""
    const bytes = name === "idempotency_keys" ? "|| coalesce(encode(body, 'escape'), '')" : ""
    const rows = yield* sql<{ readonly text: string }>`
      SELECT text FROM (
        SELECT (to_jsonb(t) ${sql.literal(kept)})::text ${sql.literal(bytes)} AS text FROM ${sql.literal(name)} AS t
      ) AS shown WHERE position(${text} in text) > 0`
    for (const row of rows) found.push(`${name}: ${row.text}`)
  }
  return found
})

const objectsWith = (text: string) =>
  readdirSync(TestApp.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text))

layer(TestApp.layerWith({}, services), { excludeTestServices: true, timeout: "2 minutes" })("An erasure", (it) => {
  it.effect("asked for by the customer takes a code from where they have proven to be, and can be called off", () =>
    Effect.gen(function* () {
      const { advance, call } = yield* App
      const { ada, email } = yield* verified
      assert.deepInclude((yield* call(ada, "GET", at)).json, { status: "none", blockers: [], receipts: [] })
      assertProblem(yield* ask(ada, { code: "123456" }), 400, "code_expired")

      const sent = yield* ask(ada)
      assert.strictEqual(sent.status, 200, sent.text)
      assert.deepInclude(sent.json, { status: "code_sent", blockers: [] })
      assert.deepInclude(sent.json.codeSent, { channel: "email", to: "a***@acme.example", attemptsLeft: 5 })
      assertProblem(yield* ask(ada), 429, "resend_too_soon")
      const code = yield* codeTo(email)
      const wrong = yield* ask(ada, { code: code === "000000" ? "111111" : "000000" })
      assertProblem(wrong, 400, "invalid_code")
      assert.strictEqual(wrong.json.attemptsLeft, 4)

      const scheduled = yield* ask(ada, { code })
      assert.strictEqual(scheduled.status, 202, scheduled.text)
      assert.deepInclude(scheduled.json, { status: "scheduled", requestedBy: "customer", startedAt: null })
      const days = (Date.parse(scheduled.json.erasesAt) - Date.parse(scheduled.json.requestedAt)) / 86_400_000
      assert.strictEqual(days, 14)
      assertProblem(yield* ask(ada), 409, "erasure_scheduled")
      assertProblem(yield* ask(ada, { code }), 409, "erasure_scheduled")
      assert.strictEqual(yield* runDue, 0)

      assert.strictEqual((yield* call(ada, "DELETE", at)).status, 204)
      assertProblem(yield* call(ada, "DELETE", at), 404, "erasure_not_found")
      assertProblem(yield* ask(ada, { code }), 400, "code_expired")
      yield* advance("61 seconds")
      assert.strictEqual((yield* call(ada, "GET", at)).json.status, "none")
    })
  )

  it.effect("is not guessed: the fifth wrong code is the last", () =>
    Effect.gen(function* () {
      const { ada, email } = yield* verified
      yield* ask(ada)
      const code = yield* codeTo(email)
      const wrong = code === "000000" ? "111111" : "000000"
      const answers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => ask(ada, { code: wrong }), {
        concurrency: "unbounded"
      })
      assert.deepEqual(answers.map(({ json }) => json.code).sort(), [
        ...Array.from({ length: 4 }, () => "invalid_code"),
        "too_many_attempts",
        "too_many_attempts"
      ])
      assertProblem(yield* ask(ada, { code }), 429, "too_many_attempts")
    })
  )

  it.effect("needs something proven, and nothing under way", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { eve } = yield* people
      assertProblem(yield* ask(eve), 409, "no_verified_channel")

      const { ada, email } = yield* verified
      const sql = yield* SqlClient.SqlClient
      const order = yield* placeOrder(ada, { status: "shipped" })
      yield* sql`INSERT INTO wallets (org_id, customer_id, currency, balance) VALUES (${ada.orgId}, 'ada', 'USD', 500)`
      const sent = yield* ask(ada)
      const types = (json: { readonly blockers: ReadonlyArray<{ type: string }> }) =>
        json.blockers.map(({ type }) => type)
      assert.deepEqual(types(sent.json), ["order", "wallet"])
      assert.strictEqual(sent.json.blockers[0].id, order.id)
      const code = yield* codeTo(email)
      const blocked = yield* ask(ada, { code })
      assertProblem(blocked, 409, "erasure_blocked")
      assert.deepEqual(types(blocked.json), ["order", "wallet"])
      yield* sql`UPDATE orders SET status = 'completed' WHERE org_id = ${ada.orgId}`
      yield* sql`UPDATE wallets SET balance = 0 WHERE org_id = ${ada.orgId}`
      assert.strictEqual((yield* ask(ada, { code })).status, 202)
      // What comes between is waited for as well.
      yield* placeOrder(ada, { status: "paid" })
      yield* sql`UPDATE erasures SET erases_at = now() - interval '1 day' WHERE org_id = ${ada.orgId}`
      yield* runDue
      assert.strictEqual((yield* call(ada, "GET", at)).json.status, "scheduled")
      yield* sql`UPDATE orders SET status = 'completed' WHERE org_id = ${ada.orgId}`
      yield* sql`UPDATE erasures SET due_at = now() WHERE org_id = ${ada.orgId}`
      yield* runDue
      yield* waitOver(ada)
      yield* runDue
      const [row] = yield* sql`SELECT finished_at, code_hash FROM erasures WHERE org_id = ${ada.orgId}`
      assert.isNotNull(row!["finishedAt"])
      assert.isNull(row!["codeHash"])
    })
  )

  it.effect("leaves nothing of the customer in any row, in storage or at a provider, and of others everything", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const sql = yield* SqlClient.SqlClient
      const orgId = yield* makeOrg("acme")
      const platform = yield* platformOf(orgId)
      const actor = Effect.fnUntraced(function* (id: string) {
        const canary = canaryOf({ orgId, customerId: id })
        const columns = {
          name: canary,
          email: `${canary}@example.com`,
          about: canary,
          phone: aPhone(),
          userId: `user ${canary}`
        }
        return { canary, platform, customer: yield* makeCustomer(orgId, id, columns) } satisfies Actor
      })
      const [ada, eve] = [yield* actor("ada-00001"), yield* actor("eve-00002")]
      for (const one of [ada, eve]) {
        for (const [operation, recipe] of Object.entries(recipes)) {
          if (
            /^(platformOutbox|verification\.verify|notifications\.(list|read)|stripeEvents|account\.(erase|keep)|platformCustomers\.eras)/.test(
              operation
            )
          )
            continue
          for (const { make } of [recipe].flat()) yield* make(one)
        }
        yield* call(one.customer, "POST", "/client-data/tickets", {
          body: { title: one.canary, description: one.canary },
          headers: { "idempotency-key": `"${crypto.randomUUID()}"` }
        })
        yield* call(platform, "PUT", `/platform/customers/${one.customer.customerId}`, {
          body: { name: one.canary },
          headers: { "idempotency-key": `"${crypto.randomUUID()}"` }
        })
      }
      yield* AccountExports.use(({ writeDue }) => writeDue)
      yield* Broadcasts.use(({ tellNext }) => Effect.repeat(tellNext, { while: (told) => told > 0 }))
      const before = yield* fingerprints
      const kept =
        yield* sql`SELECT count(*)::int AS orders FROM orders WHERE customer_id = 'ada-00001' AND org_id = ${orgId}`
      const holding = new Set((yield* rowsWith(ada.canary)).map((row) => row.split(":")[0]))
      assert.isAbove(holding.size, 12, [...holding].join())
      assert.isNotEmpty(objectsWith(ada.canary))
      const link = (yield* call(ada.customer, "GET", "/client-data/files")).json.data[0].url as string

      const asked = yield* call(platform, "DELETE", "/platform/customers/ada-00001")
      assert.strictEqual(asked.status, 202, asked.text)
      assert.strictEqual(asked.headers["location"], "/platform/customers/ada-00001/erasure")
      assert.deepInclude(asked.json, { status: "scheduled", requestedBy: "platform" })
      assert.isNotEmpty(asked.json.blockers)
      yield* runDue
      const running = (yield* call(platform, "GET", asked.headers["location"]!)).json
      assert.strictEqual(running.status, "running")
      yield* waitOver(ada.customer)
      yield* runDue
      const done = (yield* call(platform, "GET", asked.headers["location"]!)).json
      assert.strictEqual(done.status, "finished", JSON.stringify(done))
      assert.sameMembers(
        done.receipts.map(({ system }: { readonly system: string }) => system),
        ["access", "stripe", "paypal", "files", "records", "books", "profile", "log"]
      )
      assert.isTrue(
        done.receipts.every(({ doneAt, lastError }: Record<string, unknown>) => doneAt !== null && lastError === null)
      )

      assert.deepEqual(yield* rowsWith(ada.canary), [])
      assert.deepEqual(objectsWith(ada.canary), [])
      assert.deepEqual(yield* sql`SELECT 1 FROM local_vaults WHERE org_id = ${orgId} AND name LIKE '%ada-00001'`, [])
      const left = yield* Effect.filter([...erasedTables, ...otherwiseErasedTables, ...lastErasedTables], (table) =>
        Effect.map(
          sql`SELECT 1 FROM ${sql(table)} WHERE org_id = ${orgId} AND customer_id = 'ada-00001'`,
          (rows) => rows.length > 0
        )
      )
      assert.deepEqual(left, [])
      assert.deepEqual(
        yield* sql`SELECT count(*)::int AS orders FROM orders WHERE customer_id = 'ada-00001' AND org_id = ${orgId}`,
        kept
      )
      const mayChange = (org: string, customer: string) => org === orgId && ["ada-00001", "*"].includes(customer)
      // The test's own clock, and workers that deliver meanwhile.
      const changed = changedBetween(before, yield* fingerprints, mayChange)
      assert.deepEqual(
        changed.filter((whose) => !/^(erasures|deliveries|delivery_queue|outbox) /.test(whose)),
        []
      )
      assert.isNotEmpty(objectsWith(eve.canary))
      assert.include((yield* call(eve.customer, "GET", "/client-data/all")).text, eve.canary)

      // Nobody comes back: not by a token, a link, a push or a write that was late.
      yield* Effect.sleep("10 millis")
      assertProblem(yield* call(platform, "GET", "/platform/customers/ada-00001"), 404, "customer_not_found")
      assertProblem(
        yield* call(platform, "PUT", "/platform/customers/ada-00001", { body: { name: "Ada" } }),
        404,
        "customer_not_found"
      )
      assert.strictEqual((yield* call(undefined, "GET", new URL(link).pathname)).status, 404)
      const late = yield* Effect.exit(placeOrder(ada.customer))
      assert.strictEqual(late._tag, "Failure")
      const again = yield* call(platform, "DELETE", "/platform/customers/ada-00001")
      assert.deepEqual([again.status, again.json.status], [202, "finished"])
      assert.strictEqual(yield* runDue, 0)
    })
  )

  it.effect("is the end of a token, and whoever comes with the same address is somebody new", () =>
    Effect.gen(function* () {
      const { advance, call, platformOf } = yield* App
      const { ada, email } = yield* verified
      yield* call(ada, "PUT", "/client-data/profile", { body: { about: "Counts" } })
      yield* call(yield* platformOf(ada.orgId), "DELETE", "/platform/customers/ada")
      yield* runDue
      yield* advance("6 seconds")
      assertProblem(yield* call(ada, "GET", "/client-data/profile"), 401, "invalid_token")
      assertProblem(yield* call(ada, "GET", at), 401, "invalid_token")
      yield* waitOver(ada)
      yield* runDue
      assertProblem(yield* call(ada, "GET", "/client-data/profile"), 401, "invalid_token")
      const anew = { ...ada, claims: { ...ada.claims, sub: "ada-again", email, emailVerified: true } }
      const profile = (yield* call(anew, "GET", "/client-data/profile")).json
      assert.deepInclude(profile, { id: "ada-again", email, about: null })
    })
  )

  it.effect("goes on after a crash at any step, and says what was in the way without saying whose it was", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const sql = yield* SqlClient.SqlClient
      const { ada } = yield* verified
      const platform = yield* platformOf(ada.orgId)
      yield* call(ada, "POST", "/client-data/tickets", { body: { title: "Broken", description: "It is." } })
      yield* call(platform, "DELETE", "/platform/customers/ada")
      yield* runDue
      yield* waitOver(ada)
      yield* runDue
      const finished = (yield* call(platform, "GET", "/platform/customers/ada/erasure")).json
      assert.strictEqual(finished.status, "finished")
      // As it is left by a process that died before it wrote the receipt of one of its steps.
      for (const { system } of finished.receipts) {
        yield* sql`UPDATE erasures SET finished_at = NULL, due_at = now() WHERE org_id = ${ada.orgId}`
        yield* sql`DELETE FROM erasure_receipts WHERE org_id = ${ada.orgId} AND system = ${system}`
        yield* runDue
        yield* waitOver(ada)
        yield* runDue
        const again = (yield* call(platform, "GET", "/platform/customers/ada/erasure")).json
        assert.strictEqual(again.status, "finished", system)
      }
      yield* sql`UPDATE erasures SET finished_at = NULL, due_at = now() WHERE org_id = ${ada.orgId}`
      yield* sql`DELETE FROM erasure_receipts WHERE org_id = ${ada.orgId} AND system IN ('files', 'log')`
      yield* sql`
        INSERT INTO file_leftovers (org_id, customer_id, id, due_at)
        VALUES (${ada.orgId}, 'ada', ${crypto.randomUUID()}, now() + interval '1 hour')`
      yield* runDue
      const waiting = (yield* call(platform, "GET", "/platform/customers/ada/erasure")).json
      assert.strictEqual(waiting.status, "running")
      assert.deepInclude(
        waiting.receipts.find(({ system }: { readonly system: string }) => system === "files"),
        { attempts: 1, doneAt: null, lastError: "StillArriving" }
      )
      yield* sql`UPDATE file_leftovers SET due_at = now() WHERE org_id = ${ada.orgId}`
      yield* waitOver(ada)
      yield* runDue
      assert.strictEqual((yield* call(platform, "GET", "/platform/customers/ada/erasure")).json.status, "finished")
    })
  )

  it.effect("meets whoever is still writing: what they write is erased with the rest, or never comes", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const sql = yield* SqlClient.SqlClient
      const customerSql = yield* CustomerSql
      const { ada } = yield* verified
      const platform = yield* platformOf(ada.orgId)
      const statuses = new Set<number>()
      const ticket = { body: { title: "Late", description: "It is." } }
      const upload = form([file("late.txt", "late")])
      const writing = Effect.all(
        [
          call(ada, "POST", "/client-data/tickets", ticket),
          call(ada, "POST", "/client-data/messages", { body: { text: "Late" } }),
          call(ada, "POST", "/client-data/files/upload", upload),
          call(ada, "PUT", "/client-data/profile", { body: { about: "Late" } })
        ],
        { concurrency: "unbounded" }
      ).pipe(
        Effect.tap((answers) => Effect.sync(() => answers.forEach(({ status }) => statuses.add(status)))),
        Effect.repeat({ until: (answers) => answers.every(({ status }) => status === 401), times: 10_000 })
      )
      // As one would that holds no token any more, but has not noticed.
      let written = 0
      let refused = 0
      const deaf = customerSql`
        INSERT INTO notifications (org_id, customer_id, id, type, title, body, data, in_app, withheld)
        VALUES (${ada.orgId}, 'ada', gen_random_uuid()::text, 'order', 'Late', 'Late', '{}', true, '{}')`.pipe(
        as(ada),
        Effect.exit,
        Effect.tap((exit) => Effect.sync(() => (written += exit._tag === "Success" ? 1 : 0))),
        Effect.tap((exit) => Effect.sync(() => (refused += exit._tag === "Failure" ? 1 : 0)))
      )
      const writer = yield* Effect.forkChild(writing)
      const other = yield* Effect.forkChild(
        Effect.repeat(Effect.delay(deaf, "5 millis"), { until: () => refused > 20 })
      )
      yield* Effect.sleep("300 millis")
      yield* call(platform, "DELETE", "/platform/customers/ada")
      yield* runDue
      yield* Effect.sleep("6500 millis")
      yield* runDue
      yield* Fiber.join(writer)
      yield* Fiber.join(other)

      const state = (yield* call(platform, "GET", "/platform/customers/ada/erasure")).json
      assert.strictEqual(state.status, "finished", JSON.stringify(state))
      assert.isAbove(written, 20)
      assert.isTrue(
        [...statuses].every((status) => [200, 201, 401].includes(status)),
        [...statuses].join()
      )
      for (const table of [...erasedTables, ...otherwiseErasedTables, ...lastErasedTables]) {
        const rows = yield* sql`SELECT 1 FROM ${sql(table)} WHERE org_id = ${ada.orgId} AND customer_id = 'ada'`
        assert.deepEqual(rows, [], table)
      }
    })
  )

  it.effect("of another org's customer is not there, and a customer that does not exist cannot be erased", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, mallory, other } = yield* people
      const ours = yield* platformOf(acme)
      for (const id of [mallory.customerId, "nobody"]) {
        assertProblem(yield* call(ours, "DELETE", `/platform/customers/${id}`), 404, "customer_not_found")
        assertProblem(yield* call(ours, "GET", `/platform/customers/${id}/erasure`), 404, "customer_not_found")
      }
      const theirs = yield* platformOf(other)
      assertProblem(yield* call(theirs, "GET", `/platform/customers/mallory/erasure`), 404, "erasure_not_found")
      assert.strictEqual(yield* runDue, 0)
    })
  )

  for (const [guard, set] of guards) {
    it.effect(
      `is its own customer's: another's is neither seen, hindered, guessed at nor called off, by ${guard}`,
      () =>
        Effect.gen(function* () {
          const { call } = yield* App
          const sql = yield* SqlClient.SqlClient
          const { ada, email } = yield* verified
          const { orgId } = ada
          const eve = yield* makeCustomer(orgId, "eve", {})
          yield* define(orgId)
          yield* book(eve, 9)
          yield* placeOrder(eve, { status: "shipped" })
          yield* sql`INSERT INTO wallets (org_id, customer_id, currency, balance) VALUES (${orgId}, 'eve', 'USD', 500)`
          yield* sql`
          INSERT INTO erasures (org_id, customer_id, requested_by, requested_at, erases_at)
          VALUES (${orgId}, 'eve', 'customer', now(), now() + interval '14 days')`
          yield* sql`INSERT INTO erasure_receipts (org_id, customer_id, system) VALUES (${orgId}, 'eve', 'files')`
          const theirs = sql<object>`SELECT * FROM erasures WHERE org_id = ${orgId} AND customer_id = 'eve'`
          const before = yield* theirs
          // Without a WHERE, only the policies choose the rows.
          const mine = yield* CustomerSql
          for (const statement of [mine`DELETE FROM erasures`, mine`UPDATE erasures SET guesses = 5`]) {
            yield* statement.pipe(as(ada))
          }
          yield* set

          const none = { status: "none", blockers: [], receipts: [] }
          assert.deepInclude((yield* call(ada, "GET", at)).json, none)
          yield* ask(ada)
          const code = yield* codeTo(email)
          assertProblem(yield* ask(ada, { code: code === "000000" ? "111111" : "000000" }), 400, "invalid_code")
          assert.strictEqual((yield* ask(ada, { code })).status, 202)
          assert.strictEqual((yield* call(ada, "DELETE", at)).status, 204)
          assert.deepInclude((yield* call(ada, "GET", at)).json, none)
          assert.deepEqual(yield* theirs, before)
        }).pipe(Effect.scoped)
    )
  }

  it.effect("knows every table that a customer is in", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const tables = yield* sql<{ readonly name: string; readonly guarded: boolean }>`
        SELECT relname AS name,
          EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'erasure')
          AND (relname IN ('outbox', 'customer_changes', 'customer_change_counters')
            OR EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'refuse_erased')) AS guarded
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'customer_id'
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname NOT LIKE 'erasure%'`
      const known = [...erasedTables, ...otherwiseErasedTables, ...lastErasedTables, ...Object.keys(keptTables)]
      assert.deepEqual([...new Set<string>(known)].sort(), tables.map(({ name }) => name).sort())
      assert.deepEqual(
        tables.filter(({ guarded }) => !guarded),
        []
      )
    })
  )
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import { Deliveries, type NewDelivery } from "../../src/services/Deliveries.ts"
import { DeliveryQueue } from "../../src/services/DeliveryQueue.ts"
import { DeliveryWorkers } from "../../src/services/DeliveryWorkers.ts"
import { NotSent } from "../../src/services/NotSent.ts"
import { Channels, layer as channels } from "../support/Channels.ts"
import { as, asPlatform, type Customer, nextNumber, people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestServices from "../support/TestServices.ts"

const queue = DeliveryQueue.layerWith({
  lockExpiration: "3 seconds",
  lockRefreshInterval: "1 second",
  pollInterval: "50 millis"
})

const engine = Layer.merge(Deliveries.layer, DeliveryWorkers.layerWith({ workers: 4, lease: "2 seconds" })).pipe(
  Layer.provideMerge(queue),
  Layer.provideMerge(channels),
  Layer.provideMerge(TestDatabase.layer)
)

const mailTo = (customer: Customer, to: string, more: Partial<NewDelivery> = {}): NewDelivery => ({
  customerId: customer.customerId,
  notificationId: null,
  message: { channel: "email", to, language: "en", subject: "Hello", text: "Hello", html: "<p>Hello</p>" },
  ...more
})

const address = () => `somebody-${nextNumber()}@acme.example`

/** Records as the customer, in a transaction. */
const record = (customer: Customer, ...deliveries: ReadonlyArray<NewDelivery>) =>
  CustomerSql.use((sql) => sql.withTransaction(Deliveries.use((all) => all.record(deliveries)))).pipe(as(customer))

interface Row {
  readonly state: string
  readonly reason: string | null
  readonly detail: string | null
  readonly attempts: number
  readonly finished: number
  readonly message: unknown
  readonly sealedCode: string | null
  readonly target: string
  readonly waits: number | null
}

const rowOf = (id: string) =>
  SqlClient.SqlClient.use(
    (sql) => sql<Row>`
      SELECT state, reason, detail, attempts, finished, message, sealed_code, target,
        extract(epoch FROM next_try_at - updated_at)::float AS waits
      FROM deliveries WHERE id = ${id}`
  ).pipe(Effect.map(([row]) => row!))

/** The row as soon as it is as a test wants it. */
const eventually = (id: string, holds: (row: Row) => boolean) =>
  rowOf(id).pipe(
    Effect.repeat({ until: holds, schedule: Schedule.spaced("20 millis") }),
    Effect.timeout("15 seconds"),
    Effect.orDie
  )

const ended = (id: string) => eventually(id, ({ state }) => state !== "queued")
const tried = (id: string) => eventually(id, ({ finished }) => finished > 0)

const failing = (reason: NotSent["reason"], retryAfter?: number) => () =>
  Effect.fail(new NotSent({ reason, detail: `because ${reason}`, ...(retryAfter !== undefined && { retryAfter }) }))

layer(engine, { excludeTestServices: true })((it) => {
  describe("A message", () => {
    it.effect("leaves by its channel once its transaction has committed, and nothing of what it said is kept", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { devices, mails, pushes, texts } = yield* Channels
        const to = address()
        devices.set("phone-1", { provider: "fcm", platform: "android", token: "token-1" })
        const text: NewDelivery["message"] = { channel: "sms", to: "+14155550100", text: "Hello" }
        const push: NewDelivery["message"] = {
          channel: "push",
          pushTokenId: "phone-1",
          title: "Hello",
          body: "You",
          link: null,
          data: { orderId: "42" }
        }

        const ids = yield* record(
          ada,
          mailTo(ada, to),
          { ...mailTo(ada, to), message: text },
          { ...mailTo(ada, to), message: push }
        )
        const rows = yield* Effect.forEach(ids, ended)

        const owner = { orgId: ada.orgId, customerId: ada.customerId }
        assert.deepStrictEqual(
          mails.filter((mail) => mail.to === to),
          [{ id: ids[0]!, ...owner, to, language: "en", subject: "Hello", text: "Hello", html: "<p>Hello</p>" }]
        )
        assert.deepInclude(texts, { id: ids[1]!, ...owner, to: "+14155550100", text: "Hello" })
        assert.deepInclude(pushes, {
          id: ids[2]!,
          ...owner,
          ...devices.get("phone-1")!,
          title: "Hello",
          body: "You",
          link: null,
          data: { orderId: "42" }
        })
        for (const row of rows) {
          assert.deepInclude(row, { state: "sent", reason: null, attempts: 1, finished: 1, message: null })
        }
      })
    )

    it.effect("never leaves when its transaction is rolled back, and is not recorded outside of one", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { mails } = yield* Channels
        const sql = yield* CustomerSql
        const [lost, kept] = [address(), address()]

        const rolledBack = yield* Deliveries.use((all) => all.record([mailTo(ada, lost)])).pipe(
          Effect.andThen(Effect.fail("no")),
          sql.withTransaction,
          as(ada),
          Effect.exit
        )
        const without = yield* Deliveries.use((all) => all.record([mailTo(ada, lost)])).pipe(as(ada), Effect.exit)
        const [id] = yield* record(ada, mailTo(ada, kept))
        yield* ended(id!)

        assert.deepStrictEqual([rolledBack, without].map(Exit.isFailure), [true, true])
        assert.deepStrictEqual(
          mails.filter(({ to }) => to === lost),
          []
        )
        const left = yield* SqlClient.SqlClient.use((sql) => sql`SELECT 1 FROM deliveries WHERE target = ${lost}`)
        assert.deepStrictEqual(left, [])
      })
    )

    it.effect("of the platform's goes to any customer of the org", () =>
      Effect.gen(function* () {
        const { acme, ada, eve } = yield* people
        const { mails } = yield* Channels
        const sql = yield* PlatformSql
        const to = [address(), address()]

        const ids = yield* Deliveries.use((all) =>
          all.record([mailTo(ada, to[0]!, { notificationId: "n-1" }), mailTo(eve, to[1]!, { notificationId: "n-1" })])
        ).pipe(sql.withTransaction, asPlatform(acme))
        yield* Effect.forEach(ids, ended)

        assert.deepStrictEqual(
          mails.filter((mail) => to.includes(mail.to)).map(({ customerId }) => customerId),
          [ada.customerId, eve.customerId]
        )
        const seen = yield* sql`SELECT id, state FROM deliveries WHERE org_id = ${acme} AND notification_id = 'n-1'
          ORDER BY id`.pipe(asPlatform(acme))
        assert.deepStrictEqual(
          seen,
          ids.toSorted().map((id) => ({ id, state: "sent" }))
        )
      })
    )

    it.effect("holds a code only while it waits: sealed in the ledger, in clear on its way, nowhere afterwards", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { mails, react } = yield* Channels
        const sql = yield* SqlClient.SqlClient
        const to = address()
        let waiting: unknown
        react(to, () =>
          Effect.map(Effect.orDie(sql`SELECT deliveries::text AS row FROM deliveries WHERE target = ${to}`), (rows) => {
            waiting = rows
          })
        )
        const message = { channel: "email", to, language: "en", subject: "Code", text: "It is {code}.", html: "{code}" }

        const [id] = yield* record(ada, {
          ...mailTo(ada, to),
          message: message as NewDelivery["message"],
          code: Redacted.make("314159")
        })
        const row = yield* ended(id!)

        assert.deepInclude(
          mails.find((mail) => mail.to === to)!,
          {
            code: "314159",
            subject: "Code",
            text: "It is 314159.",
            html: "314159"
          }
        )
        assert.notInclude(JSON.stringify(waiting), "314159")
        assert.deepStrictEqual([row.sealedCode, row.message], [null, null])
        const dump = yield* sql`SELECT deliveries::text FROM deliveries UNION ALL SELECT element FROM delivery_queue`
        assert.notInclude(JSON.stringify(dump), "314159")
      })
    )

    it.effect("waits for its hour, and is skipped when it would come too late", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { mails } = yield* Channels
        const [early, late] = [address(), address()]
        const now = Date.now()

        const [waits, expired] = yield* record(
          ada,
          mailTo(ada, early, { notBefore: new Date(now + 1500) }),
          mailTo(ada, late, { expiresAt: new Date(now - 1000), code: Redacted.make("271828") })
        )
        const skipped = yield* ended(expired!)
        assert.strictEqual((yield* rowOf(waits!)).state, "queued")
        assert.isEmpty(mails.filter(({ to }) => to === early))
        yield* ended(waits!)

        assert.isTrue(Date.now() - now >= 1500)
        assert.strictEqual(mails.filter(({ to }) => to === early).length, 1)
        assert.deepInclude(skipped, { state: "skipped", reason: "expired", sealedCode: null })
        assert.isEmpty(mails.filter(({ to }) => to === late))
      })
    )
  })

  describe("A channel that does not take a message", () => {
    for (const [reason, state] of [
      ["refused", "failed"],
      ["gone", "failed"],
      ["off", "skipped"]
    ] as const) {
      it.effect(`because ${reason} is not asked again: ${state}`, () =>
        Effect.gen(function* () {
          const { ada } = yield* people
          const { react } = yield* Channels
          const to = address()
          react(to, failing(reason))

          const [id] = yield* record(ada, mailTo(ada, to, { code: Redacted.make("161803") }))
          const row = yield* ended(id!)

          assert.deepInclude(row, {
            state,
            reason,
            detail: `because ${reason}`,
            attempts: 1,
            finished: 1,
            sealedCode: null
          })
        })
      )
    }

    for (const [reason, retryAfter, waits] of [
      ["unavailable", undefined, 1],
      ["misconfigured", undefined, 1],
      ["throttled", 90, 90],
      ["throttled", 0, 1],
      ["throttled", 86_400, 3600]
    ] as const) {
      it.effect(`because ${reason} (retry after ${retryAfter}) is asked again ${waits} seconds later`, () =>
        Effect.gen(function* () {
          const { ada } = yield* people
          const { react } = yield* Channels
          const to = address()
          react(to, failing(reason, retryAfter))

          const [id] = yield* record(ada, mailTo(ada, to))
          const row = yield* tried(id!)

          assert.deepInclude(row, { state: "queued", reason })
          assert.approximately(row.waits!, waits, 0.1)
        })
      )
    }

    it.effect(
      "is asked eight times, ever later, and then never again: a dead letter, with all that it takes to look",
      () =>
        Effect.gen(function* () {
          const { ada } = yield* people
          const { react } = yield* Channels
          const sql = yield* SqlClient.SqlClient
          const to = address()
          let asked = 0
          react(to, () =>
            Effect.andThen(
              Effect.sync(() => asked++),
              failing("unavailable")()
            )
          )

          const [id] = yield* record(ada, mailTo(ada, to))
          const pauses: Array<number> = []
          for (let attempt = 1; attempt < 8; attempt++) {
            const row = yield* eventually(id!, ({ finished }) => finished === attempt)
            pauses.push(Math.round(row.waits!))
            // Nobody waits for an hour here.
            yield* sql`UPDATE delivery_queue SET visible_at = now() WHERE id = ${`${id}.${attempt}`}`
          }
          const row = yield* ended(id!)

          assert.deepStrictEqual(pauses, [1, 4, 16, 64, 256, 1024, 3600])
          assert.deepInclude(row, { state: "failed", reason: "unavailable", attempts: 8, finished: 8, target: to })
          assert.strictEqual(asked, 8)
          assert.isNotNull(row.message)
        })
    )

    it.effect("does not keep others from it: each message's tries are its own", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { mails, react } = yield* Channels
        const [down, up] = [address(), address()]
        react(down, () => Effect.never)

        const ids = yield* record(ada, ...Array.from({ length: 3 }, () => mailTo(ada, down)), mailTo(ada, up))
        yield* ended(ids[3]!)

        assert.strictEqual(mails.filter(({ to }) => to === up).length, 1)
      })
    )

    it.effect("and breaks while it is at it is asked again", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { mails, react } = yield* Channels
        const to = address()
        let asked = 0
        react(to, () => (asked++ === 0 ? Effect.die(new Error("a bug")) : Effect.void))

        const [id] = yield* record(ada, mailTo(ada, to))
        const row = yield* ended(id!)

        assert.deepInclude(row, { state: "sent", attempts: 2, finished: 2 })
        assert.strictEqual(mails.filter((mail) => mail.to === to).length, 1)
      })
    )
  })

  describe("Workers", () => {
    it.effect("send a message once, also when its try stands in the queue more than once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { mails, react } = yield* Channels
        const sql = yield* SqlClient.SqlClient
        const to = address()
        react(to, () => Effect.sleep("500 millis"))

        const [id] = yield* record(ada, mailTo(ada, to))
        yield* sql`
          INSERT INTO delivery_queue (id, queue_name, element, state, visible_at, created_at, updated_at)
          SELECT id || '.again.' || n, queue_name, element, 'pending', now(), now(), now()
          FROM delivery_queue, generate_series(1, 6) AS n WHERE id = ${id!}`
        const row = yield* ended(id!)
        const left = sql`SELECT 1 FROM delivery_queue WHERE id LIKE ${`${id}.again.%`} AND state = 'pending'`
        yield* Effect.repeat(left, { until: (rows) => rows.length === 0, schedule: Schedule.spaced("50 millis") })

        assert.deepInclude(row, { state: "sent", attempts: 1, finished: 1 })
        assert.strictEqual(mails.filter((mail) => mail.to === to).length, 1)
        assert.strictEqual((yield* rowOf(id!)).attempts, 1)
      })
    )

    it.effect("that are told to stop see to its end what they have begun", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { react } = yield* Channels
        const to = address()
        let begun = 0
        react(to, () =>
          Effect.andThen(
            Effect.sync(() => begun++),
            Effect.sleep("700 millis")
          )
        )
        const ids = yield* record(ada, ...Array.from({ length: 12 }, () => mailTo(ada, to)))

        // Workers of this test's own beside the others.
        yield* Effect.scoped(
          Effect.gen(function* () {
            const shared = yield* Effect.context<Layer.Services<typeof DeliveryWorkers.layer>>()
            yield* Layer.build(Layer.fresh(DeliveryWorkers.layerWith({ workers: 8, lease: "2 seconds" }))).pipe(
              Effect.provideContext(shared)
            )
            yield* Effect.repeat(
              Effect.sync(() => begun),
              {
                until: (count) => count > 4,
                schedule: Schedule.spaced("10 millis")
              }
            )
          })
        )
        const rows = yield* Effect.forEach(ids, ended)

        assert.isTrue(
          rows.every(({ attempts, finished, state }) => state === "sent" && attempts === 1 && finished === 1)
        )
        assert.strictEqual(begun, 12)
      })
    )
  })

  describe("A device", () => {
    it.effect("whose provider says that it is gone is forgotten, and one that is not registered gets nothing", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { devices, forgotten, pushes, react } = yield* Channels
        const push = (pushTokenId: string): NewDelivery => ({
          ...mailTo(ada, ""),
          message: { channel: "push", pushTokenId, title: "Hello", body: "", link: null, data: {} }
        })
        devices.set("dead", { provider: "apns", platform: "ios", token: "token-dead" })
        react("token-dead", failing("gone"))

        const ids = yield* record(ada, push("dead"), push("never-was"))
        const rows = yield* Effect.forEach(ids, ended)

        assert.deepStrictEqual(
          rows.map(({ reason, state }) => [state, reason]),
          [
            ["failed", "gone"],
            ["failed", "gone"]
          ]
        )
        assert.deepStrictEqual(forgotten, ["dead"])
        assert.isEmpty(pushes.filter(({ token }) => token === "token-dead"))
      })
    )
  })

  describe("Strangers", () => {
    for (const [guard, set] of TestServices.guards) {
      it.effect(`send nothing in another customer's name, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { ada, eve, mallory } = yield* people
          const to = address()

          const tried = yield* Effect.all(
            [record(eve, mailTo(ada, to)), record(mallory, mailTo(ada, to))].map((attempt) => Effect.exit(attempt))
          )

          assert.deepStrictEqual(tried.map(Exit.isFailure), [true, true])
          const left = yield* SqlClient.SqlClient.use((sql) => sql`SELECT 1 FROM deliveries WHERE target = ${to}`)
          assert.deepStrictEqual(left, [])
        })
      )
    }

    it.effect("see no delivery and no queue of anybody's, and no code or text of their own", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, other } = yield* people
        const customers = yield* CustomerSql
        const platforms = yield* PlatformSql
        const [id] = yield* record(ada, mailTo(ada, address(), { notBefore: new Date(Date.now() + 60_000) }))

        const hers = yield* customers`SELECT id FROM deliveries`.pipe(as(eve))
        const queue = yield* customers`SELECT id FROM delivery_queue`.pipe(as(eve))
        const theirs = yield* platforms`SELECT id FROM deliveries`.pipe(asPlatform(other))
        const refused = yield* Effect.all([
          Effect.exit(customers`SELECT sealed_code FROM deliveries`.pipe(as(ada))),
          Effect.exit(customers`UPDATE deliveries SET state = 'sent'`.pipe(as(ada))),
          Effect.exit(customers`DELETE FROM delivery_queue`.pipe(as(ada))),
          Effect.exit(customers`UPDATE delivery_queue SET visible_at = now()`.pipe(as(ada))),
          Effect.exit(platforms`SELECT message FROM deliveries`.pipe(asPlatform(acme))),
          Effect.exit(
            customers`INSERT INTO delivery_queue (id, queue_name, element, state, visible_at, created_at, updated_at)
              VALUES (${id!}, 'deliveries', '{}', 'pending', now(), now(), now())`.pipe(as(eve))
          )
        ])

        assert.deepStrictEqual([hers, queue, theirs], [[], [], []])
        assert.deepStrictEqual(
          refused.map(Exit.isFailure),
          refused.map(() => true)
        )
      })
    )
  })
})

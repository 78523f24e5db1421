import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { OrderId } from "../../src/domain/Order.ts"
import { ProductId } from "../../src/domain/Product.ts"
import { Accounts } from "../../src/services/Accounts.ts"
import { Addresses } from "../../src/services/Addresses.ts"
import { Changes } from "../../src/services/Changes.ts"
import { ChangeSweeper } from "../../src/services/ChangeSweeper.ts"
import { Conversations } from "../../src/services/Conversations.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { Dashboards } from "../../src/services/Dashboards.ts"
import { Messages } from "../../src/services/Messages.ts"
import { MessageSending } from "../../src/services/MessageSending.ts"
import { Orders } from "../../src/services/Orders.ts"
import { Products } from "../../src/services/Products.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { Tickets } from "../../src/services/Tickets.ts"
import { Wallet } from "../../src/services/Wallet.ts"
import { Wishlist } from "../../src/services/Wishlist.ts"
import { openStatuses } from "../../src/domain/Order.ts"
import { copyOf } from "../support/AccountCopy.ts"
import { anOrder, as, asPlatform, type Customer, people, placeOrder } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const readAll = (customer: Customer) =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const { json } = yield* accounts.read().pipe(as(customer))
    const chunks = yield* Stream.runCollect(json!)
    return JSON.parse(chunks.join("")) as { readonly cursor: string; readonly [name: string]: unknown }
  })

/** One write of some kind: of the customer's, of the platform's, or both. */
const writes = (ada: Customer) =>
  Effect.gen(function* () {
    const addresses = yield* Addresses
    const conversations = yield* Conversations
    const messages = yield* Messages
    const orders = yield* Orders
    const products = yield* Products
    const profiles = yield* Profiles
    const sending = yield* MessageSending
    const tickets = yield* Tickets
    const wallet = yield* Wallet
    const wishlist = yield* Wishlist
    const platform = asPlatform(ada.orgId)
    const status = (n: number) => (["new", "paid", "shipped", "completed"] as const)[n % 4]!
    const all: ReadonlyArray<(n: number) => Effect.Effect<unknown, unknown>> = [
      (n) => profiles.change({ name: `Ada ${n % 7}` }).pipe(as(ada)),
      (n) => orders.push(OrderId.make(`order-${n % 40}`), anOrder(ada, { status: status(n) })).pipe(platform),
      (n) => orders.push(OrderId.make(`order-${n % 40}`), anOrder(ada, { status: status(n + 1) })).pipe(platform),
      () =>
        addresses.upsert({ street1: "1 High Street", city: "London", country: "GB", zip: "SW1Y 4JH" }).pipe(as(ada)),
      () =>
        addresses.list({ ps: 1, s: "createdAt", st: "asc" }).pipe(
          Effect.flatMap(({ data }) => (data[0] === undefined ? Effect.void : addresses.remove(data[0].id))),
          as(ada)
        ),
      (n) => tickets.open({ title: `Ticket ${n}`, description: "It is broken." }).pipe(as(ada)),
      (n) =>
        tickets.list({ ps: 1 }).pipe(
          Effect.flatMap(({ data }) =>
            data[0] === undefined
              ? Effect.void
              : tickets.change({ ticketNumber: data[0].number, comment: { text: `Still, ${n}` } })
          ),
          as(ada)
        ),
      (n) => sending.send({ text: `Hello ${n}`, to: { kind: "staff" } }).pipe(as(ada)),
      (n) =>
        conversations.list({ ps: 1 }).pipe(
          as(ada),
          Effect.flatMap(({ data }) =>
            data[0] === undefined
              ? Effect.void
              : sending
                  .push({
                    customerId: ada.customerId,
                    conversationId: data[0].id,
                    from: { kind: "staff", id: "bob", name: "Bob" },
                    text: `Answer ${n}`
                  })
                  .pipe(platform)
          )
        ),
      () =>
        messages.list({ ps: 5 }).pipe(
          Effect.flatMap(({ data }) =>
            Effect.forEach(data.filter(({ from }) => from.kind === "staff").slice(0, 1), ({ id }) =>
              messages.mark(id, "read")
            )
          ),
          as(ada)
        ),
      (n) =>
        wallet
          .push({ customerId: ada.customerId, amount: { amount: 100, currency: "USD" }, reference: `gift-${n}` })
          .pipe(platform),
      (n) =>
        products
          .push(ProductId.make(`p-${n % 5}`), {
            sku: `P-${n % 5}`,
            name: `Product ${n % 5}`,
            price: { amount: n, currency: "USD" },
            available: n % 2 === 0
          })
          .pipe(platform),
      (n) => wishlist.add(`p-${n % 5}`).pipe(as(ada)),
      (n) => wishlist.remove(`p-${(n + 2) % 5}`).pipe(as(ada))
    ]
    return all
  })

layer(TestServices.layer, { excludeTestServices: true })("The whole account", (it) => {
  it.effect(
    "and the changes after it are the account as it is, whoever writes meanwhile",
    () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const changes = yield* Changes
        const all = yield* writes(ada)
        let count = 0
        let writing = true
        const failures: Array<string> = []
        const writer = Effect.suspend(() => {
          const n = count++
          return all[(n * 5 + Math.floor(n / 14)) % all.length]!(n)
        }).pipe(
          Effect.catchCause((cause) => Effect.sync(() => failures.push(String(cause)))),
          Effect.repeat({ while: () => writing })
        )
        const writers = yield* Effect.forkScoped(
          Effect.all(
            Array.from({ length: 6 }, () => writer),
            { concurrency: 6 }
          )
        )

        const client = Effect.gen(function* () {
          const start = yield* readAll(ada)
          const copy = copyOf(start, ada.customerId)
          const sequences: Array<number> = []
          let cursor = start.cursor
          const catchUp = Effect.gen(function* () {
            const page = yield* changes.since({ since: cursor, ps: 100 }).pipe(as(ada))
            for (const change of page.data) {
              sequences.push(change.sequence)
              copy.apply(change)
            }
            cursor = page.cursor
            return page.hasNext
          })
          yield* Effect.repeat(catchUp, { while: () => writing })
          yield* Fiber.await(writers)
          yield* Effect.repeat(catchUp, { while: (more) => more })
          return { copy, sequences }
        })
        const begun = Date.now()
        const stop = Effect.delay(
          Effect.sync(() => (writing = false)),
          "4 seconds"
        )
        const clients = Effect.forEach([0, 300, 700, 1500], (wait) => Effect.delay(client, `${wait} millis`), {
          concurrency: "unbounded"
        })
        const [followed] = yield* Effect.all([clients, stop], { concurrency: "unbounded" })
        const seconds = (Date.now() - begun) / 1000

        const final = copyOf(yield* readAll(ada), ada.customerId).records()
        for (const { copy, sequences } of followed) {
          assert.deepEqual(copy.records(), final)
          assert.isAbove(sequences.length, 0)
          assert.deepEqual(
            sequences,
            sequences.map((_, index) => sequences[0]! + index)
          )
        }
        assert.isAbove(Object.keys(final).length, 10)
        assert.isBelow(failures.length, count / 4, failures[0])
        yield* Effect.logInfo(
          `${count} writes in ${seconds.toFixed(1)} s, ${failures.length} refused (${failures[0]}); ${followed[0]!.sequences.length} changes applied, ${Object.keys(final).length} records`
        )
      }),
    60_000
  )

  it.effect("has a dashboard whose numbers are the totals of its lists", () =>
    Effect.gen(function* () {
      const { ada, eve } = yield* people
      const conversations = yield* Conversations
      const dashboards = yield* Dashboards
      const orders = yield* Orders
      const tickets = yield* Tickets
      const wallet = yield* Wallet
      const all = yield* writes(ada)
      yield* placeOrder(eve)
      for (let round = 0; round < 8; round++) {
        for (let n = 0; n < 12; n++) {
          yield* Effect.ignore(all[Math.floor(Math.random() * all.length)]!(Math.floor(Math.random() * 1000)))
        }
        const { dashboard } = yield* dashboards.read().pipe(as(ada))
        const lists = yield* Effect.all({
          orders: orders.list({}),
          open: orders.list({ status: openStatuses }),
          pending: tickets.list({ status: ["pending"] }),
          conversations: conversations.list({ ps: 200 })
        }).pipe(as(ada))
        assert.deepEqual(dashboard!.orders, { total: lists.orders.total!, open: lists.open.total! })
        assert.deepEqual(dashboard!.tickets, { pending: lists.pending.total! })
        assert.deepEqual(dashboard!.messages, {
          unread: lists.conversations.data.reduce((sum, { unreadCount }) => sum + unreadCount, 0)
        })
        assert.deepEqual(dashboard!.wallet, { balance: yield* wallet.balance.pipe(as(ada)) })
        const { recentActivity } = dashboard!
        assert.isAtMost(recentActivity.length, 10)
        assert.strictEqual(new Set(recentActivity.map(({ id, type }) => `${type} ${id}`)).size, recentActivity.length)
        for (const { at, title } of recentActivity) {
          assert.match(title, /^\S.*/)
          assert.instanceOf(at, Date)
        }
      }
    })
  )

  it.effect("shows none of what another customer has, whatever guards it", () =>
    Effect.gen(function* () {
      for (const [, guard] of TestServices.guards) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { acme, ada, eve, namesake } = yield* people
            const dashboards = yield* Dashboards
            const addresses = yield* Addresses
            yield* addresses.upsert({ street1: "CANARY", city: "London", country: "GB", zip: "SW1Y 4JH" }).pipe(as(ada))
            const order = yield* Orders.use((orders) =>
              orders.push(OrderId.make("CANARY"), anOrder(ada, { number: "CANARY" })).pipe(asPlatform(acme))
            )
            assert.strictEqual(order.number, "CANARY")
            yield* guard
            assert.include(JSON.stringify(yield* readAll(ada)), "CANARY")
            for (const stranger of [eve, namesake]) {
              assert.notInclude(JSON.stringify(yield* readAll(stranger)), "CANARY")
              const { dashboard } = yield* dashboards.read().pipe(as(stranger))
              assert.deepEqual(dashboard!.orders, { total: 0, open: 0 })
              assert.notInclude(JSON.stringify(dashboard), "CANARY")
            }
          })
        )
      }
    })
  )

  it.effect("is read again by who comes with a cursor that the sweeper has passed", () =>
    Effect.gen(function* () {
      const { acme, ada, eve } = yield* people
      const sql = yield* SqlClient.SqlClient
      const changes = yield* Changes
      const sweeper = yield* ChangeSweeper
      const old = yield* changes.positionOf().pipe(as(ada))
      const hers = yield* changes.positionOf().pipe(as(eve))
      yield* placeOrder(ada)
      yield* placeOrder(ada)
      const kept = yield* changes.positionOf().pipe(as(ada))
      yield* sql`UPDATE customer_changes SET at = at - interval '31 days' WHERE org_id = ${acme} AND customer_id = 'ada'`
      const fresh = yield* placeOrder(ada)
      yield* sweeper.sweep
      const error = yield* Effect.flip(changes.since({ since: old.cursor }).pipe(as(ada)))
      assert.strictEqual(error._tag, "CursorExpired")
      const { data } = yield* changes.since({ since: kept.cursor }).pipe(as(ada))
      assert.deepEqual(
        data.map(({ id }) => id),
        [fresh.id]
      )
      assert.deepEqual((yield* changes.since({ since: hers.cursor }).pipe(as(eve))).data, [])
    })
  )

  it.effect("reaches a customer however slowly another reads theirs in several places", () =>
    Effect.gen(function* () {
      const { ada, eve } = yield* people
      const accounts = yield* Accounts
      const begun = yield* Effect.forEach(Array.from({ length: 6 }), () => accounts.read().pipe(as(ada)))
      yield* Effect.forEach(begun, ({ json }) => Effect.forkScoped(Stream.runForEach(json!, () => Effect.never)))
      yield* Effect.sleep("200 millis")

      const refused = yield* Effect.flip(accounts.read().pipe(as(ada)))
      assert.strictEqual(refused._tag, "RateLimited")
      const { json } = yield* accounts.read().pipe(as(eve))
      const read = yield* Effect.timeout(Stream.runCollect(json!), "5 seconds")
      assert.isAbove(read.length, 0)
    })
  )

  it.effect("gives its connection back when its reader leaves half way", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const accounts = yield* Accounts
      for (let n = 0; n < 20; n++) {
        const { json } = yield* accounts.read().pipe(as(ada))
        yield* Stream.runDrain(Stream.take(json!, 1))
        yield* Effect.ignore(
          Effect.timeout(
            Stream.runForEach(json!, () => Effect.never),
            "20 millis"
          )
        )
      }
      const { json } = yield* accounts.read().pipe(as(ada))
      assert.isAbove((yield* Stream.runCollect(json!)).length, 0)
      const limits = yield* CustomerSql.use((sql) =>
        Effect.forEach(Array.from({ length: 8 }), () => sql`SELECT current_setting('statement_timeout') AS limit`, {
          concurrency: "unbounded"
        })
      ).pipe(as(ada))
      assert.notInclude(JSON.stringify(limits), "5min")
    })
  )
})

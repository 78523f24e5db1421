import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { Dashboard } from "../../src/domain/Dashboard.ts"
import { OrderId } from "../../src/domain/Order.ts"
import { BenefitId } from "../../src/domain/Benefit.ts"
import { ProductId } from "../../src/domain/Product.ts"
import { Accounts } from "../../src/services/Accounts.ts"
import { Addresses } from "../../src/services/Addresses.ts"
import { Benefits } from "../../src/services/Benefits.ts"
import { Changes } from "../../src/services/Changes.ts"
import { ChangeSweeper } from "../../src/services/ChangeSweeper.ts"
import { Conversations } from "../../src/services/Conversations.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { Dashboards } from "../../src/services/Dashboards.ts"
import { EnrollmentDecisions } from "../../src/services/EnrollmentDecisions.ts"
import { Enrollments } from "../../src/services/Enrollments.ts"
import { Messages } from "../../src/services/Messages.ts"
import { MessageSending } from "../../src/services/MessageSending.ts"
import { Notifications } from "../../src/services/Notifications.ts"
import { Orders } from "../../src/services/Orders.ts"
import { Products } from "../../src/services/Products.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { PushTokens } from "../../src/services/PushTokens.ts"
import { ReservationBooking } from "../../src/services/ReservationBooking.ts"
import { Reservations } from "../../src/services/Reservations.ts"
import { Tickets } from "../../src/services/Tickets.ts"
import { Verification } from "../../src/services/Verification.ts"
import { Wallet } from "../../src/services/Wallet.ts"
import { Wishlist } from "../../src/services/Wishlist.ts"
import { openStatuses } from "../../src/domain/Order.ts"
import { copyOf } from "../support/AccountCopy.ts"
import { aBenefit } from "../support/Benefits.ts"
import { atHour, book, cancel, change, decide, define } from "../support/Bookings.ts"
import { register } from "../support/Notifying.ts"
import { anOrder, as, asPlatform, type Customer, makeCustomer, people, placeOrder } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const readAll = (customer: Customer) =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const { json } = yield* accounts.read().pipe(as(customer))
    const chunks = yield* Stream.runCollect(json!)
    return JSON.parse(chunks.join("")) as { readonly cursor: string; readonly [name: string]: unknown }
  })

const dashboardOf = (customer: Customer, ifNoneMatch?: string) =>
  Effect.gen(function* () {
    const { json, tag } = yield* Dashboards.use(({ read }) => read(ifNoneMatch)).pipe(as(customer))
    return { tag, dashboard: json === null ? null : yield* Effect.orDie(decodeDashboard(json)) }
  })
const decodeDashboard = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(Dashboard)))

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
    const benefits = yield* Benefits
    const decisions = yield* EnrollmentDecisions
    const devices = yield* PushTokens
    const enrollments = yield* Enrollments
    const notifications = yield* Notifications
    const reservations = yield* Reservations
    const verification = yield* Verification
    yield* define(ada.orgId, { spots: 100 })
    const anUpcoming = reservations.list({ ps: 1, status: ["pending", "confirmed", "rescheduled"] }).pipe(as(ada))
    const anEnrollment = enrollments.list({ ps: 1, status: ["pending", "active"] }).pipe(as(ada))
    const platform = asPlatform(ada.orgId)
    const status = (n: number) => (["new", "paid", "shipped", "completed"] as const)[n % 4]!
    const all: ReadonlyArray<(n: number) => Effect.Effect<unknown, unknown, PushTokens | ReservationBooking>> = [
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
      (n) => wishlist.remove(`p-${(n + 2) % 5}`).pipe(as(ada)),
      (n) => book(ada, 9 + (n % 8), { note: `No. ${n}` }).pipe(Effect.catchTag("SlotNotOffered", () => Effect.void)),
      (n) =>
        Effect.flatMap(anUpcoming, ({ data }) =>
          data[0] === undefined
            ? Effect.void
            : change(ada, data[0].id, n % 2 === 0 ? { note: `Now ${n}` } : { start: atHour(9 + (n % 8)) })
        ).pipe(Effect.catchTag("SlotNotOffered", () => Effect.void)),
      (n) =>
        Effect.gen(function* () {
          const [next] = (yield* anUpcoming).data
          if (next === undefined) return
          if (n % 2 === 0) yield* cancel(ada, next.id)
          else yield* decide(ada.orgId, next.id, { status: "used" })
        }),
      () =>
        notifications.list({ ps: 2, read: false }).pipe(
          Effect.flatMap(({ data }) => Effect.forEach(data.slice(1), ({ id }) => notifications.read(id))),
          as(ada)
        ),
      (n) => (n % 3 === 0 ? notifications.readAll.pipe(as(ada)) : Effect.void),
      (n) => register(ada, `token-of-device-${n % 6}`, { deviceId: `device-${n % 4}`, appVersion: `${n}` }),
      (n) =>
        devices.list({ ps: 1 }).pipe(
          Effect.flatMap(({ data }) =>
            data[0] === undefined || n % 2 === 0 ? Effect.void : devices.remove(data[0].id)
          ),
          as(ada)
        ),
      (n) =>
        benefits
          .push(BenefitId.make(`b-${n % 3}`), {
            ...aBenefit,
            title: `Benefit ${n}`,
            requiresApproval: n % 2 === 0,
            active: n % 5 !== 0
          })
          .pipe(platform),
      (n) =>
        enrollments.enroll({ benefitId: `b-${n % 3}` }).pipe(
          as(ada),
          Effect.catchTag(["AlreadyEnrolled", "BenefitNotFound"], () => Effect.void)
        ),
      (n) =>
        Effect.flatMap(anEnrollment, ({ data }) =>
          data[0] === undefined
            ? Effect.void
            : n % 2 === 0
              ? enrollments.withdraw(data[0].id).pipe(as(ada))
              : decisions.decide(data[0].id, { status: "under_review" }).pipe(platform)
        ),
      (n) => (n % 40 < 5 ? verification.send("email", `ada-${n}@example.com`).pipe(as(ada)) : Effect.void)
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
          return all[(n * 7 + Math.floor(n / all.length)) % all.length]!(n)
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
        const kinds = new Set(Object.keys(final).map((key) => key.split(" ")[0]))
        assert.includeMembers(
          [...kinds],
          ["verification", "notification", "pushToken", "reservation", "benefit", "enrollment"]
        )
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
      const orders = yield* Orders
      const tickets = yield* Tickets
      const wallet = yield* Wallet
      const notifications = yield* Notifications
      const reservations = yield* Reservations
      const all = yield* writes(ada)
      yield* placeOrder(eve)
      yield* book(eve, 9)
      for (let round = 0; round < 8; round++) {
        for (let n = 0; n < 24; n++) {
          yield* Effect.ignore(all[Math.floor(Math.random() * all.length)]!(Math.floor(Math.random() * 1000)))
        }
        const { dashboard } = yield* dashboardOf(ada)
        const lists = yield* Effect.all({
          orders: orders.list({}),
          open: orders.list({ status: openStatuses }),
          pending: tickets.list({ status: ["pending"] }),
          conversations: conversations.list({ ps: 200 }),
          notifications: notifications.list({ ps: 1 }),
          upcoming: reservations.list({ ps: 1, when: "upcoming" })
        }).pipe(as(ada))
        assert.deepEqual(dashboard!.orders, { total: lists.orders.total!, open: lists.open.total! })
        assert.deepEqual(dashboard!.tickets, { pending: lists.pending.total! })
        assert.deepEqual(dashboard!.messages, {
          unread: lists.conversations.data.reduce((sum, { unreadCount }) => sum + unreadCount, 0)
        })
        assert.deepEqual(dashboard!.notifications, { unread: lists.notifications.unread })
        assert.deepEqual(dashboard!.reservations, { upcoming: lists.upcoming.total! })
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

  it.effect("has the same dashboard, as of now, for who looks again, and a new one after a change", () =>
    Effect.gen(function* () {
      const { ada, eve, namesake } = yield* people
      for (const customer of [ada, eve, namesake]) yield* dashboardOf(customer)
      const first = yield* dashboardOf(ada)
      yield* Effect.sleep("5 millis")
      const again = yield* dashboardOf(ada)
      assert.deepEqual({ ...again.dashboard!, asOf: null }, { ...first.dashboard!, asOf: null })
      assert.isAbove(again.dashboard!.asOf.getTime(), first.dashboard!.asOf.getTime())

      yield* placeOrder(ada)
      const changed = yield* dashboardOf(ada, `"${first.tag}"`)
      assert.notStrictEqual(changed.tag, first.tag)
      assert.strictEqual(changed.dashboard!.orders.total, first.dashboard!.orders.total + 1)
      // Another's tag is nobody else's.
      const others = yield* dashboardOf(eve, `"${changed.tag}"`)
      assert.deepEqual(others.dashboard!.orders, { total: 0, open: 0 })
      assert.deepEqual((yield* dashboardOf(namesake)).dashboard!.orders, { total: 0, open: 0 })
    })
  )

  it.effect("is another one once a reservation is over, though nobody has written anything", () =>
    Effect.gen(function* () {
      const { acme, ada } = yield* people
      const sql = yield* SqlClient.SqlClient
      const accounts = yield* Accounts
      yield* define(acme)
      const { id } = yield* book(ada, 9)
      yield* sql`UPDATE reservations SET starts_at = now() - interval '1 hour', ends_at = now() + interval '2 seconds',
        busy_until = now() + interval '1 hour', cancel_until = now() - interval '2 hours'
        WHERE org_id = ${acme} AND id = ${id}`
      const { dashboard, tag } = yield* dashboardOf(ada)
      const header = `"${tag}"`
      assert.deepEqual(dashboard!.reservations, { upcoming: 1 })
      assert.isNull((yield* dashboardOf(ada, header)).dashboard)
      assert.isNull((yield* accounts.read(header).pipe(as(ada))).json)
      yield* Effect.sleep("2100 millis")
      const later = yield* dashboardOf(ada, header)
      assert.deepEqual(later.dashboard!.reservations, { upcoming: 0 })
      assert.isNotNull((yield* accounts.read(header).pipe(as(ada))).json)
    })
  )

  it.effect("holds every benefit, also of who comes at the moment that it is made", () =>
    Effect.gen(function* () {
      const { acme } = yield* people
      const benefits = yield* Benefits
      const changes = yield* Changes
      const rounds = Array.from({ length: 25 }, (_, n) => n)
      const copies = yield* Effect.all(
        [
          Effect.forEach(rounds, (n) =>
            benefits.push(BenefitId.make(`b-${n}`), { ...aBenefit, title: `No. ${n}` }).pipe(asPlatform(acme))
          ),
          Effect.forEach(rounds, (n) =>
            Effect.gen(function* () {
              const customer = yield* makeCustomer(acme, `new-${n}`)
              return { customer, all: yield* readAll(customer) }
            })
          )
        ],
        { concurrency: 2 }
      )
      for (const { all, customer } of copies[1]) {
        const copy = copyOf(all, customer.customerId)
        const { data } = yield* changes.since({ since: all.cursor, ps: 200 }).pipe(as(customer))
        data.forEach(copy.apply)
        const held = Object.keys(copy.records()).filter((key) => key.startsWith("benefit "))
        assert.lengthOf(held, rounds.length)
        assert.deepEqual(copy.records(), copyOf(yield* readAll(customer), customer.customerId).records())
      }
    })
  )

  it.effect("shows none of what another customer has, whatever guards it", () =>
    Effect.gen(function* () {
      for (const [, guard] of TestServices.guards) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { acme, ada, eve, namesake } = yield* people
            const addresses = yield* Addresses
            yield* addresses.upsert({ street1: "CANARY", city: "London", country: "GB", zip: "SW1Y 4JH" }).pipe(as(ada))
            const order = yield* Orders.use((orders) =>
              orders.push(OrderId.make("CANARY"), anOrder(ada, { number: "CANARY" })).pipe(asPlatform(acme))
            )
            assert.strictEqual(order.number, "CANARY")
            yield* define(acme)
            yield* book(ada, 9, { note: "CANARY" })
            yield* register(ada, "token", { deviceId: "CANARY" })
            yield* Benefits.use((benefits) => benefits.push(BenefitId.make("student"), aBenefit)).pipe(asPlatform(acme))
            yield* Enrollments.use(({ enroll }) =>
              enroll({ benefitId: "student", formData: { university: "CANARY" } })
            ).pipe(as(ada))
            yield* Verification.use(({ send }) => send("email", "CANARY@example.com")).pipe(as(ada))
            yield* guard
            const mine = yield* readAll(ada)
            for (const name of ["verification", "addresses", "orders", "reservations", "pushTokens", "enrollments"]) {
              assert.include(JSON.stringify(mine[name]), "CANARY", name)
            }
            assert.include(JSON.stringify(mine["benefits"]), "CANARY")
            assert.lengthOf(mine["notifications"] as ReadonlyArray<unknown>, 1)
            for (const stranger of [eve, namesake]) {
              const theirs = yield* readAll(stranger)
              assert.notInclude(JSON.stringify(theirs), "CANARY")
              assert.isEmpty(theirs["notifications"])
              const { dashboard } = yield* dashboardOf(stranger)
              assert.deepEqual(dashboard!.orders, { total: 0, open: 0 })
              assert.deepEqual([dashboard!.notifications, dashboard!.reservations], [{ unread: 0 }, { upcoming: 0 }])
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

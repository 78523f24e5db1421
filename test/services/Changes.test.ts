import { assert, layer } from "@effect/vitest"
import { Effect, type Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { AddressUpsert } from "../../src/domain/Address.ts"
import type { OrgId } from "../../src/domain/Ids.ts"
import { OrderId } from "../../src/domain/Order.ts"
import { ProductId } from "../../src/domain/Product.ts"
import { TransactionId } from "../../src/domain/Transaction.ts"
import { Addresses } from "../../src/services/Addresses.ts"
import { Benefits } from "../../src/services/Benefits.ts"
import { Changes } from "../../src/services/Changes.ts"
import { EnrollmentDecisions } from "../../src/services/EnrollmentDecisions.ts"
import { Enrollments } from "../../src/services/Enrollments.ts"
import { Messages } from "../../src/services/Messages.ts"
import { MessageSending } from "../../src/services/MessageSending.ts"
import { Orders } from "../../src/services/Orders.ts"
import { Notifications } from "../../src/services/Notifications.ts"
import { Products } from "../../src/services/Products.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { PushTokens } from "../../src/services/PushTokens.ts"
import { Reservations } from "../../src/services/Reservations.ts"
import { Tickets } from "../../src/services/Tickets.ts"
import { Transactions } from "../../src/services/Transactions.ts"
import { Verification } from "../../src/services/Verification.ts"
import { Wallet } from "../../src/services/Wallet.ts"
import { Wishlist } from "../../src/services/Wishlist.ts"
import { push as pushBenefit } from "../support/Benefits.ts"
import { book, cancel, define } from "../support/Bookings.ts"
import { prefer, register } from "../support/Notifying.ts"
import { upload } from "../support/Uploading.ts"
import { anOrder, as, asPlatform, type Customer, makeCustomer, people, placeOrder } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const home: AddressUpsert = { street1: "12 St James's Square", city: "London", country: "GB", zip: "SW1Y 4JH" }

/** What a customer's log says of what an effect does. */
const told = <A, E, R>(customer: Customer, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const changes = yield* Changes
    const { cursor } = yield* changes.positionOf().pipe(as(customer))
    yield* effect
    const { data } = yield* changes.since({ since: cursor, ps: 200 }).pipe(as(customer))
    return data
  })

const brief = (data: ReadonlyArray<{ readonly op: string; readonly type: string; readonly id: string }>) =>
  data.map(({ id, op, type }) => `${op} ${type} ${id}`)

const pushClock = (orgId: OrgId, amount: number) =>
  Products.use((products) =>
    products.push(ProductId.make("clock"), {
      sku: "C-1",
      name: "Clock",
      price: { amount, currency: "USD" },
      available: true
    })
  ).pipe(asPlatform(orgId))

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** A record without its links, as the log shows it. */
const unlinked = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, inner) => (/^url(?:ExpiresAt)?$/.test(key) ? null : inner))

layer(TestServices.layer, { excludeTestServices: true })("Changes", (it) => {
  it.effect("tell what the customer and the platform have done, in order and without holes", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const profiles = yield* Profiles
      const addresses = yield* Addresses
      const data = yield* told(
        ada,
        Effect.gen(function* () {
          yield* profiles.change({ about: "Counts" }).pipe(as(ada))
          const { address } = yield* addresses.upsert(home).pipe(as(ada))
          yield* placeOrder(ada)
          yield* addresses.remove(address.id).pipe(as(ada))
        })
      )
      assert.deepEqual(
        data.map(({ op, type }) => `${op} ${type}`),
        // The address is gone by now, whatever was done to it before.
        ["upsert profile", "delete address", "upsert order", "delete address"]
      )
      const first = data[0]!.sequence
      assert.deepEqual(
        data.map(({ sequence }) => sequence),
        [first, first + 1, first + 2, first + 3]
      )
      assert.deepEqual(
        data.map(({ record }) => record === null),
        [false, true, false, true]
      )
    })
  )

  it.effect("show each record as its own call shows it, but for links", () =>
    Effect.gen(function* () {
      const { acme, ada } = yield* people
      const tickets = yield* Tickets
      const messages = yield* Messages
      const sending = yield* MessageSending
      const orders = yield* Orders
      const addresses = yield* Addresses
      const transactions = yield* Transactions
      const wallet = yield* Wallet
      const products = yield* Products
      const wishlist = yield* Wishlist
      const profiles = yield* Profiles
      const data = yield* told(
        ada,
        Effect.gen(function* () {
          yield* profiles.change({ about: "Counts" }).pipe(as(ada))
          yield* addresses.upsert(home).pipe(as(ada))
          yield* placeOrder(ada)
          const { number } = yield* tickets.open({ title: "Broken", description: "It is." }).pipe(as(ada))
          yield* tickets.change({ ticketNumber: number, comment: { text: "Still" } }).pipe(as(ada))
          yield* sending.send({ text: "Hello" }).pipe(as(ada))
          yield* transactions
            .push(TransactionId.make("t-1"), {
              customerId: ada.customerId,
              type: "payment",
              status: "paid",
              amount: { amount: 5, currency: "USD" },
              method: { type: "card" }
            })
            .pipe(asPlatform(acme))
          yield* wallet
            .push({ customerId: ada.customerId, amount: { amount: 500, currency: "USD" }, reference: "gift" })
            .pipe(asPlatform(acme))
          yield* products
            .push(ProductId.make("lamp"), {
              sku: "L-1",
              name: "Lamp",
              price: { amount: 100, currency: "USD" },
              available: true
            })
            .pipe(asPlatform(acme))
          yield* wishlist.add("lamp").pipe(as(ada))
        })
      )
      const lastOf = (type: string) => data.findLast((change) => change.type === type)?.record
      const [ticket] = (yield* tickets.list({}).pipe(as(ada))).data
      assert.deepEqual(lastOf("profile"), json(yield* profiles.get.pipe(as(ada))))
      assert.deepEqual(lastOf("address"), json((yield* addresses.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("order"), json((yield* orders.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("ticket"), unlinked(yield* tickets.get(ticket!.number).pipe(as(ada))))
      assert.deepEqual(lastOf("message"), unlinked((yield* messages.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("transaction"), json((yield* transactions.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("wallet"), { balance: json(yield* wallet.balance.pipe(as(ada))) as Schema.Json })
      assert.deepEqual(lastOf("wishlistItem"), json((yield* wishlist.list({}).pipe(as(ada))).data[0]))
    })
  )

  it.effect("show what is verified, notifications, devices, reservations and enrollments as their own calls do", () =>
    Effect.gen(function* () {
      const { acme, ada } = yield* people
      const verification = yield* Verification
      const notifications = yield* Notifications
      const devices = yield* PushTokens
      const reservations = yield* Reservations
      const benefits = yield* Benefits
      const enrollments = yield* Enrollments
      const decisions = yield* EnrollmentDecisions
      const evidence = yield* upload(ada, "card.txt")
      const data = yield* told(
        ada,
        Effect.gen(function* () {
          yield* verification.send("email", "ada@lovelace.example").pipe(as(ada))
          yield* register(ada, "a-token-that-nobody-else-may-read", { deviceId: "pixel" })
          yield* define(acme)
          yield* book(ada, 9, { note: "By the back door" })
          yield* pushBenefit(acme, "student", { legalAgreement: "I am one.", validity: { duration: 1, unit: "years" } })
          const { id } = yield* enrollments
            .enroll({
              benefitId: "student",
              formData: { university: "London", yearOfBirth: 1815 },
              documents: [evidence.path],
              agreementAccepted: true
            })
            .pipe(as(ada))
          yield* decisions.decide(id, { status: "approved", reason: "Welcome" }).pipe(asPlatform(acme))
        })
      )
      const lastOf = (type: string) => data.findLast((change) => change.type === type)?.record
      assert.deepEqual(lastOf("verification"), json(yield* verification.status.pipe(as(ada))))
      assert.deepInclude(lastOf("verification")!["email"], { pending: "ada@lovelace.example" })
      assert.deepEqual(lastOf("notification"), json((yield* notifications.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("pushToken"), json((yield* devices.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("reservation"), json((yield* reservations.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("benefit"), unlinked((yield* benefits.list({}).pipe(as(ada))).data[0]))
      assert.deepEqual(lastOf("enrollment"), unlinked((yield* enrollments.list({}).pipe(as(ada))).data[0]))
      assert.deepInclude(lastOf("enrollment"), { status: "active" })
      assert.notInclude(JSON.stringify(data), "a-token-that-nobody-else-may-read")
      assert.notMatch(JSON.stringify(data), /"url":"/)
    })
  )

  it.effect("say nothing of notifications that the customer has chosen not to see in the list", () =>
    Effect.gen(function* () {
      const { acme, ada, eve } = yield* people
      yield* define(acme, { spots: 2 })
      yield* prefer(ada, { types: { reservation: { inApp: false } } })
      const hidden = yield* told(
        ada,
        Effect.flatMap(book(ada, 9), ({ id }) => cancel(ada, id))
      )
      const shown = yield* told(eve, book(eve, 9))
      const types = (data: typeof hidden) => data.map(({ op, type }) => `${op} ${type}`)
      assert.deepEqual(types(hidden), ["upsert reservation", "upsert reservation"])
      assert.sameMembers(types(shown), ["upsert reservation", "upsert notification"])
    })
  )

  it.effect("bring a benefit to all customers of its org and to no other, and take it away again", () =>
    Effect.gen(function* () {
      const { acme, ada, eve, mallory } = yield* people
      const hers = yield* Effect.gen(function* () {
        const offered = yield* told(ada, told(eve, pushBenefit(acme, "student")))
        assert.deepEqual(brief(offered), ["upsert benefit student"])
        assert.deepInclude(offered[0]!.record, { title: "Ten percent for everybody", enrollment: null })
      }).pipe((both) => told(mallory, both))
      assert.deepEqual(hers, [])

      const enrolled = yield* told(ada, Enrollments.use(({ enroll }) => enroll({ benefitId: "student" })).pipe(as(ada)))
      assert.deepEqual(
        enrolled.map(({ op, type }) => `${op} ${type}`),
        ["upsert enrollment", "upsert benefit"]
      )
      assert.deepEqual(enrolled[1]!.record!["enrollment"], enrolled[0]!.record)

      const same = yield* told(eve, pushBenefit(acme, "student"))
      const gone = yield* told(eve, pushBenefit(acme, "student", { active: false }))
      assert.deepEqual([brief(same), brief(gone)], [[], ["delete benefit student"]])
    })
  )

  it.effect("take a device from whoever loses it to another customer", () =>
    Effect.gen(function* () {
      const { ada, eve } = yield* people
      yield* register(ada, "one-token")
      const hers = yield* told(ada, register(eve, "one-token"))
      assert.deepEqual(
        hers.map(({ op, type }) => `${op} ${type}`),
        ["delete pushToken"]
      )
    })
  )

  it.effect("say nothing where a write changes nothing", () =>
    Effect.gen(function* () {
      const { acme, ada } = yield* people
      const orders = yield* Orders
      const order = anOrder(ada)
      const push = orders.push(OrderId.make("same"), order).pipe(asPlatform(acme))
      yield* push
      assert.deepEqual(yield* told(ada, push), [])
    })
  )

  it.effect("take an order that moves away from its old customer", () =>
    Effect.gen(function* () {
      const { acme, ada, eve } = yield* people
      const orders = yield* Orders
      const order = anOrder(ada)
      yield* orders.push(OrderId.make("moved"), order).pipe(asPlatform(acme))
      const move = orders.push(OrderId.make("moved"), { ...order, customerId: eve.customerId }).pipe(asPlatform(acme))
      const [hers, evesNew] = yield* Effect.gen(function* () {
        const changes = yield* Changes
        const { cursor } = yield* changes.positionOf().pipe(as(eve))
        const hers = yield* told(ada, move)
        return [hers, (yield* changes.since({ since: cursor }).pipe(as(eve))).data] as const
      })
      assert.deepEqual(brief(hers), ["delete order moved"])
      assert.deepEqual(brief(evesNew), ["upsert order moved"])
      assert.strictEqual(hers[0]!.record, null)
    })
  )

  it.effect("reach the wishlists that hold a product, and no other", () =>
    Effect.gen(function* () {
      const { acme, ada, eve } = yield* people
      const wishlist = yield* Wishlist
      yield* pushClock(acme, 100)
      yield* wishlist.add("clock").pipe(as(ada))

      const evesNew = yield* Effect.gen(function* () {
        const hers = yield* told(ada, pushClock(acme, 90))
        assert.deepEqual(brief(hers), ["upsert wishlistItem clock"])
        assert.deepInclude(hers[0]!.record, { price: { amount: 90, currency: "USD" } })
      }).pipe((both) => told(eve, both))
      assert.deepEqual(evesNew, [])
    })
  )

  it.effect("show a conversation anew when its customer is called something else", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const sending = yield* MessageSending
      const profiles = yield* Profiles
      yield* sending.send({ text: "Hello" }).pipe(as(ada))
      const data = yield* told(ada, profiles.change({ name: "Countess" }).pipe(as(ada)))
      assert.deepEqual(
        data.map(({ type }) => type),
        ["profile", "conversation"]
      )
      assert.deepInclude((data[1]!.record!["parties"] as ReadonlyArray<object>)[0]!, { name: "Countess" })
    })
  )

  it.effect("come in pages", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const changes = yield* Changes
      const { cursor } = yield* changes.positionOf().pipe(as(ada))
      for (let n = 0; n < 5; n++) yield* placeOrder(ada)
      const sizes: Array<number> = []
      const seen: Array<number> = []
      let page = yield* changes.since({ since: cursor, ps: 2 }).pipe(as(ada))
      for (let n = 0; n < 5; n++) {
        sizes.push(page.data.length)
        seen.push(...page.data.map(({ sequence }) => sequence))
        if (!page.hasNext) break
        page = yield* changes.since({ since: page.cursor, ps: 2 }).pipe(as(ada))
      }
      assert.deepEqual(sizes, [2, 2, 1])
      assert.deepEqual(
        seen,
        seen.map((_, index) => seen[0]! + index)
      )
      assert.deepEqual((yield* changes.since({ since: page.cursor }).pipe(as(ada))).data, [])
    })
  )

  it.effect("are refused where the cursor is another customer's, a namesake's, or made up", () =>
    Effect.gen(function* () {
      const { ada, eve, namesake } = yield* people
      const changes = yield* Changes
      const { cursor } = yield* changes.positionOf().pipe(as(ada))
      const [text] = [Buffer.from(cursor, "base64url").toString()]
      const made = [
        "x",
        Buffer.from(text!.replace(/^\d+/, "0")).toString("base64url"),
        Buffer.from(text!.replace(/.$/, "!")).toString("base64url"),
        `${cursor}A`
      ]
      for (const [who, since] of [
        [eve, cursor],
        [namesake, cursor],
        ...made.map((one) => [ada, one] as const)
      ] as const) {
        const error = yield* Effect.flip(changes.since({ since }).pipe(as(who)))
        assert.strictEqual(error._tag, "InvalidRequest")
      }
    })
  )

  for (const [guard, set] of TestServices.guards) {
    it.effect(`never show what another customer has, by ${guard}`, () =>
      Effect.gen(function* () {
        const { acme, ada, eve, namesake, other } = yield* people
        for (const orgId of [acme, other]) yield* pushClock(orgId, 100)
        yield* set
        for (const stranger of [eve, namesake]) {
          assert.deepEqual(yield* told(stranger, placeOrder(ada)), [])
        }
        // What is called the same is not the same record.
        const wish = (customer: Customer) => Wishlist.use((wishlist) => wishlist.add("clock")).pipe(as(customer))
        for (const customer of [ada, eve, namesake]) {
          assert.deepEqual(brief(yield* told(customer, wish(customer))), ["upsert wishlistItem clock"])
        }
      })
    )
  }

  it.effect("number what many write at once without a hole, and never show a later one first", () =>
    Effect.gen(function* () {
      const { acme } = yield* people
      const ada = yield* makeCustomer(acme, `busy-${Date.now()}`)
      const changes = yield* Changes
      const start = yield* changes.positionOf().pipe(as(ada))
      const seen: Array<number> = []
      let writing = true
      const reader = Effect.gen(function* () {
        let { cursor } = start
        let last = false
        while (!last) {
          last = !writing
          const page = yield* changes.since({ since: cursor, ps: 50 }).pipe(as(ada))
          seen.push(...page.data.map(({ sequence }) => sequence))
          cursor = page.cursor
          if (page.hasNext) last = false
        }
      })
      const writer = Effect.forEach(Array.from({ length: 200 }), () => placeOrder(ada), { concurrency: 8 }).pipe(
        Effect.tap(() => Effect.sync(() => (writing = false)))
      )
      yield* Effect.all([reader, writer], { concurrency: "unbounded" })
      assert.deepEqual(
        seen,
        Array.from({ length: 200 }, (_, n) => start.sequence + n + 1)
      )
    })
  )

  it.effect("are kept for every table that has a customer in it, or it is said why not", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const tables = yield* sql<{ readonly name: string }>`
        SELECT relname AS name FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'customer_id'
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT EXISTS (
          SELECT 1 FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'record_made')
        ORDER BY 1`
      assert.deepEqual(
        tables.map(({ name }) => name),
        [
          // Its file is recorded, when it is ready.
          "account_exports",
          // What customers have been told of by itself.
          "card_notices",
          // The log itself.
          "customer_change_counters",
          "customer_changes",
          // What is on its way out: the notification that it belongs to is recorded.
          "deliveries",
          // Written once, with their enrollment, or with its next status.
          "enrollment_documents",
          "enrollment_steps",
          // The end of the account, which no feed outlives.
          "erasure_receipts",
          "erasures",
          // Nobody's to see: bookkeeping of uploads, of idempotent requests.
          "file_leftovers",
          "file_usage",
          "idempotency_keys",
          // A setting, no record: it is no part of the whole account.
          "notification_preferences",
          // What local mode has kept instead of sending it.
          "outbox",
          // Nobody's to see: bookkeeping of providers, of address look-ups, of reminders.
          "payment_checks",
          "payment_customers",
          "place_sessions",
          "reservation_reminders",
          // Each moves the wallet's balance, which is recorded.
          "wallet_entries"
        ]
      )
    })
  )
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { SqlClient } from "effect/sql"
import type { CustomerId } from "../../src/domain/Ids.ts"
import type { OrderPush } from "../../src/domain/OrderPush.ts"
import { OrderId } from "../../src/domain/Order.ts"
import type { Notice } from "../../src/domain/Notice.ts"
import type { TicketAnswer } from "../../src/domain/Ticket.ts"
import { CardNotices } from "../../src/services/CardNotices.ts"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import { MessageSending } from "../../src/services/MessageSending.ts"
import { Notices } from "../../src/services/Notices.ts"
import { Orders } from "../../src/services/Orders.ts"
import { TicketAnswers } from "../../src/services/TicketAnswers.ts"
import { Tickets } from "../../src/services/Tickets.ts"
import * as Notifying from "../support/Notifying.ts"
import { leavingFor, list, prefer, register, titlesOf } from "../support/Notifying.ts"
import { anOrder, as, asPlatform, type Customer, erase, makeCustomer, makeOrg, people } from "../support/People.ts"
import { later } from "../support/Time.ts"

const parallel = { concurrency: "unbounded" } as const

const push = (customer: Customer, id: string, more: Partial<OrderPush> = {}) =>
  Orders.use((orders) =>
    orders.push(OrderId.make(id), { ...anOrder(customer, more), number: "7", placedAt: new Date(), ...more })
  ).pipe(asPlatform(customer.orgId))

const openTicket = (customer: Customer) =>
  Tickets.use((tickets) => tickets.open({ title: "Stuck keys", description: "7 and 8." })).pipe(as(customer))

const answer = (customer: Customer, number: string, answer: TicketAnswer) =>
  TicketAnswers.use((tickets) => tickets.answer(number, answer)).pipe(asPlatform(customer.orgId))

const write = ({ customerId, orgId }: Customer, text: string) =>
  MessageSending.use(({ push }) => push({ customerId, from: { kind: "staff", id: "c", name: "Charles" }, text })).pipe(
    asPlatform(orgId)
  )

const shipped = (customerId: CustomerId): Notice => ({
  customerId,
  template: "orderStatus",
  facts: { number: "7", status: "shipped" },
  data: { orderId: "o" },
  link: "/orders/o"
})

/** Tells as services do it: in a transaction of the platform's. */
const tell = ({ customerId, orgId }: Customer) =>
  Effect.gen(function* () {
    const notices = yield* Notices
    const sql = yield* PlatformSql
    yield* sql.withTransaction(notices.tell(shipped(customerId)))
  }).pipe(asPlatform(orgId))

const channelsTo = (customer: Customer) =>
  Effect.map(leavingFor(customer), (leaving) => leaving.map(({ channel }) => channel))

layer(Notifying.layer, { excludeTestServices: true })((it) => {
  describe("A customer is told", () => {
    it.effect("of a new order once, and of each new status, however often the same is pushed", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people

        yield* push(ada, "o-1", { status: "paid" })
        yield* push(ada, "o-1", { status: "paid" })
        yield* push(ada, "o-1", { status: "shipped" })
        yield* push(ada, "o-1", { status: "shipped", number: "8" })
        yield* push(ada, "o-1", { status: "delivered" })

        assert.deepStrictEqual(yield* titlesOf(ada), ["Order 7 received", "Order 7: shipped", "Order 7: delivered"])
        assert.isEmpty(yield* titlesOf(eve))
        const [first] = (yield* list(ada, { st: "asc" })).data
        const { createdAt: _, id: __, ...rest } = first!
        assert.deepStrictEqual(rest, {
          type: "order",
          title: "Order 7 received",
          body: "Thank you for your order 7. We will tell you how it goes on.",
          data: { orderId: "o-1", status: "paid" },
          link: "/orders/o-1",
          read: false,
          readAt: null
        })
      })
    )

    it.effect("of one new order and one new status once, when twenty pushes of it arrive at once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* Effect.forEach(Array.from({ length: 20 }), () => push(ada, "o-2", { status: "paid" }), parallel)

        yield* Effect.forEach(Array.from({ length: 20 }), () => push(ada, "o-2", { status: "shipped" }), parallel)

        assert.deepStrictEqual(yield* titlesOf(ada), ["Order 7 received", "Order 7: shipped"])
      })
    )

    it.effect("nothing of orders that an import brings in from long ago, nor of those that are over", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* push(ada, "o-3", { status: "paid", placedAt: new Date(Date.now() - 48 * 3_600_000) })
        yield* push(ada, "o-4", { status: "delivered" })

        assert.isEmpty(yield* titlesOf(ada))
      })
    )

    it.effect("of an answer to a ticket, or else of its new status, and of nothing twice", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { number } = yield* openTicket(ada)

        yield* answer(ada, number, { status: "pending", reply: { text: "Does it help?", author: "Charles" } })
        yield* answer(ada, number, { status: "pending" })
        yield* answer(ada, number, { priority: "high" })
        yield* answer(ada, number, { status: "done" })

        assert.deepStrictEqual(yield* titlesOf(ada), ["An answer to ticket 1001", "Ticket 1001: done"])
      })
    )

    it.effect("of a message from the staff, by its beginning", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* write(ada, "x".repeat(1000))

        const [notification] = (yield* list(ada)).data
        assert.deepStrictEqual([notification!.title, notification!.body.length], ["A message from Charles", 200])
        assert.match(notification!.link!, /^\/messages\/.+/)
      })
    )

    it.effect("of a card that is about to expire once for each month, however many look", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const sql = yield* SqlClient.SqlClient
        const card = (id: string, months: number, isDefault: boolean) => sql`
          INSERT INTO payment_methods (org_id, id, customer_id, type, brand, last4, exp_month, exp_year, is_default)
          SELECT ${ada.orgId}, ${id}, ${ada.customerId}, 'card', 'visa', '4242', extract(month FROM good)::int,
            extract(year FROM good)::int, ${isDefault}
          FROM (SELECT now() AT TIME ZONE 'UTC' + make_interval(months => ${months}) AS good) AS until`
        yield* card("pm_past", -1, true)
        yield* card("pm_now", 0, false)
        yield* card("pm_next", 1, false)
        yield* card("pm_later", 2, false)
        const tellDue = CardNotices.use(({ tellDue }) => tellDue)

        yield* Effect.all([tellDue, tellDue, tellDue], parallel)
        yield* tellDue

        const { data } = yield* list(ada)
        assert.deepStrictEqual(data.map(({ data }) => data["paymentMethodId"]).sort(), ["pm_next", "pm_now"])
        assert.deepStrictEqual([data[0]!.type, data[0]!.link], ["payment", "/payment-methods"])
      })
    )

    it.effect("in the language of the profile, by mail too", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const heidi = yield* makeCustomer(orgId, "heidi", { language: "de-CH", email: "heidi@example.com" })

        yield* push(heidi, "o-5", { status: "paid" })

        assert.deepStrictEqual(yield* titlesOf(heidi), ["Bestellung 7 ist eingegangen"])
        const [mail] = yield* leavingFor(heidi)
        assert.deepInclude(mail!.message, { language: "de-CH", subject: "Bestellung 7 ist eingegangen" })
        assert.strictEqual(mail!.target, "heidi@example.com")
      })
    )

    it.effect("nothing of a write that did not happen", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const notices = yield* Notices
        const sql = yield* PlatformSql

        yield* Effect.exit(
          sql
            .withTransaction(Effect.andThen(notices.tell(shipped(ada.customerId)), Effect.fail("no")))
            .pipe(asPlatform(ada.orgId))
        )

        assert.isEmpty(yield* titlesOf(ada))
        assert.isEmpty(yield* leavingFor(ada))
      })
    )

    it.effect("nothing outside of a transaction, which is a mistake of ours", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const notices = yield* Notices

        const exits = yield* Effect.all([
          Effect.exit(notices.tell(shipped(ada.customerId)).pipe(asPlatform(ada.orgId))),
          Effect.exit(notices.confirm(shipped(ada.customerId)).pipe(as(ada)))
        ])

        assert.isTrue(exits.every(Exit.hasDies))
        assert.isEmpty(yield* titlesOf(ada))
      })
    )

    it.effect("of what they have done themselves in their own transaction, and nobody else is", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        const notices = yield* Notices
        const sql = yield* CustomerSql

        yield* sql.withTransaction(notices.confirm(shipped(eve.customerId))).pipe(as(ada))

        assert.deepStrictEqual(yield* titlesOf(ada), ["Order 7: shipped"])
        assert.isEmpty(yield* titlesOf(eve))
        assert.deepStrictEqual(yield* channelsTo(ada), ["email"])
      })
    )

    it.effect("nothing once they are erased, nor is a customer of another org with the same id", () =>
      Effect.gen(function* () {
        const { ada, namesake } = yield* people
        yield* erase(ada)

        yield* tell(ada)

        assert.isEmpty(yield* titlesOf(ada))
        assert.isEmpty(yield* titlesOf(namesake))
      })
    )
  })

  describe("The channels of a notice", () => {
    it.effect("are the list, every device of theirs and the mail, unless the customer has chosen otherwise", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const reachable = { email: "a@example.com", phone: "+442079460958", phoneVerified: true }
        const ada = yield* makeCustomer(orgId, "ada", reachable)
        yield* register(ada, "token-1")
        yield* register(ada, "token-2")
        yield* register(yield* makeCustomer(orgId, "eve", {}), "token-3")

        yield* tell(ada)

        const leaving = yield* leavingFor(ada)
        const [notification] = (yield* list(ada)).data
        assert.deepStrictEqual(
          leaving.map(({ channel }) => channel),
          ["email", "push", "push"]
        )
        assert.isTrue(
          leaving.every(({ notBefore, notificationId }) => notBefore === null && notificationId === notification!.id)
        )
        assert.deepInclude(leaving[1]!.message, {
          title: "Order 7: shipped",
          link: "/orders/o",
          data: { orderId: "o", type: "order", notificationId: notification!.id }
        })
      })
    )

    it.effect("are those that the customer has chosen for what it is about", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const reachable = { email: "a@example.com", phone: "+442079460958", phoneVerified: true }
        const [texted, silent, hidden] = yield* Effect.forEach(["texted", "silent", "hidden"], (id) =>
          makeCustomer(orgId, id, reachable)
        )
        yield* prefer(texted!, { types: { order: { email: false, sms: true }, ticket: { sms: false } } })
        yield* prefer(silent!, { types: { order: { inApp: false, push: false, email: false } } })
        yield* prefer(hidden!, { types: { order: { inApp: false } } })

        yield* Effect.forEach([texted!, silent!, hidden!], tell)

        assert.deepStrictEqual(yield* channelsTo(texted!), ["sms"])
        assert.deepStrictEqual([yield* titlesOf(silent!), yield* channelsTo(silent!)], [[], []])
        assert.deepStrictEqual([yield* titlesOf(hidden!), yield* channelsTo(hidden!)], [[], ["email"]])
        assert.strictEqual((yield* list(hidden!)).unread, 0)
      })
    )

    it.effect("do not reach a phone number that nobody has proven", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const ada = yield* makeCustomer(orgId, "ada", { phone: "+442079460958" })
        yield* prefer(ada, { types: { order: { sms: true } } })

        yield* tell(ada)

        assert.isEmpty(yield* leavingFor(ada))
        assert.strictEqual((yield* titlesOf(ada)).length, 1)
      })
    )

    it.effect("wait until quiet hours are over, but for the list", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const ada = yield* makeCustomer(orgId, "ada", { email: "a@example.com", timezone: "Asia/Tokyo" })
        yield* register(ada, "token-1")
        yield* prefer(ada, { quietHours: { start: "22:00", end: "07:00" } })
        // 23:30 in Tokyo, some day after today.
        const target = new Date()
        target.setUTCHours(14, 30, 0, 0)
        target.setUTCDate(target.getUTCDate() + 1)
        const wait = target.getTime() - Date.now()

        yield* tell(ada).pipe(later(wait))

        const end = new Date(target)
        end.setUTCHours(22, 0, 0, 0)
        assert.deepStrictEqual(
          (yield* leavingFor(ada)).map(({ channel, notBefore }) => [channel, notBefore?.toISOString()]),
          ["email", "push"].map((channel) => [channel, end.toISOString()])
        )
        assert.strictEqual((yield* titlesOf(ada)).length, 1)

        yield* tell(ada).pipe(later(wait + 8 * 3_600_000))
        assert.strictEqual((yield* leavingFor(ada)).filter(({ notBefore }) => notBefore === null).length, 2)
      })
    )
  })
})

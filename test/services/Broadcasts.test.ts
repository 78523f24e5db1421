import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { CustomerId, type OrgId } from "../../src/domain/Ids.ts"
import { Broadcasts } from "../../src/services/Broadcasts.ts"
import { Deliveries } from "../../src/services/Deliveries.ts"
import { PlatformSql } from "../../src/services/Database.ts"
import * as Notifying from "../support/Notifying.ts"
import {
  broadcast,
  crowd,
  inCrowd,
  leavingFor,
  list,
  prefer,
  register,
  reportOf,
  tellAll
} from "../support/Notifying.ts"
import { asPlatform, erase, fingerprint, makeCustomer, makeOrg, newcomer, people } from "../support/People.ts"

const parallel = { concurrency: "unbounded" } as const

/** How many notifications of a broadcast there are, and how many customers have one. */
const told = (orgId: OrgId, id: string) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{ readonly rows: number; readonly customers: number }>`
      SELECT count(*)::int AS rows, count(DISTINCT customer_id)::int AS customers
      FROM notifications WHERE org_id = ${orgId} AND broadcast_id = ${id}`
  ).pipe(Effect.map(([row]) => row!))

/** Broadcasts whose process dies now and then: after a batch has been written, and before it is committed. */
const dying = (dies: (call: number) => boolean) =>
  Effect.suspend(() => {
    let calls = 0
    const deliveries = Deliveries.of({
      record: (recorded) => {
        calls++
        return dies(calls) ? Effect.die(new Error("the process is gone")) : Effect.succeed(recorded.map(() => "id"))
      }
    })
    return Effect.map(
      Layer.build(Layer.fresh(Broadcasts.layer).pipe(Layer.provide(Layer.succeed(Deliveries, deliveries)))),
      (services) => ({
        broadcasts: Context.get(services, Broadcasts),
        calls: () => calls
      })
    )
  })

layer(Notifying.layer, { excludeTestServices: true })((it) => {
  describe("A broadcast", () => {
    it.effect(
      "to all tells each of five thousand customers once, though the process dies again and again",
      () =>
        Effect.gen(function* () {
          const orgId = yield* makeOrg("crowd")
          yield* crowd(orgId, 5000)
          const { broadcasts, calls } = yield* dying((call) => [1, 4, 5, 9].includes(call))
          const { id } = yield* broadcast(orgId)

          for (let round = 0; round < 15; round++) yield* broadcasts.tellNext

          assert.strictEqual(calls(), 14)
          assert.deepStrictEqual(yield* told(orgId, id), { rows: 5000, customers: 5000 })
          const { customers, finishedAt } = yield* reportOf(orgId, id)
          assert.deepStrictEqual([customers, finishedAt !== null], [{ total: 5000, told: 5000 }, true])
        }),
      120_000
    )

    it.effect(
      "tells everybody once when several replicas are at it at once",
      () =>
        Effect.gen(function* () {
          const orgId = yield* makeOrg("crowd")
          yield* crowd(orgId, 2500)
          const replicas = yield* Effect.forEach([1, 2, 3, 4], () => dying(() => false))
          const { id } = yield* broadcast(orgId)

          for (let told = 1; told > 0;) {
            const batches = yield* Effect.forEach(replicas, ({ broadcasts }) => broadcasts.tellNext, parallel)
            told = batches.reduce((sum, count) => sum + count, 0)
          }

          assert.deepStrictEqual(yield* told(orgId, id), { rows: 2500, customers: 2500 })
          assert.strictEqual((yield* reportOf(orgId, id)).customers.told, 2500)
        }),
      120_000
    )

    it.effect("tells no customer twice, even if its mark were lost", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("crowd")
        yield* crowd(orgId, 20)
        const { id } = yield* broadcast(orgId)
        yield* tellAll
        const leaving = yield* leavingFor(newcomer(orgId, inCrowd(1)))
        const sql = yield* PlatformSql
        yield* sql`UPDATE broadcasts SET told = 0, told_to = '', finished_at = NULL WHERE org_id = ${orgId}`.pipe(
          asPlatform(orgId)
        )

        yield* tellAll

        assert.deepStrictEqual(yield* told(orgId, id), { rows: 20, customers: 20 })
        assert.strictEqual(leaving.length, 1)
        assert.deepStrictEqual(yield* leavingFor(newcomer(orgId, inCrowd(1))), leaving)
      })
    )

    it.effect("to customers by name tells those, each once, and no namesake in another org", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, grace, namesake } = yield* people

        const { id } = yield* broadcast(acme, {
          customerIds: [eve.customerId, ada.customerId, ada.customerId],
          title: "Ready",
          data: { orderId: "o-1" },
          link: "/orders/o-1"
        })
        yield* tellAll

        const [adas, eves, graces, others] = yield* Effect.forEach([ada, eve, grace, namesake], (who) => list(who))
        assert.deepStrictEqual([adas!.total, eves!.total, graces!.total, others!.total], [1, 1, 0, 0])
        assert.deepInclude(adas!.data[0]!, { title: "Ready", data: { orderId: "o-1" }, link: "/orders/o-1" })
        assert.deepStrictEqual((yield* reportOf(acme, id)).customers, { total: 2, told: 2 })
      })
    )

    it.effect("to anybody who does not exist, is erased or another org's is refused, and nobody is told", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, mallory } = yield* people
        yield* erase(eve)
        const before = yield* fingerprint

        for (const stranger of [CustomerId.make("nobody"), eve.customerId, mallory.customerId]) {
          const refused = yield* Effect.flip(broadcast(acme, { customerIds: [ada.customerId, stranger] }))
          assert.strictEqual(refused.code, "customer_not_found")
        }

        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("is for those who are customers when it is accepted: not for erased ones, nor for later ones", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, grace } = yield* people
        const { id } = yield* broadcast(acme)
        yield* erase(eve)
        yield* Effect.sleep("10 millis")
        const late = yield* makeCustomer(acme, "zoe")

        yield* tellAll

        const totals = yield* Effect.forEach([ada, eve, grace, late], (who) =>
          Effect.map(list(who), ({ total }) => total)
        )
        assert.deepStrictEqual(totals, [1, 0, 1, 0])
        const { customers, finishedAt } = yield* reportOf(acme, id)
        assert.deepStrictEqual([customers, finishedAt !== null], [{ total: 3, told: 2 }, true])
      })
    )

    it.effect(
      "takes the channels that it names, as far as each customer allows them, and says which it could not",
      () =>
        Effect.gen(function* () {
          const orgId = yield* makeOrg("acme")
          const ada = yield* makeCustomer(orgId, "ada", { email: "ada@example.com" })
          const eve = yield* makeCustomer(orgId, "eve", { email: "eve@example.com" })
          const zoe = yield* makeCustomer(orgId, "zoe")
          yield* register(ada, "token-1")
          yield* prefer(eve, { types: { marketing: { email: true } } })

          const { id } = yield* broadcast(orgId, { type: "marketing", channels: ["inApp", "email"] })
          const plain = yield* broadcast(orgId, { type: "order", channels: ["push"] })
          yield* tellAll

          const report = yield* reportOf(orgId, id)
          const rows = report.deliveries.map(({ channel, customerId, reason, state }) => [
            customerId,
            channel,
            state,
            reason
          ])
          assert.sameDeepMembers(rows, [
            ["ada", "inApp", "delivered", null],
            ["ada", "email", "skipped", "preferences"],
            ["eve", "inApp", "delivered", null],
            ["eve", "email", "queued", null],
            ["zoe", "inApp", "delivered", null],
            ["zoe", "email", "skipped", "preferences"]
          ])
          assert.deepStrictEqual(report.counts, { queued: 1, sent: 0, delivered: 3, failed: 0, skipped: 2 })
          assert.deepStrictEqual([report.total, report.hasNext], [6, false])
          const pushed = yield* reportOf(orgId, plain.id)
          assert.sameDeepMembers(
            pushed.deliveries.map(({ channel, customerId, reason, state }) => [customerId, channel, state, reason]),
            [
              ["ada", "push", "queued", null],
              ["eve", "push", "skipped", "no_device"],
              ["zoe", "push", "skipped", "no_device"]
            ]
          )
          assert.strictEqual((yield* list(zoe)).total, 1)
        })
    )

    it.effect("that concerns security goes out in quiet hours, and by mail whatever the customer has chosen", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const ada = yield* makeCustomer(orgId, "ada", { email: "ada@example.com" })
        const hour = new Date().getUTCHours()
        const time = (hours: number) => `${String((hours + 24) % 24).padStart(2, "0")}:00`
        yield* prefer(ada, { quietHours: { start: time(hour - 2), end: time(hour + 3) } })

        yield* broadcast(orgId, { type: "order" })
        yield* broadcast(orgId, { type: "security.login" })
        yield* tellAll

        const waits = (yield* leavingFor(ada)).map(({ message, notBefore }) => [message["subject"], notBefore !== null])
        assert.deepStrictEqual(waits, [
          ["News", true],
          ["News", false]
        ])
      })
    )

    it.effect("is reported page by page, walked by its cursors", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("crowd")
        yield* crowd(orgId, 40)
        const { id } = yield* broadcast(orgId)
        yield* tellAll

        const seen: Array<string> = []
        let cursor: string | null = null
        do {
          const page: Effect.Success<ReturnType<typeof reportOf>> = yield* Broadcasts.use((broadcasts) =>
            broadcasts.find(id, { ps: 30, channel: "email", ...(cursor === null ? {} : { cursor }) })
          ).pipe(asPlatform(orgId))
          seen.push(...page.deliveries.map((delivery) => delivery.customerId))
          cursor = page.nextCursor
        } while (cursor !== null)

        assert.deepStrictEqual([seen.length, new Set(seen).size], [40, 40])
      })
    )

    it.effect("of another org does not exist", () =>
      Effect.gen(function* () {
        const { acme, other } = yield* people
        const { id } = yield* broadcast(acme)

        const errors = yield* Effect.forEach([id, "none"], (id) => Effect.flip(reportOf(other, id)))

        assert.deepStrictEqual(
          errors.map(({ code }) => code),
          ["notification_not_found", "notification_not_found"]
        )
      })
    )
  })
})

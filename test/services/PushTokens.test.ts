import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { CustomerSql } from "../../src/services/Database.ts"
import { PushTargets } from "../../src/services/PushTargets.ts"
import { PushTokens } from "../../src/services/PushTokens.ts"
import * as Notifying from "../support/Notifying.ts"
import { devicesOf, register } from "../support/Notifying.ts"
import { as, type Customer, fingerprint, makeCustomer, makeOrg, people } from "../support/People.ts"
import { guards } from "../support/TestServices.ts"

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const parallel = { concurrency: "unbounded" } as const

const remove = (customer: Customer, id: string) => PushTokens.use((tokens) => tokens.remove(id)).pipe(as(customer))
const targetOf = ({ customerId, orgId }: Customer, id: string) =>
  PushTargets.use((targets) => targets.find(orgId, customerId, id))
const forget = ({ customerId, orgId }: Customer, id: string) =>
  PushTargets.use((targets) => targets.forget(orgId, customerId, id))

/** How many rows hold a token, as the owner sees them, whoever's. */
const ownersOf = (orgId: string, token: string) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{ readonly customerId: string; readonly id: string }>`
      SELECT customer_id, id FROM push_tokens WHERE org_id = ${orgId} AND token = ${token}`
  )

layer(Notifying.layer, { excludeTestServices: true })((it) => {
  describe("A device", () => {
    it.effect("is listed masked, with the provider that its platform suggests", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const { added, token } = yield* register(ada, "cUv7:APA91bHPRgkF3JUikC4", {
          deviceId: "pixel",
          appVersion: "3.2.0"
        })
        yield* register(ada, "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad", { platform: "ios" })
        yield* register(ada, "dWx9:APA91bEkwlefkwelfkwel", { platform: "ios" })
        yield* register(ada, "short", { platform: "web" })

        const { id, lastSeenAt, ...rest } = token
        assert.isTrue(added)
        assert.deepStrictEqual(rest, {
          token: "••••ikC4",
          platform: "android",
          provider: "fcm",
          deviceId: "pixel",
          appVersion: "3.2.0"
        })
        const listed = yield* devicesOf(ada)
        assert.deepStrictEqual([listed[0]!.id, listed[0]!.lastSeenAt], [id, lastSeenAt])
        assert.deepStrictEqual(
          listed.map(({ platform, provider, token }) => [platform, provider, token]),
          [
            ["android", "fcm", "••••ikC4"],
            ["ios", "apns", "••••78ad"],
            ["ios", "fcm", "••••kwel"],
            ["web", "fcm", "••••"]
          ]
        )
        assert.deepStrictEqual(yield* targetOf(ada, id), {
          provider: "fcm",
          platform: "android",
          token: "cUv7:APA91bHPRgkF3JUikC4"
        })
      })
    )

    it.effect("that registers again is the same one, seen later", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const first = yield* register(ada, "token-1", { deviceId: "pixel", appVersion: "1" })

        const again = yield* register(ada, "token-1", { appVersion: "2" })

        assert.deepStrictEqual([again.added, again.token.id], [false, first.token.id])
        assert.deepInclude(again.token, { deviceId: "pixel", appVersion: "2" })
        assert.isAtLeast(again.token.lastSeenAt.getTime(), first.token.lastSeenAt.getTime())
        assert.strictEqual((yield* devicesOf(ada)).length, 1)
      })
    )

    it.effect("with a new token has one row, under another id: the old token's end is not the new one's", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const old = yield* register(ada, "token-old", { deviceId: "pixel" })

        const fresh = yield* register(ada, "token-new", { deviceId: "pixel" })
        yield* forget(ada, old.token.id)

        assert.deepStrictEqual(
          (yield* devicesOf(ada)).map(({ id }) => id),
          [fresh.token.id]
        )
        assert.isUndefined(yield* targetOf(ada, old.token.id))
        assert.strictEqual((yield* targetOf(ada, fresh.token.id))?.token, "token-new")
      })
    )

    it.effect("has one row when fifty tokens of it arrive at once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        yield* Effect.forEach(numbers(50), (n) => register(ada, `token-${n}`, { deviceId: "pixel" }), parallel)

        assert.strictEqual((yield* devicesOf(ada)).length, 1)
      })
    )

    it.effect("beyond the fiftieth takes the place of the one that was not seen for the longest time", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* Effect.forEach(numbers(50), (n) => register(ada, `token-${n}`))
        yield* register(ada, "token-0")

        yield* register(ada, "token-50")

        assert.strictEqual((yield* devicesOf(ada)).length, 50)
        assert.isEmpty(yield* ownersOf(ada.orgId, "token-1"))
        assert.strictEqual((yield* ownersOf(ada.orgId, "token-0")).length, 1)
      })
    )

    it.effect("that is removed, or that its provider knows no more, is gone, once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const one = yield* register(ada, "token-1")
        const two = yield* register(ada, "token-2")

        yield* remove(ada, one.token.id)
        yield* forget(ada, two.token.id)
        yield* forget(ada, two.token.id)
        const again = yield* Effect.flip(remove(ada, one.token.id))

        assert.strictEqual(again.code, "push_token_not_found")
        assert.isEmpty(yield* devicesOf(ada))
      })
    )
  })

  describe("A token", () => {
    it.effect("moves to whoever registers it, under a new id that the old owner's messages do not reach", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        const before = yield* register(ada, "token", { deviceId: "pixel" })

        const moved = yield* register(eve, "token", { deviceId: "pixel" })

        assert.isTrue(moved.added)
        assert.isEmpty(yield* devicesOf(ada))
        assert.deepStrictEqual(
          (yield* devicesOf(eve)).map(({ id }) => id),
          [moved.token.id]
        )
        assert.isUndefined(yield* targetOf(ada, before.token.id))
        assert.isUndefined(yield* targetOf(eve, before.token.id))
      })
    )

    it.effect("of another org stays there: orgs take nothing from each other", () =>
      Effect.gen(function* () {
        const { ada, mallory, namesake } = yield* people
        yield* register(ada, "token")
        yield* register(mallory, "token")
        yield* register(namesake, "token")

        const counts = yield* Effect.forEach([ada, mallory, namesake], devicesOf)

        assert.deepStrictEqual(
          counts.map(({ length }) => length),
          [1, 0, 1]
        )
      })
    )

    it.effect("has one owner when fifty customers register it at once", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("crowd")
        const customers = yield* Effect.forEach(numbers(50), (n) => makeCustomer(orgId, `c-${n}`))

        const made = yield* Effect.forEach(customers, (customer) => register(customer, "token"), parallel)

        const owners = yield* ownersOf(orgId, "token")
        const lists = yield* Effect.forEach(customers, devicesOf)
        assert.strictEqual(owners.length, 1)
        assert.strictEqual(lists.flat().length, 1)
        assert.strictEqual(lists.flat()[0]!.id, owners[0]!.id)
        assert.isTrue(made.every(({ added }) => added))
      })
    )

    it.effect("and another change hands at the same moment, again and again, and each has one owner", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        yield* register(ada, "token-a", { deviceId: "one" })
        yield* register(eve, "token-b", { deviceId: "one" })

        for (let round = 0; round < 10; round++) {
          const [first, second] = round % 2 === 0 ? ["token-b", "token-a"] : ["token-a", "token-b"]
          yield* Effect.all(
            [register(ada, first, { deviceId: "one" }), register(eve, second, { deviceId: "one" })],
            parallel
          )
          assert.deepStrictEqual(
            (yield* Effect.forEach([ada, eve], devicesOf)).map(({ length }) => length),
            [1, 1]
          )
        }
      })
    )
  })

  for (const [guard, off] of guards) {
    it.effect(`A stranger, kept out by ${guard}, sees and removes no device of somebody else's`, () =>
      Effect.gen(function* () {
        const { ada, eve, mallory, namesake } = yield* people
        yield* off
        const { token } = yield* register(ada, "token", { deviceId: "a phone" })
        const before = yield* fingerprint

        for (const stranger of [eve, mallory, namesake]) {
          assert.isEmpty(yield* devicesOf(stranger))
          assert.strictEqual((yield* Effect.flip(remove(stranger, token.id))).code, "push_token_not_found")
          assert.isUndefined(yield* targetOf(stranger, token.id))
        }
        assert.deepStrictEqual(yield* fingerprint, before)
        for (const stranger of [eve, mallory, namesake]) yield* register(stranger, "theirs", { deviceId: "a phone" })
        assert.deepStrictEqual(
          (yield* devicesOf(ada)).map(({ id }) => id),
          [token.id]
        )
      })
    )
  }

  it.effect("Taking a token answers nothing, and without a customer takes nothing", () =>
    Effect.gen(function* () {
      const { ada, eve } = yield* people
      yield* register(ada, "token")
      const hash = "0".repeat(64)
      const sql = yield* CustomerSql
      const owner = yield* SqlClient.SqlClient
      const [held] = yield* owner<{
        readonly tokenHash: string
      }>`SELECT token_hash FROM push_tokens WHERE org_id = ${ada.orgId}`

      const rolledBack = sql.withTransaction(
        Effect.andThen(
          Effect.all([
            sql`SELECT take_push_token(${held!.tokenHash}) AS answer`,
            sql`SELECT take_push_token(${hash}) AS answer`
          ]),
          (answers) => Effect.fail(answers)
        )
      )
      const answers = yield* Effect.flip(rolledBack.pipe(as(eve)))
      yield* owner`SELECT take_push_token(${held!.tokenHash})`

      assert.deepStrictEqual(answers, [[{ answer: "" }], [{ answer: "" }]])
      assert.strictEqual((yield* devicesOf(ada)).length, 1)
    })
  )
})

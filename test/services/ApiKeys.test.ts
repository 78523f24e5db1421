import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { createHash } from "node:crypto"
import { OrgId } from "../../src/domain/Ids.ts"
import { ApiKeys } from "../../src/services/ApiKeys.ts"
import { makeOrg, nextNumber } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"
import { later } from "../support/Time.ts"

const refused = (verified: Effect.Effect<unknown, { readonly code: string; readonly status: number }>) =>
  Effect.map(Effect.flip(verified), ({ code, status }) =>
    assert.deepStrictEqual([code, status], ["invalid_api_key", 401])
  )

layer(TestServices.layer, { excludeTestServices: true })("An API key", (it) => {
  it.effect("lets its org's platform in", () =>
    Effect.gen(function* () {
      const { create, verify } = yield* ApiKeys
      const acme = yield* makeOrg("acme")

      const { key } = yield* create(acme, "sync job")

      assert.deepStrictEqual({ ...(yield* verify(acme, key)) }, { orgId: acme })
    })
  )

  for (const [guard, set] of TestServices.guards) {
    it.effect(`is worth nothing to another org, existing or not, nor is any other text, by ${guard}`, () =>
      Effect.gen(function* () {
        yield* set
        const { create, verify } = yield* ApiKeys
        const acme = yield* makeOrg("acme")
        const other = yield* makeOrg("other")
        const { id, key } = yield* create(acme, "sync job")
        yield* verify(acme, key)

        yield* refused(verify(other, key))
        yield* refused(verify(OrgId.make("nowhere"), key))
        const hash = createHash("sha256").update(key).digest("hex")
        for (const guess of ["", id, hash, key.slice(0, -1), `${key} `, key.toUpperCase(), "' OR '1'='1", "\u0000"]) {
          yield* refused(verify(acme, guess))
        }
      })
    )
  }

  it.effect("is long, new each time, and stored only as its hash", () =>
    Effect.gen(function* () {
      const { create } = yield* ApiKeys
      const sql = yield* SqlClient.SqlClient
      const acme = yield* makeOrg("acme")

      const first = yield* create(acme, "a")
      const second = yield* create(acme, "a")

      assert.notStrictEqual(first.key, second.key)
      assert.match(first.key, /^pk_[A-Za-z0-9_-]{43}$/)
      const rows = JSON.stringify(yield* sql`SELECT * FROM api_keys WHERE org_id = ${acme}`)
      assert.notInclude(rows, first.key.slice(3))
      assert.include(rows, createHash("sha256").update(first.key).digest("hex"))
    })
  )

  it.effect("is listed for its org without what lets anybody in", () =>
    Effect.gen(function* () {
      const { create, list, revoke } = yield* ApiKeys
      const acme = yield* makeOrg("acme")
      const other = yield* makeOrg("other")
      const first = yield* create(acme, "first")
      const second = yield* create(acme, "second")
      yield* create(other, "theirs")
      yield* revoke(acme, first.id)

      const keys = yield* list(acme)

      assert.sameDeepMembers(
        keys.map(({ id, name, revokedAt }) => ({ id, name, revoked: revokedAt !== null })),
        [
          { id: first.id, name: "first", revoked: true },
          { id: second.id, name: "second", revoked: false }
        ]
      )
      assert.notInclude(JSON.stringify(keys), createHash("sha256").update(first.key).digest("hex"))
    })
  )

  it.effect("is void five seconds after it was revoked, at once where it was not in use", () =>
    Effect.gen(function* () {
      const { create, revoke, verify } = yield* ApiKeys
      const acme = yield* makeOrg("acme")
      const used = yield* create(acme, "used")
      const unused = yield* create(acme, "unused")
      yield* verify(acme, used.key)

      const revoked = [yield* revoke(acme, used.id), yield* revoke(acme, unused.id)]

      assert.deepStrictEqual(revoked, [true, true])
      yield* refused(verify(acme, unused.key))
      yield* refused(verify(acme, used.key).pipe(later("5001 millis")))
    })
  )

  for (const [guard, set] of TestServices.guards) {
    it.effect(`is revoked once, and by its own org only, by ${guard}`, () =>
      Effect.gen(function* () {
        yield* set
        const { create, revoke, verify } = yield* ApiKeys
        const acme = yield* makeOrg("acme")
        const other = yield* makeOrg("other")
        const { id, key } = yield* create(acme, "sync job")

        const byStranger = [yield* revoke(other, id), yield* revoke(acme, "key_0000000000000000")]

        assert.deepStrictEqual(byStranger, [false, false])
        assert.strictEqual((yield* verify(acme, key)).orgId, acme)
        assert.deepStrictEqual([yield* revoke(acme, id), yield* revoke(acme, id)], [true, false])
      })
    )
  }

  it.effect("of the operator's choice works however often it is configured, and its org is made", () =>
    Effect.gen(function* () {
      const { ensure, list, verify } = yield* ApiKeys
      const fresh = OrgId.make(`fresh-${nextNumber()}`)
      const key = "a-key-of-the-operator's-own"

      yield* Effect.all([ensure(fresh, key), ensure(fresh, key), ensure(fresh, key)], { concurrency: "unbounded" })

      assert.strictEqual((yield* verify(fresh, key)).orgId, fresh)
      assert.strictEqual((yield* list(fresh)).length, 1)
    })
  )
})

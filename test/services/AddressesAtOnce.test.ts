import { assert, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { SqlClient } from "effect/sql"
import type { AddressId } from "../../src/domain/Address.ts"
import { another, assertOnePrimary, full, get, home, list, newAda, put, remove } from "../support/AddressBook.ts"
import { people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestServices from "../support/TestServices.ts"

const parallel = { concurrency: "unbounded" } as const

layer(TestServices.layer, { excludeTestServices: true })("Addresses at once:", (it) => {
  it.effect("50 first addresses make one primary and one mailing", () =>
    Effect.gen(function* () {
      const ada = yield* newAda

      const made = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, n) => n),
        (n) => put(ada, { ...another(), mailing: n % 2 === 0, ...(n % 3 === 0 && { primary: true }) }),
        parallel
      )

      const all = yield* assertOnePrimary(ada)
      assert.deepStrictEqual(new Set(all.map(({ id }) => id)), new Set(made.map(({ id }) => id)))
      assert.strictEqual(all.filter(({ mailing }) => mailing).length, 1)
    })
  )

  it.effect("50 changes of one address leave one row with all of them", () =>
    Effect.gen(function* () {
      const ada = yield* newAda
      const { id } = yield* put(ada, home)
      const fields = ["name", "company", "street2", "state", "city"] as const

      yield* Effect.forEach(
        Array.from({ length: 50 }, (_, n) => n),
        (n) => put(ada, { id, [fields[n % 5]!]: `changed ${n}` }),
        parallel
      )

      const [address, ...others] = yield* list(ada)
      assert.isEmpty(others)
      for (const field of fields) assert.match(String(address![field]), /^changed \d+$/)
      assert.strictEqual(address!.version, 51)
    })
  )

  it.effect("changes and deletes of the same address end in one order or the other, and bring nothing back", () =>
    Effect.gen(function* () {
      const ada = yield* newAda
      for (let round = 0; round < 10; round++) {
        const { id } = yield* put(ada, another())

        const exits = yield* Effect.all(
          [remove(ada, id), ...[1, 2, 3].map((n) => put(ada, { id, name: `Ada ${n}`, primary: true }))].map(
            Effect.exit
          ),
          parallel
        )

        for (const exit of exits.filter(Exit.isFailure)) {
          assert.strictEqual((yield* Effect.flip(exit))._tag, "AddressNotFound")
        }
        assert.isTrue(Exit.isSuccess(exits[0]!))
        assert.strictEqual((yield* Effect.flip(get(ada, id)))._tag, "AddressNotFound")
      }
    })
  )

  it.effect("flips, deletes and new ones in any order keep exactly one primary, for each customer apart", () =>
    Effect.gen(function* () {
      const { ada, eve, namesake } = yield* people
      const ofEve = yield* put(eve, full)
      let state = 7
      const random = (below: number) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below

      for (const customer of [ada, namesake]) {
        const ids: Array<AddressId> = []
        for (let n = 0; n < 8; n++) ids.push((yield* put(customer, another())).id)
        const doings = Array.from({ length: 40 }, () => {
          const id = ids[random(ids.length)]!
          return [
            put(customer, { id, primary: true, mailing: true }),
            put(customer, { id, primary: false, mailing: false }),
            remove(customer, id),
            put(customer, { ...another(), primary: random(2) === 0, mailing: true }),
            Effect.asVoid(assertOnePrimary(customer))
          ][random(5)]!
        })

        const exits = yield* Effect.forEach(doings, Effect.exit, parallel)

        for (const exit of exits.filter(Exit.isFailure)) {
          assert.strictEqual(((yield* Effect.flip(exit)) as { readonly _tag: string })._tag, "AddressNotFound")
        }
        yield* assertOnePrimary(customer)
      }
      assert.deepStrictEqual(yield* list(eve), [ofEve])
    })
  )

  it.effect("the owner of the database sees what the customers were promised", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* TestDatabase.withoutPolicies

      const wrong = yield* sql`
          SELECT org_id, customer_id FROM addresses GROUP BY 1, 2
          HAVING count(*) FILTER (WHERE is_primary) <> 1 OR count(*) FILTER (WHERE is_mailing) > 1`

      assert.deepStrictEqual(wrong, [])
    })
  )

  it.effect("a version is changed by one of 20 who all have read it", () =>
    Effect.gen(function* () {
      const ada = yield* newAda
      const { id } = yield* put(ada, home)

      const exits = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) => Effect.exit(n % 4 === 0 ? remove(ada, id, [1]) : put(ada, { id, name: `Ada ${n}` }, [1])),
        parallel
      )

      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      for (const exit of exits.filter(Exit.isFailure)) {
        assert.include(["VersionMismatch", "AddressNotFound"], (yield* Effect.flip(exit))._tag)
      }
    })
  )
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { type AddressesQuery, AddressId } from "../../src/domain/Address.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { another, assertOnePrimary, full, get, home, list, newAda, page, put, remove } from "../support/AddressBook.ts"
import { as, fingerprint, people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestServices from "../support/TestServices.ts"

const errorsOf = (error: unknown) => (error as { readonly errors?: ReadonlyArray<unknown> }).errors

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("An address", () => {
    it.effect("keeps every field, and can be read again", () =>
      Effect.gen(function* () {
        const ada = yield* newAda

        const address = yield* put(ada, full)

        const { createdAt, id, updatedAt, ...rest } = address
        assert.deepStrictEqual(rest, { ...full, version: 1 })
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        assert.deepStrictEqual(createdAt, updatedAt)
        assert.deepStrictEqual(yield* get(ada, id), address)
        assert.deepStrictEqual(yield* list(ada), [address])
      })
    )

    it.effect("needs a street, a city and a country only", () =>
      Effect.gen(function* () {
        const ada = yield* newAda

        const error = yield* Effect.flip(put(ada, { name: "Ada" }))
        const address = yield* put(ada, { street1: "1 Nathan Road", city: "Kowloon", country: "HK" })

        const message = "Missing key"
        assert.deepStrictEqual(errorsOf(error), [
          { pointer: "/body/street1", message },
          { pointer: "/body/city", message },
          { pointer: "/body/country", message }
        ])
        const { country, name, street2, type, zip } = address
        assert.deepStrictEqual([name, street2, zip, country, type], [null, null, null, "HK", "home"])
      })
    )

    it.effect("has a postcode as its country's are", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const needed = (country: string) => `Expected a postcode, which addresses in ${country} need`
        for (const [country, zip, message] of [
          ["GB", "sw1y4jh", undefined],
          ["US", "94016-1234", undefined],
          ["US", "9401", "Expected a postcode of US"],
          ["US", null, needed("US")],
          ["DE", "D-10115", undefined],
          ["DE", "  ", needed("DE")],
          ["CA", "K1A 0B", "Expected a postcode of CA"],
          ["IE", null, undefined],
          ["AE", "whatever", undefined]
        ] as const) {
          const exit = yield* Effect.exit(put(ada, { ...home, country, zip }))
          const expected = message === undefined ? undefined : [{ pointer: "/body/zip", message }]
          assert.deepStrictEqual(
            Exit.isSuccess(exit) ? undefined : errorsOf(yield* Effect.flip(exit)),
            expected,
            `${country} ${zip}`
          )
        }
      })
    )

    it.effect("changes field by field; what is absent stays and null clears", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const { id } = yield* put(ada, full)

        const changed = yield* put(ada, { id, city: "Westminster", street2: null, phone: null, latitude: null })
        const repeated = yield* put(ada, { id, city: "Westminster" })

        const { createdAt: _, id: __, updatedAt: ___, ...rest } = changed
        const cleared = { city: "Westminster", street2: null, phone: null, latitude: null }
        assert.deepStrictEqual(rest, { ...full, ...cleared, version: 2 })
        assert.deepStrictEqual(repeated, changed)
      })
    )

    it.effect("is checked as a whole when it moves to another country, and not when it does not move", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const { id } = yield* put(ada, { ...home, country: "AE", zip: "none" })
        yield* CustomerSql.use((sql) => sql`UPDATE addresses SET country = 'US' WHERE id = ${id}`).pipe(as(ada))

        const renamed = yield* put(ada, { id, name: "Ada" })
        const error = yield* Effect.flip(put(ada, { id, country: "DE" }))
        const moved = yield* put(ada, { id, country: "DE", zip: "10115" })

        assert.strictEqual(renamed.zip, "none")
        assert.deepStrictEqual(errorsOf(error), [{ pointer: "/body/zip", message: "Expected a postcode of DE" }])
        assert.strictEqual(moved.country, "DE")
      })
    )

    it.effect("is neither shown to nor changed by anybody else, who cannot tell it from one that is not", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory, namesake } = yield* people
        const { id } = yield* put(ada, full)
        const before = yield* fingerprint

        for (const stranger of [eve, mallory, namesake]) {
          for (const tried of [id, AddressId.make("01a20847-b918-76b3-9278-f5660aeae07f")]) {
            for (const attempt of [
              get(stranger, tried),
              put(stranger, { id: tried, city: "Elsewhere", primary: false }),
              put(stranger, { id: tried, zip: "" }, [1]),
              remove(stranger, tried),
              remove(stranger, tried, [1])
            ]) {
              assert.strictEqual((yield* Effect.flip(attempt))._tag, "AddressNotFound")
            }
          }
          assert.deepStrictEqual(yield* list(stranger), [])
        }

        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("is as safe by its statements alone, without row security below them", () =>
      Effect.gen(function* () {
        const { ada, eve, namesake } = yield* people
        const hers = yield* put(ada, full)
        yield* TestDatabase.withoutPolicies

        for (const stranger of [eve, namesake]) {
          const own = yield* put(stranger, another())
          const first = yield* put(stranger, { ...another(), primary: true, mailing: true })
          // The newest of all is hers, which is not what takes over from a primary one of theirs.
          yield* put(ada, another())
          const before = yield* list(ada)
          yield* remove(stranger, first.id)
          yield* Effect.flip(put(stranger, { id: hers.id, city: "Elsewhere" }))
          yield* Effect.flip(remove(stranger, hers.id))
          yield* Effect.flip(get(stranger, hers.id))
          assert.deepStrictEqual(
            (yield* list(stranger)).map(({ id, primary }) => [id, primary]),
            [[own.id, true]]
          )
          assert.deepStrictEqual(yield* list(ada), before)
        }

        assert.deepInclude(yield* list(ada), hers)
      })
    )

    it.effect("is gone once it is deleted, for every method", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const { id } = yield* put(ada, home)

        yield* remove(ada, id)

        for (const attempt of [remove(ada, id), get(ada, id), put(ada, { id, city: "Paris" })]) {
          assert.strictEqual((yield* Effect.flip(attempt))._tag, "AddressNotFound")
        }
        assert.deepStrictEqual(yield* list(ada), [])
      })
    )
  })

  describe("The list of addresses", () => {
    it.effect("begins with the primary one and goes on with the newest, page by page", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const made = yield* Effect.replicateEffect(
          Effect.suspend(() => put(ada, another())),
          5
        )
        const ids = made.map(({ id }) => id)
        yield* put(ada, { id: ids[2]!, primary: true })

        const seen: Array<AddressId> = []
        for (let query: AddressesQuery = { ps: 2 }; ;) {
          const { data, nextCursor } = yield* page(ada, query)
          seen.push(...data.map(({ id }) => id))
          if (nextCursor === null) break
          query = { ps: 2, cursor: nextCursor }
        }

        assert.deepStrictEqual(
          seen,
          [2, 4, 3, 1, 0].map((index) => ids[index]!)
        )
      })
    )

    it.effect("sorts by what is asked for, also by what some have not", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        for (const company of ["Beta", null, "Alpha"]) yield* put(ada, { ...another(), company })

        const sorted = yield* list(ada, { s: "company", st: "asc" })
        const first = yield* page(ada, { s: "company", st: "asc", ps: 1 })
        const rest = yield* list(ada, { cursor: first.nextCursor! })

        assert.deepStrictEqual(
          sorted.map(({ company }) => company),
          [null, "Alpha", "Beta"]
        )
        assert.deepStrictEqual([...first.data, ...rest], sorted)
      })
    )
  })

  describe("The primary address", () => {
    it.effect("is the first one, until another takes over", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const first = yield* put(ada, { ...home, primary: false })
        const second = yield* put(ada, another())
        const third = yield* put(ada, { ...another(), primary: true })

        assert.deepStrictEqual([first.primary, second.primary, third.primary], [true, false, true])
        assert.deepStrictEqual(
          (yield* assertOnePrimary(ada)).map(({ id, version }) => [id, version]),
          [
            [third.id, 1],
            [second.id, 1],
            [first.id, 2]
          ]
        )
      })
    )

    it.effect("hands on to the newest of the others, and stays where there is no other", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const first = yield* put(ada, home)
        const alone = yield* put(ada, { id: first.id, primary: false })
        yield* put(ada, another())
        const newest = yield* put(ada, another())

        const handed = yield* put(ada, { id: first.id, primary: false })

        assert.deepStrictEqual([alone.primary, alone.version, handed.primary], [true, 1, false])
        assert.strictEqual((yield* assertOnePrimary(ada))[0]!.id, newest.id)
      })
    )

    it.effect("passes to the newest of the rest when it is deleted", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const ids: Array<AddressId> = []
        for (let n = 0; n < 4; n++) ids.push((yield* put(ada, another())).id)

        const primaries: Array<AddressId | undefined> = []
        for (const gone of [ids[0], ids[3], ids[1], ids[2]]) {
          yield* remove(ada, gone!)
          primaries.push((yield* assertOnePrimary(ada))[0]?.id)
        }

        assert.deepStrictEqual(primaries, [ids[3], ids[2], ids[2], undefined])
      })
    )

    it.effect("is a rule of the database: neither two nor none", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        yield* put(ada, { ...home, mailing: true })
        yield* put(ada, another())
        const sql = yield* CustomerSql

        for (const statement of [
          sql`UPDATE addresses SET is_primary = true`,
          sql`UPDATE addresses SET is_mailing = true`,
          sql`UPDATE addresses SET is_primary = false`,
          sql`DELETE FROM addresses WHERE is_primary`,
          sql`UPDATE addresses SET is_primary = false`.pipe(sql.withTransaction)
        ]) {
          const { reason } = yield* Effect.flip(statement.pipe(as(ada)))
          assert.include(["UniqueViolation", "ConstraintError"], reason._tag)
        }
        assert.strictEqual((yield* assertOnePrimary(ada)).length, 2)
        yield* sql`DELETE FROM addresses`.pipe(as(ada))
      })
    )
  })

  describe("The mailing address", () => {
    it.effect("is one at most, and may be none", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const first = yield* put(ada, { ...home, mailing: true })
        const second = yield* put(ada, { ...another(), mailing: true })

        assert.isFalse((yield* get(ada, first.id)).mailing)
        yield* put(ada, { id: first.id, mailing: true })
        assert.isFalse((yield* get(ada, second.id)).mailing)
        yield* put(ada, { id: first.id, mailing: false })
        assert.isEmpty((yield* list(ada)).filter(({ mailing }) => mailing))
      })
    )
  })

  describe("A version", () => {
    it.effect("that is no longer there is neither changed nor deleted", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const { id } = yield* put(ada, home)
        const current = yield* put(ada, { id, name: "Ada" }, [1])

        for (const attempt of [
          put(ada, { id, name: "Eve" }, [1]),
          put(ada, { id, name: "Eve" }, []),
          remove(ada, id, [1]),
          put(ada, another(), [1]),
          put(ada, another(), null)
        ]) {
          assert.strictEqual((yield* Effect.flip(attempt))._tag, "VersionMismatch")
        }
        assert.deepStrictEqual(yield* list(ada), [current])
        yield* remove(ada, id, [1, 2])
      })
    )
  })
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { UserId } from "../../src/domain/Customer.ts"
import { CustomerId } from "../../src/domain/Ids.ts"
import type { ProfileChanges } from "../../src/domain/Profile.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { as, asPlatform, type Customer, erase, fingerprint, makeCustomer, makeOrg, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const parallel = { concurrency: "unbounded" } as const

const change = (customer: Customer, changes: ProfileChanges, ifMatch?: ReadonlyArray<number> | null) =>
  Profiles.use((profiles) => profiles.change(changes, ifMatch)).pipe(as(customer))
const get = (customer: Customer) => Profiles.use((profiles) => profiles.get).pipe(as(customer))

/** A customer with every field filled in and verified. */
const complete = {
  email: "ada@acme.example",
  emailVerified: true,
  name: "Ada",
  phone: "+442079460958",
  phoneVerified: true,
  language: "en-GB",
  timezone: "Europe/London",
  about: "Collects calculators."
}

const newAda = Effect.flatMap(makeOrg("acme"), (orgId) => makeCustomer(orgId, "ada", complete))

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A customer's profile", () => {
    it.effect("shows every field of the customer's own record", () =>
      Effect.gen(function* () {
        const ada = yield* newAda

        const profile = yield* get(ada)

        const { createdAt, updatedAt, ...rest } = profile
        assert.deepStrictEqual(rest, { id: ada.customerId, ...complete, version: 1 })
        assert.deepStrictEqual(createdAt, updatedAt)
      })
    )

    for (const [guard, set] of TestServices.guards) {
      it.effect(`is nobody else's, be it in the same org or under the same id in another, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { ada, eve, namesake } = yield* people

          yield* change(ada, { name: "Countess Lovelace", phone: "+442079460958" })

          assert.strictEqual((yield* get(ada)).name, "Countess Lovelace")
          assert.strictEqual((yield* get(eve)).name, "Eve")
          assert.strictEqual((yield* get(namesake)).name, "Another Ada")
          assert.deepStrictEqual([(yield* get(eve)).version, (yield* get(namesake)).version], [1, 1])
        })
      )
    }

    for (const field of ["name", "phone", "language", "timezone", "about"] as const) {
      it.effect(`clears ${field} for null and leaves it for an absent key`, () =>
        Effect.gen(function* () {
          const ada = yield* newAda

          const kept = yield* change(ada, {})
          const cleared = yield* change(ada, { [field]: null })

          assert.strictEqual(kept[field], complete[field])
          const { createdAt: _, updatedAt: __, ...rest } = cleared
          const phoneVerified = field !== "phone"
          assert.deepStrictEqual(rest, { id: ada.customerId, ...complete, [field]: null, phoneVerified, version: 2 })
        })
      )
    }

    it.effect("keeps a phone verified until the number changes", () =>
      Effect.gen(function* () {
        const ada = yield* newAda

        const same = yield* change(ada, { phone: complete.phone, name: "Ada L." })
        const other = yield* change(ada, { phone: "+442079460959" })
        const back = yield* change(ada, { phone: complete.phone })

        assert.deepStrictEqual([same.phoneVerified, other.phoneVerified, back.phoneVerified], [true, false, false])
      })
    )

    it.effect("counts a version for each change, and none for a change that changes nothing", () =>
      Effect.gen(function* () {
        const ada = yield* newAda

        const changed = yield* change(ada, { about: "Now collects looms." })
        const repeated = yield* change(ada, { about: "Now collects looms." })

        assert.strictEqual(changed.version, 2)
        assert.deepStrictEqual(repeated, changed)
      })
    )

    it.effect("keeps text as it was written, whatever script it is in", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const about = "Ада \u202e 艾达 👩🏽‍🔬 \u0301 '; DROP TABLE customers; -- \\ \" {} ? $1 %s \n\t\u0001"

        const changed = yield* change(ada, { about, name: "name ? 'about' {\"about\": null}" })

        assert.strictEqual(changed.about, about)
        assert.deepStrictEqual(yield* get(ada), changed)
      })
    )

    it.effect("keeps all of 20 changes of different fields made at once", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const changes: ReadonlyArray<ProfileChanges> = [1, 2, 3, 4].flatMap((n) => [
          { name: `Ada ${n}` },
          { phone: `+4420794609${50 + n}` },
          { language: ["de", "fr", "it", "es"][n - 1]! },
          { timezone: ["UTC", "Asia/Tokyo", "Europe/Berlin", "America/Lima"][n - 1]! },
          { about: `About ${n}` }
        ])

        const answers = yield* Effect.forEach(changes, (one) => change(ada, one), parallel)

        const profile = yield* get(ada)
        for (const field of ["name", "phone", "language", "timezone", "about"] as const) {
          assert.include(
            changes.map((one) => one[field]),
            profile[field]
          )
          assert.notStrictEqual(profile[field], complete[field])
        }
        assert.strictEqual(new Set(answers.map(({ version }) => version)).size, 20)
        assert.strictEqual(profile.version, 21)
      })
    )

    it.effect("lets exactly one of 20 changes of the same version through", () =>
      Effect.gen(function* () {
        const ada = yield* newAda
        const names = Array.from({ length: 20 }, (_, n) => `Ada ${n}`)

        const outcomes = yield* Effect.forEach(
          names,
          (name) => Effect.catchTag(change(ada, { name }, [1]), "VersionMismatch", ({ _tag }) => Effect.succeed(_tag)),
          parallel
        )

        const winners = outcomes.filter((outcome) => outcome !== "VersionMismatch")
        assert.strictEqual(winners.length, 1)
        assert.deepStrictEqual(yield* get(ada), winners[0])
      })
    )

    it.effect("changes for the version it has, for any of several and for *, and for no other", () =>
      Effect.gen(function* () {
        const ada = yield* newAda

        const refused = [yield* Effect.flip(change(ada, { name: "A" }, [2])), yield* Effect.flip(change(ada, {}, []))]
        const untouched = yield* get(ada)
        const accepted = [
          yield* change(ada, { name: "B" }, [1]),
          yield* change(ada, { name: "C" }, [7, 2, 1]),
          yield* change(ada, { name: "D" }, null)
        ]

        assert.deepStrictEqual(
          refused.map(({ code, status }) => [code, status]),
          [
            ["version_mismatch", 412],
            ["version_mismatch", 412]
          ]
        )
        assert.strictEqual(untouched.version, 1)
        assert.deepStrictEqual(
          accepted.map(({ version }) => version),
          [2, 3, 4]
        )
      })
    )
  })

  describe("A customer that the platform pushes", () => {
    it.effect("is made, and made once however often the same push comes", () =>
      Effect.gen(function* () {
        const { push, find } = yield* Profiles
        const acme = yield* makeOrg("acme")
        const id = CustomerId.make("crm:4711")

        const first = yield* push(id, { ...complete, userId: UserId.make("user-1") }).pipe(asPlatform(acme))
        const again = yield* push(id, { ...complete, userId: UserId.make("user-1") }).pipe(asPlatform(acme))

        const { createdAt: _, updatedAt: __, ...rest } = first
        assert.deepStrictEqual(rest, { id, ...complete, userId: "user-1", version: 1 })
        assert.deepStrictEqual(again, first)
        assert.deepStrictEqual(yield* find(id).pipe(asPlatform(acme)), first)
      })
    )

    it.effect("is one row when 20 pushes of it arrive at once", () =>
      Effect.gen(function* () {
        const { push } = yield* Profiles
        const acme = yield* makeOrg("acme")
        const pushOnce = push(CustomerId.make("ada"), { name: "Ada" }).pipe(asPlatform(acme))

        const answers = yield* Effect.all(Array(20).fill(pushOnce) as Array<typeof pushOnce>, parallel)

        assert.deepStrictEqual(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
        assert.strictEqual(answers[0]!.version, 1)
      })
    )

    it.effect("keeps what a push leaves out, and loses what it says is null", () =>
      Effect.gen(function* () {
        const { push } = yield* Profiles
        const ada = yield* newAda
        const cleared = { name: null, phone: null, language: null, timezone: null, about: null, email: null }

        const kept = yield* push(ada.customerId, {}).pipe(asPlatform(ada.orgId))
        const gone = yield* push(ada.customerId, cleared).pipe(asPlatform(ada.orgId))

        assert.deepInclude(kept, { ...complete, version: 1, userId: null })
        assert.deepInclude(gone, { ...cleared, emailVerified: false, phoneVerified: false, version: 2 })
      })
    )

    it.effect("is verified as the platform says, and no longer once the address or number is another", () =>
      Effect.gen(function* () {
        const { push } = yield* Profiles
        const ada = yield* newAda
        const pushed = (customer: Parameters<typeof push>[1]) =>
          Effect.map(push(ada.customerId, customer).pipe(asPlatform(ada.orgId)), (answer) => [
            answer.emailVerified,
            answer.phoneVerified
          ])

        assert.deepStrictEqual(yield* pushed({ email: complete.email, phone: complete.phone }), [true, true])
        assert.deepStrictEqual(yield* pushed({ email: "new@acme.example", phone: "+442079460959" }), [false, false])
        assert.deepStrictEqual(yield* pushed({ emailVerified: true, phoneVerified: true }), [true, true])
        assert.deepStrictEqual(yield* pushed({ email: "newer@acme.example", emailVerified: true }), [true, true])
      })
    )

    for (const [guard, set] of TestServices.guards) {
      it.effect(`is not found by another org, nor is one that nobody has, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { find } = yield* Profiles
          const { acme, ada, mallory, other } = yield* people

          const own = yield* find(ada.customerId).pipe(asPlatform(acme))
          const foreign = yield* Effect.flip(find(mallory.customerId).pipe(asPlatform(acme)))
          const missing = yield* Effect.flip(find(CustomerId.make("nobody")).pipe(asPlatform(acme)))
          const namesake = yield* find(ada.customerId).pipe(asPlatform(other))

          assert.strictEqual(own.name, "Ada")
          assert.deepStrictEqual(foreign, missing)
          assert.deepStrictEqual([missing.code, missing.status], ["customer_not_found", 404])
          assert.strictEqual(namesake.name, "Another Ada")
        })
      )
    }

    for (const [guard, set] of TestServices.guards) {
      it.effect(`touches nobody of the same id in another org, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const { push } = yield* Profiles
          const { acme, ada, namesake } = yield* people
          const before = yield* get(namesake)

          yield* push(ada.customerId, { name: "Pushed" }).pipe(asPlatform(acme))

          assert.strictEqual((yield* get(ada)).name, "Pushed")
          assert.deepStrictEqual(yield* get(namesake), before)
        })
      )
    }

    for (const [guard, set] of TestServices.guards) {
      it.effect(
        `cannot have the login of another customer of the org, but that of a customer elsewhere, by ${guard}`,
        () =>
          Effect.gen(function* () {
            yield* set
            const { push } = yield* Profiles
            const { acme, ada, namesake, other } = yield* people
            const login = { name: "Not to be seen", userId: UserId.make("user-grace") }
            const before = yield* fingerprint

            const merged = yield* Effect.flip(push(ada.customerId, login).pipe(asPlatform(acme)))
            const made = yield* Effect.flip(push(CustomerId.make("new"), login).pipe(asPlatform(acme)))

            assert.deepStrictEqual([merged.code, merged.status], ["user_in_use", 409])
            assert.strictEqual(made.code, "user_in_use")
            assert.deepStrictEqual(yield* fingerprint, before)
            const elsewhere = yield* push(namesake.customerId, login).pipe(asPlatform(other))
            assert.strictEqual(elsewhere.userId, "user-grace")
          })
      )
    }

    it.effect("can have a login that another customer has given up", () =>
      Effect.gen(function* () {
        const { push } = yield* Profiles
        const { acme, ada, grace } = yield* people

        yield* push(grace.customerId, { userId: null }).pipe(asPlatform(acme))
        const linked = yield* push(ada.customerId, { userId: UserId.make("user-grace") }).pipe(asPlatform(acme))

        assert.strictEqual(linked.userId, "user-grace")
      })
    )

    it.effect("gets a login that two customers are given at once only one time", () =>
      Effect.gen(function* () {
        const { push } = yield* Profiles
        const acme = yield* makeOrg("acme")

        const outcomes = yield* Effect.forEach(
          ["a", "b", "c", "d"],
          (id) =>
            push(CustomerId.make(id), { userId: UserId.make("user-1") }).pipe(
              asPlatform(acme),
              Effect.match({ onSuccess: () => "linked", onFailure: ({ code }) => code })
            ),
          parallel
        )

        assert.deepStrictEqual(outcomes.sort(), ["linked", "user_in_use", "user_in_use", "user_in_use"])
      })
    )

    it.effect("stays erased once erased: it is not found, and no push fills it in again", () =>
      Effect.gen(function* () {
        const { find, push } = yield* Profiles
        const { acme, ada } = yield* people
        yield* erase(ada)
        const before = yield* fingerprint

        const found = yield* Effect.flip(find(ada.customerId).pipe(asPlatform(acme)))
        const pushed = yield* Effect.flip(push(ada.customerId, { name: "Ada" }).pipe(asPlatform(acme)))

        assert.strictEqual(found.code, "customer_not_found")
        assert.strictEqual(pushed.code, "customer_not_found")
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })
})

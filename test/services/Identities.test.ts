import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { UserId } from "../../src/domain/Customer.ts"
import { OrgId } from "../../src/domain/Ids.ts"
import type { TokenClaims } from "../../src/domain/TokenClaims.ts"
import { PlatformSql } from "../../src/services/Database.ts"
import { Identities } from "../../src/services/Identities.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { as, asPlatform, erase, fingerprint, makeOrg, newcomer, people, type Person, user } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"
import { later } from "../support/Time.ts"

/** What a verified token of the person's says: another object for each token, as verification makes it. */
const token = ({ claims }: Person) => ({ ...claims, iat: 1, exp: 2 }) as TokenClaims
const customerOf = (claims: TokenClaims) => Identities.use((identities) => identities.customerOf(claims))
const profileOf = (person: Parameters<typeof as>[0]) => Profiles.use((profiles) => profiles.get).pipe(as(person))

layer(TestServices.layer, { excludeTestServices: true })("Who a token acts for", (it) => {
  it.effect("is the customer it names, whose record is made at first sight from what it says", () =>
    Effect.gen(function* () {
      const acme = yield* makeOrg("acme")
      const said = { email: "ada@acme.example", emailVerified: true, name: "Ada", phoneNumber: "+442079460958" }
      const ada = newcomer(acme, "ada", said)

      const current = yield* customerOf(token(ada))

      assert.deepStrictEqual({ ...current }, { orgId: acme, customerId: ada.customerId })
      assert.deepInclude(yield* profileOf(ada), {
        id: ada.customerId,
        email: said.email,
        emailVerified: true,
        name: said.name,
        phone: said.phoneNumber,
        phoneVerified: false,
        language: null,
        version: 1
      })
    })
  )

  it.effect("is a record with nothing in it when the token says no more than who", () =>
    Effect.gen(function* () {
      const ada = newcomer(yield* makeOrg("acme"), "ada")

      yield* customerOf(token(ada))

      const profile = yield* profileOf(ada)
      assert.deepInclude(profile, { email: null, emailVerified: false, name: null, phone: null })
    })
  )

  it.effect("is one record though 50 first requests arrive at once, each with a token of its own", () =>
    Effect.gen(function* () {
      const ada = newcomer(yield* makeOrg("acme"), "ada", { name: "Ada" })
      const firsts = Array.from({ length: 50 }, () => customerOf(token(ada)))

      const found = yield* Effect.all(firsts, { concurrency: "unbounded" })

      for (const current of found) assert.strictEqual(current.customerId, ada.customerId)
      const rows = yield* PlatformSql.use((sql) => sql`SELECT version FROM customers WHERE org_id = ${ada.orgId}`).pipe(
        asPlatform(ada.orgId)
      )
      assert.deepStrictEqual([...rows], [{ version: 1 }])
    })
  )

  it.effect("is a record that later tokens do not change", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const before = yield* profileOf(ada)
      const claims = { ...ada.claims, name: "Not Ada", email: "other@acme.example", emailVerified: true }

      yield* customerOf(token({ ...ada, claims }))

      assert.deepStrictEqual(yield* profileOf(ada), before)
    })
  )

  for (const [guard, set] of TestServices.guards) {
    it.effect(`is the customer of the token's own org, though another org has one of that id, by ${guard}`, () =>
      Effect.gen(function* () {
        yield* set
        const { ada, namesake } = yield* people

        const ours = yield* customerOf(token(ada))
        const theirs = yield* customerOf(token(namesake))

        assert.deepStrictEqual([ours.orgId, theirs.orgId], [ada.orgId, namesake.orgId])
      })
    )
  }

  it.effect("is nobody in an org that does not exist, and nothing is made", () =>
    Effect.gen(function* () {
      yield* people
      const nowhere = OrgId.make("nowhere")
      const before = yield* fingerprint

      for (const stranger of [newcomer(nowhere, "ada"), user(nowhere, "user-grace")]) {
        const error = yield* Effect.flip(customerOf(token(stranger)))

        assert.deepStrictEqual([error.code, error.status], ["org_mismatch", 403])
      }
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("is the customer whose record a user owns", () =>
    Effect.gen(function* () {
      const { grace } = yield* people

      const current = yield* customerOf(token(grace))

      assert.deepStrictEqual({ ...current }, { orgId: grace.orgId, customerId: grace.customerId })
    })
  )

  for (const [guard, set] of TestServices.guards) {
    it.effect(`is nobody for a user without a record in the org, and nothing is made, by ${guard}`, () =>
      Effect.gen(function* () {
        yield* set
        const { acme, other, trent } = yield* people
        const before = yield* fingerprint

        // A user is no customer, be the ids alike, nor the user of that id in another org.
        for (const one of [trent, user(other, "user-grace"), user(acme, "ada"), user(acme, "grace"), user(acme, "")]) {
          const error = yield* Effect.flip(customerOf(token(one)))

          assert.deepStrictEqual([error.code, error.status], ["no_customer_record", 403])
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  }

  it.effect("is nobody once the customer is erased: for a customer the token is void, a user has no record", () =>
    Effect.gen(function* () {
      const { ada, grace } = yield* people
      yield* erase(ada)
      yield* PlatformSql.use((sql) => sql`UPDATE customers SET erased_at = now() WHERE id = 'grace'`).pipe(
        asPlatform(grace.orgId)
      )
      const before = yield* fingerprint

      const customer = yield* Effect.flip(customerOf(token(ada)))
      const owner = yield* Effect.flip(customerOf(token(grace)))

      assert.deepStrictEqual([customer.code, owner.code], ["invalid_token", "no_customer_record"])
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("is remembered for five seconds and no longer, once the customer is erased", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const claims = token(ada)
      yield* customerOf(claims)

      yield* erase(ada)

      assert.strictEqual((yield* customerOf(claims)).customerId, ada.customerId)
      const error = yield* Effect.flip(customerOf(claims).pipe(later("5001 millis")))
      assert.strictEqual(error.code, "invalid_token")
    })
  )

  it.effect("is remembered for five seconds and no longer, once a user's record is another's", () =>
    Effect.gen(function* () {
      const { push } = yield* Profiles
      const { ada, grace } = yield* people
      const claims = token(grace)
      yield* customerOf(claims)

      yield* push(grace.customerId, { userId: null }).pipe(asPlatform(grace.orgId))
      yield* push(ada.customerId, { userId: UserId.make("user-grace") }).pipe(asPlatform(grace.orgId))

      assert.strictEqual((yield* customerOf(claims).pipe(later("5001 millis"))).customerId, ada.customerId)
    })
  )

  it.effect("is asked for again after a refusal: what was wrong may have been put right", () =>
    Effect.gen(function* () {
      const { push } = yield* Profiles
      const { ada, trent } = yield* people
      const claims = token(trent)
      yield* Effect.flip(customerOf(claims))

      yield* push(ada.customerId, { userId: UserId.make("user-trent") }).pipe(asPlatform(ada.orgId))

      assert.strictEqual((yield* customerOf(claims)).customerId, ada.customerId)
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { AddressUpsert } from "../../src/domain/Address.ts"
import { ProviderUnavailable } from "../../src/domain/Integration.ts"
import { type PlaceAddress, PlaceId, SessionToken } from "../../src/domain/Place.ts"
import * as PlacesLocal from "../../src/layers/PlacesLocal.ts"
import * as PlacesOff from "../../src/layers/PlacesOff.ts"
import { Addresses } from "../../src/services/Addresses.ts"
import { AddressLookup } from "../../src/services/AddressLookup.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { Places } from "../../src/services/Places.ts"
import { as, type Customer, people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestServices from "../support/TestServices.ts"

const street = PlaceId.make("gb-london-baker-street")

const type = (customer: Customer, input: string, name?: string, language?: string) =>
  AddressLookup.use((lookup) =>
    lookup.predict({
      input,
      ...(name !== undefined && { sessionToken: SessionToken.make(name) }),
      ...(language !== undefined && { language })
    })
  ).pipe(as(customer))
const choose = (customer: Customer, name?: string, id: string = street) =>
  AddressLookup.use((lookup) => lookup.find(id, name === undefined ? undefined : SessionToken.make(name))).pipe(
    as(customer)
  )
const decode = Schema.decodeUnknownSync(AddressUpsert, { onExcessProperty: "error" })
const bothLines = ({ street1, street2 }: PlaceAddress) => [street1, street2]

/** The places of local mode, and what was asked of them. */
const provider = (dailyLimit?: number) => {
  const asked: Array<{ readonly session?: string; readonly language?: string; readonly id?: string }> = []
  const failures: Array<ProviderUnavailable> = []
  const places = Layer.effect(
    Places,
    Effect.map(Places, (local) =>
      Places.of({
        dailyLimit,
        predict: (typed) => {
          asked.push(typed)
          return local.predict(typed)
        },
        find: (id, options) => {
          asked.push({ id, ...options })
          const failure = failures.shift()
          return failure === undefined ? local.find(id, options) : Effect.fail(failure)
        }
      })
    )
  ).pipe(Layer.provide(PlacesLocal.layer))
  return { asked, failures, layer: AddressLookup.layer.pipe(Layer.provide(places)) }
}

const secondsGoneBy = (customer: Customer, seconds: number) =>
  CustomerSql.use(
    (sql) => sql`UPDATE place_sessions SET ends_at = ends_at - make_interval(secs => ${seconds}::int)`
  ).pipe(as(customer))

layer(Layer.provideMerge(Addresses.layer, TestDatabase.layer), { excludeTestServices: true })("A lookup", (it) => {
  it.effect("ends in an address that can be posted as it is, with the door that was typed", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { layer } = provider()
      yield* Effect.gen(function* () {
        const { predictions, sessionToken } = yield* type(ada, "99 baker st, flat 3")
        const place = yield* choose(ada, sessionToken, predictions[0]!.placeId)
        const { address } = yield* Addresses.use((addresses) => addresses.upsert(decode(place))).pipe(as(ada))

        assert.deepStrictEqual(predictions, [
          {
            placeId: street,
            description: "Baker Street, London, GB",
            mainText: "Baker Street",
            secondaryText: "London, GB"
          }
        ])
        const { formatted, ...fields } = place
        assert.deepStrictEqual(bothLines(place), ["99 Baker Street", "flat 3"])
        assert.strictEqual(formatted, "Baker Street, London NW1 6XE, GB")
        assert.deepInclude({ ...address }, { ...fields } as object)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("is one session of the provider's until a place is chosen, and another after", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { asked, layer } = provider()
      yield* Effect.gen(function* () {
        const first = yield* type(ada, "ba", undefined, "en-GB")
        const second = yield* type(ada, "bak")
        const third = yield* type(ada, "bake", first.sessionToken, "en-GB")
        yield* choose(ada, first.sessionToken)
        const next = yield* type(ada, "ab")

        const [one] = asked
        assert.deepStrictEqual(
          asked.map(({ session }) => session === one!.session),
          [true, true, true, true, false]
        )
        assert.deepStrictEqual(asked[3], { id: street, session: one!.session!, language: "en-GB" })
        assert.deepStrictEqual([second.sessionToken, third.sessionToken], Array(2).fill(first.sessionToken))
        assert.notStrictEqual(next.sessionToken, first.sessionToken)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("goes by the portal's own name for it, which no provider sees", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { asked, layer } = provider()
      yield* Effect.gen(function* () {
        const named = yield* type(ada, "12 abbey road", "left")
        yield* type(ada, "99 baker street", "right")
        yield* type(ada, "14 abbey road", "left")

        const right = yield* choose(ada, "right")
        const left = yield* choose(ada, "left", "gb-london-abbey-road")

        assert.strictEqual(named.sessionToken, "left")
        assert.deepStrictEqual(bothLines(right), ["99 Baker Street", null])
        assert.deepStrictEqual(bothLines(left), ["14 Abbey Road", null])
        assert.strictEqual(new Set(asked.map(({ session }) => session)).size, 2)
        for (const { session } of asked) assert.match(session!, /^[0-9a-f-]{36}$/)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("is forgotten three minutes after the last letter", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { asked, layer } = provider()
      yield* Effect.gen(function* () {
        yield* type(ada, "99 ba")
        yield* secondsGoneBy(ada, 170)
        yield* type(ada, "99 baker")
        yield* secondsGoneBy(ada, 181)
        const late = yield* choose(ada)
        yield* type(ada, "99 baker")

        assert.deepStrictEqual(bothLines(late), ["Baker Street", null])
        assert.strictEqual(asked[0]!.session, asked[1]!.session)
        assert.deepStrictEqual(asked[2], { id: street })
        assert.notStrictEqual(asked[3]!.session, asked[0]!.session)
      }).pipe(Effect.provide(layer))
    })
  )

  for (const [guard, set] of TestServices.guards) {
    it.effect(`is not another's, be it by the same name or by the token itself, by ${guard}`, () =>
      Effect.gen(function* () {
        const { ada, eve, mallory, namesake } = yield* people
        const { asked, layer } = provider()
        yield* Effect.gen(function* () {
          const { sessionToken } = yield* type(ada, "99 baker", "window")
          const unnamed = yield* type(ada, "99 baker")
          yield* set

          for (const stranger of [eve, mallory, namesake]) {
            for (const name of [sessionToken, asked[0]!.session, unnamed.sessionToken, undefined]) {
              assert.deepStrictEqual(bothLines(yield* choose(stranger, name)), ["Baker Street", null])
              assert.deepStrictEqual(asked.at(-1), { id: street })
            }
          }
          assert.deepStrictEqual(bothLines(yield* choose(ada, "window")), ["99 Baker Street", null])
          assert.deepStrictEqual(bothLines(yield* choose(ada)), ["99 Baker Street", null])
        }).pipe(Effect.provide(layer))
      })
    )
  }

  it.effect("that failed can be tried again in the same session", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { asked, failures, layer } = provider()
      failures.push(new ProviderUnavailable({ retryAfter: 5 }))
      yield* Effect.gen(function* () {
        yield* type(ada, "99 baker")

        const error = yield* Effect.flip(choose(ada))
        const again = yield* choose(ada)

        assert.strictEqual(error._tag, "ProviderUnavailable")
        assert.deepStrictEqual(bothLines(again), ["99 Baker Street", null])
        assert.strictEqual(new Set(asked.map(({ session }) => session)).size, 1)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("counts for the whole org, whose day's share a provider that is paid for can use up", () =>
    Effect.gen(function* () {
      const { ada, eve, mallory } = yield* people
      const { asked, layer } = provider(3)
      yield* Effect.gen(function* () {
        yield* type(ada, "baker")
        yield* type(eve, "baker")
        yield* choose(eve)

        const refused = [yield* Effect.flip(type(ada, "baker")), yield* Effect.flip(choose(eve))]
        yield* type(mallory, "baker")

        for (const error of refused) {
          assert.strictEqual(error._tag, "RateLimited")
          assert.isAbove((error as { readonly retryAfter: number }).retryAfter, 86_000)
        }
        assert.strictEqual(asked.length, 4)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("is refused where the operator has switched it off", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      yield* Effect.gen(function* () {
        for (const attempt of [Effect.asVoid(type(ada, "baker")), Effect.asVoid(choose(ada))]) {
          const error = yield* Effect.flip(attempt)
          assert.deepInclude(error, { status: 503, code: "integration_not_configured" })
        }
      }).pipe(Effect.provide(AddressLookup.layer.pipe(Layer.provide(PlacesOff.layer))))
    })
  )
})

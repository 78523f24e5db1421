import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, References, Tracer } from "effect"
import { FetchHttpClient } from "effect/http"
import { PlaceId, SessionToken, type Typed } from "../../src/domain/Place.ts"
import * as PlacesGoogle from "../../src/layers/PlacesGoogle.ts"
import * as PlacesLocal from "../../src/layers/PlacesLocal.ts"
import { AddressLookup } from "../../src/services/AddressLookup.ts"
import { Places } from "../../src/services/Places.ts"
import { as, type Customer, people } from "../support/People.ts"
import * as PlacesStandIn from "../support/PlacesStandIn.ts"
import { answering, hanging, hangingUp, key, refusal, stalling } from "../support/PlacesStandIn.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const quiet = Layer.succeed(References.MinimumLogLevel, "None")

const google = (site: PlacesStandIn.PlacesStandIn, options: Partial<PlacesGoogle.Options> = {}) =>
  PlacesGoogle.layer({
    apiKey: Redacted.make(key),
    baseUrl: site.baseUrl,
    dailyLimit: 1000,
    deadline: "1 second",
    ...options
  }).pipe(Layer.provide(FetchHttpClient.layer), Layer.provideMerge(quiet))

const session = "5f0c6f9e-6c1b-4a3e-9c55-2b1d2f3a4b5c"
const street = PlaceId.make("gb-london-baker-street")
const predict = Places.use((places) => places.predict({ input: "baker st", country: "GB", language: "en", session }))
const find = (id: string = street) => Places.use((places) => places.find(PlaceId.make(id), { session, language: "en" }))
const parallel = { concurrency: "unbounded" } as const

/** What the customer would be told, and how often Google was asked meanwhile. */
const outcome = (
  site: PlacesStandIn.PlacesStandIn,
  call: Effect.Effect<unknown, { readonly code: string; readonly status: number }, Places>
) =>
  Effect.gen(function* () {
    const before = site.seen.length
    const error: Record<string, unknown> = yield* Effect.match(call, {
      onFailure: (error) => ({ ...error }),
      onSuccess: () => ({ status: 200, code: "" })
    })
    return [error["status"], error["code"], error["retryAfter"], site.seen.length - before]
  })

describe("Google Places", () => {
  it.effect("is asked for what an address needs and no more, with the key in a header", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      yield* Effect.andThen(predict, find()).pipe(Effect.provide(google(site)))

      const [first, second] = site.seen
      const input = { input: "baker st", sessionToken: session, languageCode: "en", includedRegionCodes: ["gb"] }
      assert.deepStrictEqual([first!.method, first!.path, first!.body], ["POST", "/v1/places:autocomplete", input])
      assert.deepStrictEqual([second!.method, second!.path], ["GET", `/v1/places/${street}`])
      assert.deepStrictEqual(second!.query, { sessionToken: session, languageCode: "en" })
      assert.deepStrictEqual(
        [first, second].map((request) => request!.headers["x-goog-fieldmask"]),
        [
          "suggestions.placePrediction.placeId,suggestions.placePrediction.text.text,suggestions.placePrediction.structuredFormat",
          "id,formattedAddress,postalAddress,location,addressComponents"
        ]
      )
      for (const { headers } of site.seen) {
        assert.strictEqual(headers["x-goog-api-key"], key)
        assert.notInclude(Object.keys(headers).join(), "trace")
        assert.notInclude(Object.keys(headers).join(), "b3")
      }
    })
  )

  const html = "<html>Sign in to the hotel's network</html>"
  const badKey = refusal(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID")
  const notEnabled = refusal(403, "PERMISSION_DENIED", "Places API (New) is disabled.", "SERVICE_DISABLED")
  const quota = refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "RATE_LIMIT_EXCEEDED")
  const moved = { location: "http://127.0.0.1:1/elsewhere" }
  /** The case, what stands in the way of each attempt, and status, code, retryAfter and attempts of the outcome. */
  const cases = [
    ["a good answer", [], 200, "", undefined, 1],
    ["an answer without suggestions", [answering(200, {})], 200, "", undefined, 1],
    ["a bad key", [answering(400, badKey)], 502, "provider_error", undefined, 1],
    ["no billing or permission", [answering(403, notEnabled)], 502, "provider_error", undefined, 1],
    ["another path", [answering(404, html)], 502, "provider_error", undefined, 1],
    ["a redirect", [answering(302, "", moved)], 502, "provider_error", undefined, 1],
    ["garbage", [answering(200, html)], 502, "provider_error", undefined, 1],
    ["JSON of another form", [answering(200, { suggestions: 7 })], 502, "provider_error", undefined, 1],
    ["throttling", [answering(429, quota, { "retry-after": "7" })], 503, "provider_unavailable", 7, 1],
    ["throttling without a word", [answering(429, quota)], 503, "provider_unavailable", 30, 1],
    ["throttling for a day", [answering(429, "", { "retry-after": "86400" })], 503, "provider_unavailable", 3600, 1],
    ["a failure that passes", [answering(500, html), answering(503, "")], 200, "", undefined, 3],
    ["a failure that stays", Array(3).fill(answering(500, "")), 503, "provider_unavailable", 5, 3],
    ["a reset that passes", [hangingUp], 200, "", undefined, 2],
    ["a connection that is reset", Array(3).fill(hangingUp), 503, "provider_unavailable", 5, 3],
    ["no answer in time", [hanging], 503, "provider_unavailable", 5, 1],
    ["half an answer in time", [stalling], 503, "provider_unavailable", 5, 1]
  ] as const

  for (const [name, mishaps, ...expected] of cases) {
    it.live(`is heard as it is meant: ${name}`, () =>
      Effect.gen(function* () {
        const site = yield* PlacesStandIn.listen
        site.mishaps.push(...mishaps)

        const heard = yield* outcome(site, predict).pipe(Effect.provide(google(site, { deadline: "1 second" })))

        assert.deepStrictEqual(heard, [...expected])
      })
    )
  }

  it.live("knows places that never were from those that no longer are from those that it cannot tell now", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* outcome(site, find("never-was")), [404, "place_not_found", undefined, 1])
        assert.deepStrictEqual(yield* outcome(site, find("gone-since")), [404, "place_not_found", undefined, 1])
        site.mishaps.push(answering(400, badKey))
        assert.deepStrictEqual(yield* outcome(site, find()), [502, "provider_error", undefined, 1])
      }).pipe(Effect.provide(google(site)))
    })
  )

  it.live("is left alone for a while after five failures, then tried by one request", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      yield* Effect.gen(function* () {
        site.mishaps.push(...Array(15).fill(answering(500, "")))
        for (let n = 0; n < 5; n++) assert.deepStrictEqual((yield* outcome(site, predict))[0], 503)
        assert.deepStrictEqual(yield* outcome(site, predict), [503, "provider_unavailable", 1, 0])
        assert.deepStrictEqual(yield* outcome(site, find()), [503, "provider_unavailable", 1, 0])

        yield* Effect.sleep("1100 millis")
        const before = site.seen.length
        const answers = yield* Effect.forEach([1, 2, 3], () => Effect.option(predict), parallel)
        assert.strictEqual(answers.filter(({ _tag }) => _tag === "Some").length, 1)
        assert.strictEqual(site.seen.length, before + 1)
        assert.deepStrictEqual(yield* outcome(site, predict), [200, "", undefined, 1])
      }).pipe(Effect.provide(google(site, { rest: "1 second" })))
    })
  )

  it.live("is not left alone for what is nobody's failure", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      yield* Effect.gen(function* () {
        for (let n = 0; n < 8; n++) yield* outcome(site, find("never-was"))
        site.mishaps.push(...Array(8).fill(answering(403, notEnabled)))
        for (let n = 0; n < 8; n++) yield* outcome(site, predict)
        assert.deepStrictEqual(yield* outcome(site, predict), [200, "", undefined, 1])
      }).pipe(Effect.provide(google(site)))
    })
  )

  it.live("has its key in no log and no trace, and its reasons in the log", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      const lines: Array<string> = []
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      site.mishaps.push(answering(403, notEnabled), answering(200, html))

      yield* Effect.all([Effect.exit(predict), Effect.exit(predict), find()]).pipe(
        Effect.provideService(References.MinimumLogLevel, "All"),
        Effect.provide([google(site), Logger.layer([Logger.make((line) => lines.push(Logger.formatJson.log(line)))])]),
        Effect.withTracer(tracer)
      )

      assert.include(lines.join(), "SERVICE_DISABLED")
      const traced = JSON.stringify(spans.map(({ attributes, name }) => [name, ...attributes]))
      assert.include(traced, "/v1/places:autocomplete")
      assert.notInclude(lines.join() + traced, key)
      assert.notInclude(lines.join() + traced, "baker st")
    })
  )
})

for (const provider of ["Google", "local"] as const) {
  const chosen = Layer.unwrap(
    provider === "local" ? Effect.succeed(PlacesLocal.layer) : Effect.map(PlacesStandIn.listen, google)
  )
  layer(chosen, { excludeTestServices: true })(`The ${provider} provider`, (it) => {
    it.effect("predicts the places that have the typed words, and finds each again", () =>
      Effect.gen(function* () {
        const places = yield* Places
        for (const [input, country, expected] of [
          ["baker str", undefined, ["gb-london-221b-baker-street", "gb-london-baker-street"]],
          ["Baker Street, London", "GB", ["gb-london-221b-baker-street", "gb-london-baker-street"]],
          ["baker street", "DE", []],
          ["champs-élysées", "FR", ["fr-paris-avenue-des-champs-elysees"]],
          ["no such street anywhere", undefined, []],
          ["linden berlin", undefined, ["de-berlin-unter-den-linden-77"]]
        ] as const) {
          const found = yield* places.predict({ input, session, ...(country !== undefined && { country }) })

          assert.deepStrictEqual(
            found.map(({ placeId }) => placeId as string),
            [...expected],
            input
          )
          for (const { description, mainText, placeId, secondaryText } of found) {
            assert.strictEqual(description, `${mainText}, ${secondaryText}`)
            assert.deepStrictEqual(
              yield* places.find(placeId, { session }),
              PlacesLocal.gazetteer.find((place) => place.placeId === placeId)
            )
          }
        }
      })
    )

    it.effect("has no place for an id that is nobody's", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(find("nowhere"))

        assert.deepStrictEqual([error.status, error.code], [404, "place_not_found"])
      })
    )
  })
}

layer(TestDatabase.layer, { excludeTestServices: true })("A typing", (it) => {
  const lookUp = <A, E>(
    site: PlacesStandIn.PlacesStandIn,
    use: (lookup: AddressLookup["Service"]) => Effect.Effect<A, E, AddressLookup>
  ) => AddressLookup.use(use).pipe(Effect.provide(AddressLookup.layer.pipe(Layer.provide(google(site)))))
  const type = (customer: Customer, input: string, more: Partial<Typed> = {}) =>
    AddressLookup.use((lookup) => lookup.predict({ input, ...more })).pipe(as(customer))
  const choose = (customer: Customer, id: string = street, token?: string) =>
    AddressLookup.use((lookup) => lookup.find(id, token === undefined ? undefined : SessionToken.make(token))).pipe(
      as(customer)
    )

  it.effect("is billed once, however many letters it has and whoever names it", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      const { ada, eve, namesake } = yield* people
      yield* lookUp(site, () =>
        Effect.gen(function* () {
          // A portal that leaves the token to us, one that sends ours along, and again after it was spent.
          for (const input of ["ba", "bake", "baker s"]) yield* type(ada, input)
          yield* choose(ada)
          let token = (yield* type(ada, "ab")).sessionToken
          for (let typing = 0; typing < 3; typing++) {
            for (const input of ["abbey", "abbey r"]) {
              token = (yield* type(ada, input, { sessionToken: token })).sessionToken
            }
            yield* choose(ada, undefined, token)
          }
          // One that has a token of its own, for ever, and types in two windows.
          for (const window of ["window-1", "window-2", "window-1", "window-2"]) {
            yield* type(eve, "baker", { sessionToken: SessionToken.make(window) })
          }
          yield* choose(eve, undefined, "window-1")
          yield* choose(eve, undefined, "window-2")
          yield* Effect.all([type(namesake, "ba"), type(namesake, "bak")], parallel)
          yield* choose(namesake)
        })
      )

      assert.deepStrictEqual(site.bill, { sessions: 7, single: 0 })
      const tokens = new Set(site.seen.map(({ body, query }) => body?.sessionToken ?? query["sessionToken"]))
      assert.strictEqual(tokens.size, 7)
    })
  )

  it.effect("sends nothing for what is no place id", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      const { ada } = yield* people
      yield* lookUp(site, () =>
        Effect.gen(function* () {
          for (const id of ["../x?y=", "..", "", "a/b", "a%2fb", "http://127.0.0.1:80/", "é", "a".repeat(513), "a b"]) {
            assert.strictEqual((yield* Effect.flip(choose(ada, id)))._tag, "PlaceNotFound")
          }
        })
      )

      assert.deepStrictEqual(site.seen, [])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import * as PlacesSettings from "../../src/layers/PlacesSettings.ts"
import { places } from "../../src/layers/Providers.ts"
import * as Settings from "../../src/layers/Settings.ts"
import { Places } from "../../src/services/Places.ts"
import * as PlacesStandIn from "../support/PlacesStandIn.ts"

const key = { GOOGLE_PLACES_API_KEY: PlacesStandIn.key }
const production = { APP_ENV: "production" }
const from = (env: Record<string, string>) => Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
const read = (env: Record<string, string>) => Settings.read(PlacesSettings.settings).pipe(from(env))

describe("Who looks addresses up", () => {
  for (const [name, env, chosen] of [
    ["nobody's configuration: a file of made-up places", {}, "Local"],
    ["a key: Google", key, "Live"],
    ["a key, in production: Google", { ...key, ...production }, "Live"],
    ["off: nobody", { PLACES: "off" }, "Off"],
    ["off with a key: nobody", { PLACES: "off", ...key }, "Off"],
    ["off in production: nobody", { PLACES: "off", ...production }, "Off"]
  ] as const) {
    it.effect(`by ${name}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* read(env)).places._tag, chosen)
      })
    )
  }

  it.effect("is Google at its own address, for 10000 look-ups a day, unless it is said otherwise", () =>
    Effect.gen(function* () {
      const usual = yield* read(key)
      const told = yield* read({ ...key, GOOGLE_PLACES_BASE_URL: "http://127.0.0.1:9", PLACES_DAILY_LIMIT: "7" })

      assert.deepStrictEqual(
        [usual, told].map(({ placesBaseUrl, placesDailyLimit }) => [placesBaseUrl.origin, placesDailyLimit]),
        [
          ["https://places.googleapis.com", 10_000],
          ["http://127.0.0.1:9", 7]
        ]
      )
    })
  )

  it.effect("has to be said in production, and every wrong word is named, without its value", () =>
    Effect.gen(function* () {
      const wrong = { PLACES: "maybe", GOOGLE_PLACES_BASE_URL: "ftp://places.test", PLACES_DAILY_LIMIT: "0" }

      const missing = yield* Effect.flip(read(production))
      const all = yield* Effect.flip(read(wrong))

      assert.deepStrictEqual(missing.problems, ["GOOGLE_PLACES_API_KEY: required in production, or PLACES=off"])
      assert.sameMembers(
        all.problems.map((line) => line.split(":")[0]!),
        Object.keys(wrong)
      )
      for (const value of ["maybe", "ftp", "places.test"]) assert.notInclude(all.message, value)
    })
  )

  it.effect("is whom the configuration says", () =>
    Effect.gen(function* () {
      const site = yield* PlacesStandIn.listen
      const ask = (env: Record<string, string>) =>
        Places.use((provider) => provider.predict({ input: "baker st", session: "s" })).pipe(
          Effect.map((found) => found.length),
          Effect.catchTag(
            ["IntegrationNotConfigured", "ProviderError", "ProviderUnavailable"],
            ({ code }: { readonly code: string }) => Effect.succeed(code)
          ),
          Effect.provide(places.pipe(Layer.provide(FetchHttpClient.layer))),
          from(env)
        )

      assert.strictEqual(yield* ask({}), 2)
      assert.strictEqual(yield* ask({ PLACES: "off" }), "integration_not_configured")
      assert.isEmpty(site.seen)
      assert.strictEqual(yield* ask({ ...key, GOOGLE_PLACES_BASE_URL: site.baseUrl }), 2)
      assert.strictEqual(site.seen.length, 1)
    })
  )
})

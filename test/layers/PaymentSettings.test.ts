import { assert, describe, it } from "@effect/vitest"
import { type Config, ConfigProvider, Effect, Layer, References } from "effect"
import { FetchHttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import * as PayPalSettings from "../../src/layers/PayPalSettings.ts"
import { Providers } from "../../src/layers/Providers.ts"
import * as Settings from "../../src/layers/Settings.ts"
import * as StripeSettings from "../../src/layers/StripeSettings.ts"
import { CardVault } from "../../src/services/CardVault.ts"
import { PayPalVault } from "../../src/services/PayPalVault.ts"
import * as PayPalStandIn from "../support/PayPalStandIn.ts"
import * as StripeStandIn from "../support/StripeStandIn.ts"

const stripe = { STRIPE_SECRET_KEY: StripeStandIn.key }
const payPal = { PAYPAL_CLIENT_ID: PayPalStandIn.clientId, PAYPAL_CLIENT_SECRET: PayPalStandIn.clientSecret }
const production = { APP_ENV: "production" }
const from = (env: Record<string, string>) => Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
const read = <A>(config: Config.Config<A>, env: Record<string, string>) =>
  Effect.gen(function* () {
    return yield* config
  }).pipe(from(env))
const wrongIn = (config: Config.Config<unknown>, env: Record<string, string>) =>
  Effect.map(Effect.flip(read(config, env)), ({ cause }) => cause.message.split("\n"))

describe("Who keeps cards and PayPal accounts", () => {
  for (const [name, more, chosen] of [
    ["nobody's configuration: stand-ins", {}, "Local"],
    ["credentials: the providers", { ...stripe, ...payPal }, "Live"],
    ["credentials in production: the providers", { ...stripe, ...payPal, ...production }, "Live"],
    ["off: nobody", { STRIPE: "off", PAYPAL: "off" }, "Off"],
    ["off with credentials: nobody", { ...stripe, ...payPal, STRIPE: "off", PAYPAL: "off" }, "Off"],
    ["off in production: nobody", { STRIPE: "off", PAYPAL: "off", ...production }, "Off"],
    [
      "variables that nobody filled in: stand-ins",
      { STRIPE_SECRET_KEY: "", PAYPAL_CLIENT_ID: " ", STRIPE: "" },
      "Local"
    ]
  ] as const) {
    it.effect(`is said by ${name}`, () =>
      Effect.gen(function* () {
        const choices = [yield* read(StripeSettings.choose, more), yield* read(PayPalSettings.choose, more)]

        assert.deepStrictEqual(
          choices.map(({ _tag }) => _tag),
          [chosen, chosen]
        )
      })
    )
  }

  it.effect("has to be said in production, and what is wrong is named without its value", () =>
    Effect.gen(function* () {
      const stripeWrong = yield* wrongIn(StripeSettings.choose, production)
      const payPalWrong = yield* wrongIn(PayPalSettings.choose, production)
      const half = yield* wrongIn(PayPalSettings.choose, { PAYPAL_CLIENT_ID: "half" })
      const words = yield* wrongIn(StripeSettings.choose, { STRIPE: "maybe" })
      const url = yield* wrongIn(StripeSettings.baseUrl, { STRIPE_BASE_URL: "https://stripe.test/v1" })
      const secret = yield* wrongIn(StripeSettings.webhookSecrets, { STRIPE_WEBHOOK_SECRET: "short" })
      const back = yield* wrongIn(PayPalSettings.returnUrl, { PAYPAL_RETURN_URL: "portal" })

      assert.deepStrictEqual(
        [stripeWrong, payPalWrong, half, words, url, secret, back],
        [
          ["STRIPE_SECRET_KEY: required in production, or STRIPE=off"],
          ["PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET: required in production, or PAYPAL=off"],
          ["PAYPAL_CLIENT_SECRET: required"],
          ["STRIPE: expected off, or nothing"],
          ["STRIPE_BASE_URL: expected an http or https URL without a path"],
          ["STRIPE_WEBHOOK_SECRET: expected whsec_... or org:whsec_..., or a list of these"],
          ["PAYPAL_RETURN_URL: expected an http or https URL"]
        ]
      )
    })
  )

  it.effect("is checked with everything else, before anything starts", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(Settings.load).pipe(from({ ...production, STRIPE_BASE_URL: "here" }))

      const named = problems.map((problem) => problem.split(":")[0])
      assert.includeMembers(named, ["STRIPE_SECRET_KEY", "STRIPE_BASE_URL", "PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET"])
    })
  )

  it.effect("is PayPal's sandbox in local mode, and sends payers back to the portal", () =>
    Effect.gen(function* () {
      const urls = yield* Effect.forEach(
        [{}, production, { ...production, PAYPAL_BASE_URL: "http://127.0.0.1:9" }],
        (env) => Effect.map(read(PayPalSettings.baseUrl, env), ({ origin }) => origin)
      )
      const back = yield* Effect.forEach(
        [
          {},
          { CORS_ORIGINS: "https://portal.example.com, https://b.example.com" },
          { PAYPAL_RETURN_URL: "https://a.example.com/x" }
        ],
        (env) => read(PayPalSettings.returnUrl, env)
      )

      assert.deepStrictEqual(urls, [
        "https://api-m.sandbox.paypal.com",
        "https://api-m.paypal.com",
        "http://127.0.0.1:9"
      ])
      assert.deepStrictEqual(back, [
        "https://www.paypal.com/",
        "https://portal.example.com/",
        "https://a.example.com/x"
      ])
    })
  )

  it.effect("is whom the configuration says", () =>
    Effect.gen(function* () {
      const site = yield* StripeStandIn.listen()
      const other = yield* PayPalStandIn.listen()
      const ask = (env: Record<string, string>) =>
        Effect.gen(function* () {
          const cards = yield* Effect.flip(CardVault.use(({ list }) => list("cus_none")))
          const accounts = yield* Effect.flip(PayPalVault.use(({ vaultOf }) => vaultOf("none")))
          return [cards._tag, accounts._tag]
        }).pipe(Effect.provide(Providers.pipe(Layer.provide([FetchHttpClient.layer, noDatabase]))), from(env))

      const off = yield* ask({ STRIPE: "off", PAYPAL: "off" })
      const asked = [site, other].map(({ asked }) => asked.length)
      const live = yield* ask({ ...stripe, ...payPal, STRIPE_BASE_URL: site.baseUrl, PAYPAL_BASE_URL: other.baseUrl })

      assert.deepStrictEqual(off, ["IntegrationNotConfigured", "IntegrationNotConfigured"])
      assert.deepStrictEqual(asked, [0, 0])
      assert.deepStrictEqual(live, ["VaultGone", "PaymentMethodNotFound"])
      assert.deepStrictEqual(
        [site, other].map(({ asked }) => asked.length),
        [1, 2]
      )
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )
})

/** Only the stand-ins of local mode would ask it for anything. */
const noDatabase = Layer.succeed(SqlClient.SqlClient, undefined as never)

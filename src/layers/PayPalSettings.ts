import { Config, Effect } from "effect"
import { choice, origin, refuse } from "./ProviderSettings.ts"

/** `PAYPAL_CLIENT_ID` and `PAYPAL_CLIENT_SECRET`, or `PAYPAL=off`. */
export const choose = choice("PAYPAL", ["PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET"])

export const baseUrl = Config.String("APP_ENV").pipe(Config.withDefault("local"), (appEnv) =>
  Config.all({
    live: origin("PAYPAL_BASE_URL", "https://api-m.paypal.com"),
    sandbox: origin("PAYPAL_BASE_URL", "https://api-m.sandbox.paypal.com"),
    appEnv
  }).pipe(Config.map(({ appEnv, live, sandbox }) => (appEnv === "production" ? live : sandbox)))
)

/** Where PayPal sends the payer back to: `PAYPAL_RETURN_URL`, else the first portal that may call us. */
export const returnUrl = Config.all({
  own: Config.String("PAYPAL_RETURN_URL").pipe(Config.withDefault("")),
  portals: Config.String("CORS_ORIGINS").pipe(Config.withDefault(""))
}).pipe(
  Config.mapEffect(({ own, portals }) => {
    const url = URL.parse(own.trim() || portals.split(",")[0]!.trim() || "https://www.paypal.com/")
    return url !== null && /^https?:$/.test(url.protocol)
      ? Effect.succeed(url.href)
      : refuse("PAYPAL_RETURN_URL: expected an http or https URL")
  })
)

/** All of it, one by one, so that everything that is wrong is named at once. */
export const settings = { payPal: choose, payPalBaseUrl: baseUrl, payPalReturnUrl: returnUrl }

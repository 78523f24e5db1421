import { Config, Effect, Redacted } from "effect"
import { choice, origin, refuse } from "./ProviderSettings.ts"

/** `STRIPE_SECRET_KEY`, or `STRIPE=off`. */
export const choose = choice("STRIPE", ["STRIPE_SECRET_KEY"])

export const baseUrl = origin("STRIPE_BASE_URL", "https://api.stripe.com")

/** Of one endpoint at Stripe: an org's, or everybody's. */
export interface WebhookSecret {
  readonly orgId: string | undefined
  readonly secret: Redacted.Redacted
}

/** `STRIPE_WEBHOOK_SECRET`: `whsec_...` for all orgs, `org:whsec_...` for one, or a list of these, as while they rotate. */
export const webhookSecrets: Config.Config<ReadonlyArray<WebhookSecret>> = Config.Redacted(
  "STRIPE_WEBHOOK_SECRET"
).pipe(
  Config.withDefault(Redacted.make("")),
  Config.mapEffect((value) => {
    const entries = Redacted.value(value)
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== "")
    if (entries.some((entry) => !/^(?:[A-Za-z0-9._:-]{1,128}:)?[\x21-\x2b\x2d-\x39\x3b-\x7e]{8,}$/.test(entry))) {
      return refuse("STRIPE_WEBHOOK_SECRET: expected whsec_... or org:whsec_..., or a list of these")
    }
    return Effect.succeed(
      entries.map((entry) => {
        const end = entry.lastIndexOf(":")
        return { orgId: end < 0 ? undefined : entry.slice(0, end), secret: Redacted.make(entry.slice(end + 1)) }
      })
    )
  })
)

/** All of it, one by one, so that everything that is wrong is named at once. */
export const settings = { stripe: choose, stripeBaseUrl: baseUrl, stripeWebhookSecrets: webhookSecrets }

import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import * as StripeEventsSigned from "../../src/layers/StripeEventsSigned.ts"
import { StripeEvents } from "../../src/services/StripeEvents.ts"
import { signed } from "../support/StripeStandIn.ts"

const event = { id: "evt_1", type: "customer.updated", created: 1, data: { object: { id: "cus_1", card: "odd" } } }

/** Whether an event for this org, signed with this secret, is Stripe's, where these secrets are configured. */
const accepted = (configured: string, orgId: string, secret: string, content: object = event) =>
  StripeEvents.use((events) => {
    const { body, headers } = signed(content, secret)
    return events.verify(orgId, Buffer.from(body), headers["stripe-signature"])
  }).pipe(
    Effect.match({ onSuccess: (event) => event?.id ?? "unreadable", onFailure: ({ code }) => code }),
    Effect.provide(StripeEventsSigned.layer),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { STRIPE_WEBHOOK_SECRET: configured } })))
  )

describe("What is signed", () => {
  for (const [name, configured, orgId, secret, outcome] of [
    ["with the secret of all orgs is Stripe's", "whsec_all_of_us", "acme", "whsec_all_of_us", "evt_1"],
    ["with the org's own secret is Stripe's", "acme:whsec_acme, other:whsec_other", "acme", "whsec_acme", "evt_1"],
    ["with another org's is not", "acme:whsec_acme, other:whsec_other", "acme", "whsec_other", "invalid_signature"],
    [
      "with an old secret or a new one is, as long as both are there",
      "whsec_old_one,whsec_new_one",
      "a",
      "whsec_new_one",
      "evt_1"
    ],
    ["for an org with a colon in its name, too", "a:b:whsec_of_ab", "a:b", "whsec_of_ab", "evt_1"],
    ["is nobody's where there is no secret", "", "acme", "", "invalid_signature"]
  ] as const) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* accepted(configured, orgId, secret), outcome)
      })
    )
  }

  it.effect("and yet no event is Stripe's, and nothing that we can read", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* accepted("whsec_all_of_us", "acme", "whsec_all_of_us", { hello: "there" }),
        "unreadable"
      )
    })
  )
})

import { Clock, Effect, Layer, Option, Redacted, Schema } from "effect"
import { InvalidSignature, StripeEvent } from "../domain/StripeEvent.ts"
import { StripeEvents } from "../services/StripeEvents.ts"
import * as StripeSettings from "./StripeSettings.ts"

/** Events signed with an endpoint's secret: https://docs.stripe.com/webhooks#verify-events. Without one, none is. */
export const layer = Layer.effect(
  StripeEvents,
  Effect.gen(function* () {
    const secrets = yield* StripeSettings.webhookSecrets
    const sdk = yield* Effect.cached(Effect.promise(() => import("stripe")))
    const decode = Schema.decodeUnknownOption(StripeEvent)

    return StripeEvents.of({
      verify: Effect.fn("StripeEvents.verify")(function* (orgId, body, signature) {
        const { default: Stripe } = yield* sdk
        const received = yield* Clock.currentTimeMillis
        for (const { orgId: only, secret } of secrets) {
          if (only !== undefined && only !== orgId) continue
          try {
            const key = Redacted.value(secret)
            const event = Stripe.webhooks.constructEvent(body, signature ?? "", key, undefined, undefined, received)
            return Option.getOrUndefined(decode(event))
          } catch {
            // Whatever the SDK throws, and that is not always an error of its own, this secret did not sign this body.
          }
        }
        return yield* new InvalidSignature()
      })
    })
  })
)

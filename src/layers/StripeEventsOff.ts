import { Effect, Layer } from "effect"
import { InvalidSignature } from "../domain/StripeEvent.ts"
import { StripeEvents } from "../services/StripeEvents.ts"

/** Nothing is from Stripe. */
export const layer = Layer.succeed(StripeEvents, { verify: () => Effect.fail(new InvalidSignature()) })

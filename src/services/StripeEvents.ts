import { Context, type Effect } from "effect"
import type { InvalidSignature, StripeEvent } from "../domain/StripeEvent.ts"

/** Tells what Stripe has sent from what anybody could have. */
export class StripeEvents extends Context.Service<
  StripeEvents,
  {
    /** The event in a body that was signed for this org; undefined when it is none that we know how to read. */
    readonly verify: (
      orgId: string,
      body: Uint8Array,
      signature: string | undefined
    ) => Effect.Effect<StripeEvent | undefined, InvalidSignature>
  }
>()("portico/services/StripeEvents") {}

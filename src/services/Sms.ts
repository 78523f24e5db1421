import { Context, type Effect } from "effect"
import type { Addressed } from "./Addressed.ts"
import type { NotSent } from "./NotSent.ts"

export interface OutgoingSms extends Addressed {
  /** E.164. */
  readonly to: string
  readonly text: string
}

/** Sends one text message to one number. */
export class Sms extends Context.Service<
  Sms,
  {
    /** False where the operator has none. */
    readonly configured: boolean
    /** True of local mode's stand-in, which keeps what it is handed for `/platform/outbox`. */
    readonly outbox?: boolean
    readonly send: (sms: OutgoingSms) => Effect.Effect<void, NotSent>
  }
>()("portico/services/Sms") {}

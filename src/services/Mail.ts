import { Context, type Effect } from "effect"
import type { NotSent } from "./NotSent.ts"
import type { Addressed } from "./Addressed.ts"

export interface OutgoingMail extends Addressed {
  /** One address, checked before. */
  readonly to: string
  /** As in BCP 47. */
  readonly language: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Sends one mail to one address. */
export class Mail extends Context.Service<
  Mail,
  {
    /** False where the operator has none. */
    readonly configured: boolean
    /** True of local mode's stand-in, which keeps what it is handed for `/platform/outbox`. */
    readonly outbox?: boolean
    readonly send: (mail: OutgoingMail) => Effect.Effect<void, NotSent>
  }
>()("portico/services/Mail") {}

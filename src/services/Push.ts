import { Context, type Effect } from "effect"
import type { Addressed } from "./Addressed.ts"
import type { NotSent } from "./NotSent.ts"

export interface OutgoingPush extends Addressed {
  readonly provider: "fcm" | "apns"
  readonly platform: "ios" | "android" | "web"
  /** The device token as its provider gave it out. */
  readonly token: string
  readonly title: string
  readonly body: string
  readonly link: string | null
  readonly data: Readonly<Record<string, string>>
}

/** Sends one push message to one device. */
export class Push extends Context.Service<
  Push,
  {
    /** Through which providers the operator can. */
    readonly configured: { readonly fcm: boolean; readonly apns: boolean }
    /** True of local mode's stand-in, which keeps what it is handed for `/platform/outbox`. */
    readonly outbox?: boolean
    readonly send: (push: OutgoingPush) => Effect.Effect<void, NotSent>
  }
>()("portico/services/Push") {}

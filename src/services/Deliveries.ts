import { Context, Effect, Layer, type Redacted } from "effect"
import type { CustomerId } from "../domain/Ids.ts"

/** One message that shall reach one customer in one way. */
export interface NewDelivery {
  readonly customerId: CustomerId
  /** What it belongs to; null for a code. */
  readonly notificationId: string | null
  readonly message:
    | {
        readonly channel: "email"
        readonly to: string
        readonly language: string
        readonly subject: string
        readonly text: string
        readonly html: string
      }
    | { readonly channel: "sms"; readonly to: string; readonly text: string }
    | {
        readonly channel: "push"
        readonly pushTokenId: string
        readonly title: string
        readonly body: string
        readonly link: string | null
        readonly data: Readonly<Record<string, string>>
      }
  /** Stands in the texts as `{code}`, is kept sealed until it is sent, and is nowhere afterwards. */
  readonly code?: Redacted.Redacted
  /** Quiet hours: not before. */
  readonly notBefore?: Date
  /** Of no use afterwards: `skipped` then. */
  readonly expiresAt?: Date
}

/** Messages on their way out, and what has become of each: `queued sent delivered failed skipped`. */
export class Deliveries extends Context.Service<
  Deliveries,
  {
    /**
     * Records messages in the transaction that the caller has open on its tenant's database: they leave once it has
     * committed, and never if it has not. Answers their ids. Dies outside of a transaction.
     */
    readonly record: (deliveries: ReadonlyArray<NewDelivery>) => Effect.Effect<ReadonlyArray<string>>
  }
>()("portico/services/Deliveries") {
  /** Keeps the branch running until the engine's own takes this file's place. */
  static readonly layer = Layer.succeed(Deliveries, Deliveries.of({ record: () => Effect.succeed([]) }))
}

import { Context, Effect, Layer } from "effect"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { OutgoingPush } from "./Push.ts"

/** The devices that push messages go to, as those who register them keep them. */
export class PushTargets extends Context.Service<
  PushTargets,
  {
    /** The device behind a registration, unless it is gone. */
    readonly find: (
      orgId: OrgId,
      customerId: CustomerId,
      pushTokenId: string
    ) => Effect.Effect<Pick<OutgoingPush, "provider" | "platform" | "token"> | undefined>
    /** Its provider says that it is no more. */
    readonly forget: (orgId: OrgId, customerId: CustomerId, pushTokenId: string) => Effect.Effect<void>
  }
>()("portico/services/PushTargets") {
  /** Nobody has registered any. */
  static readonly none = Layer.succeed(
    PushTargets,
    PushTargets.of({ find: () => Effect.succeed(undefined), forget: () => Effect.void })
  )
}

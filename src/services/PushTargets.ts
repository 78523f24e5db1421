import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { CustomerId, OrgId } from "../domain/Ids.ts"

/** Devices as workers see them, who belong to no tenant: at the moment of sending, and never kept. */
export class PushTargets extends Context.Service<
  PushTargets,
  {
    /** Undefined when the customer has this device no more. */
    readonly find: (
      orgId: OrgId,
      customerId: CustomerId,
      pushTokenId: string
    ) => Effect.Effect<
      | {
          readonly provider: "fcm" | "apns"
          readonly platform: "ios" | "android" | "web"
          readonly token: string
        }
      | undefined
    >
    /** The provider knows the token no more. A token that the device has got since has another id, and stays. */
    readonly forget: (orgId: OrgId, customerId: CustomerId, pushTokenId: string) => Effect.Effect<void>
  }
>()("portico/services/PushTargets") {
  static readonly layer = Layer.effect(
    PushTargets,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const find = Effect.fn("PushTargets.find")(function* (orgId: OrgId, customerId: CustomerId, pushTokenId: string) {
        const [row] = yield* sql<{
          readonly provider: "fcm" | "apns"
          readonly platform: "ios" | "android" | "web"
          readonly token: string
        }>`
          SELECT provider, platform, token FROM push_tokens
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${pushTokenId}`
        return row
      }, Effect.orDie)

      const forget = Effect.fn("PushTargets.forget")(function* (
        orgId: OrgId,
        customerId: CustomerId,
        pushTokenId: string
      ) {
        yield* sql`
          DELETE FROM push_tokens
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${pushTokenId}`
      }, Effect.orDie)

      return PushTargets.of({ find, forget })
    })
  )
}

import { Effect, Layer } from "effect"
import { NotSent } from "../services/NotSent.ts"
import { Push } from "../services/Push.ts"

/** The operator has none. */
export const layer = Layer.succeed(
  Push,
  Push.of({
    configured: { fcm: false, apns: false },
    send: () => Effect.fail(new NotSent({ reason: "off", detail: "not set up" }))
  })
)

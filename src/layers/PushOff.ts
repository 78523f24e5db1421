import { Effect, Layer } from "effect"
import { NotSent } from "../services/NotSent.ts"
import { Push } from "../services/Push.ts"

/** None, because the operator said so. */
export const layer = Layer.succeed(Push, {
  configured: { fcm: false, apns: false },
  send: () => Effect.fail(new NotSent({ reason: "off", detail: "PUSH=off" }))
})

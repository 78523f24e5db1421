import { Effect, Layer } from "effect"
import { Sms } from "../services/Sms.ts"
import { NotSent } from "../services/NotSent.ts"

/** None, because the operator said so. */
export const layer = Layer.succeed(Sms, {
  configured: false,
  send: () => Effect.fail(new NotSent({ reason: "off", detail: "SMS=off" }))
})

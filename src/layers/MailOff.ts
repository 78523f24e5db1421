import { Effect, Layer } from "effect"
import { Mail } from "../services/Mail.ts"
import { NotSent } from "../services/NotSent.ts"

/** None, because the operator said so. */
export const layer = Layer.succeed(Mail, {
  configured: false,
  send: () => Effect.fail(new NotSent({ reason: "off", detail: "MAIL=off" }))
})

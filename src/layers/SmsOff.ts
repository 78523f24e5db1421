import { Effect, Layer } from "effect"
import { Sms } from "../services/Sms.ts"
import { NotSent } from "../services/NotSent.ts"

/** The operator has none. */
export const layer = Layer.succeed(
  Sms,
  Sms.of({ configured: false, send: () => Effect.fail(new NotSent({ reason: "off", detail: "not set up" })) })
)

import { Effect, Layer } from "effect"
import { Mail } from "../services/Mail.ts"
import { NotSent } from "../services/NotSent.ts"

/** The operator has none. */
export const layer = Layer.succeed(
  Mail,
  Mail.of({ configured: false, send: () => Effect.fail(new NotSent({ reason: "off", detail: "not set up" })) })
)

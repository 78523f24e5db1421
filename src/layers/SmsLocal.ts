import { Effect, Layer } from "effect"
import { Sms } from "../services/Sms.ts"
import { localOutbox } from "./LocalOutbox.ts"

/** Text messages that stay in the house, for local mode. */
export const layer = Layer.effect(
  Sms,
  Effect.map(localOutbox, (take) =>
    Sms.of({ configured: true, outbox: true, send: (sms) => take("sms")({ ...sms, subject: null }) })
  )
)

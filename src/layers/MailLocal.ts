import { Effect, Layer } from "effect"
import { Mail } from "../services/Mail.ts"
import { localOutbox } from "./LocalOutbox.ts"

/** Mail that stays in the house, for local mode. */
export const layer = Layer.effect(
  Mail,
  Effect.map(localOutbox, (take) => Mail.of({ configured: true, outbox: true, send: take("email") }))
)

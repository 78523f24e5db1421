import { Effect, Layer } from "effect"
import { Push } from "../services/Push.ts"
import { localOutbox } from "./LocalOutbox.ts"

/** Push messages that stay in the house, for local mode. */
export const layer = Layer.effect(
  Push,
  Effect.map(localOutbox, (take) =>
    Push.of({
      configured: { fcm: true, apns: true },
      outbox: true,
      send: ({ body, provider, title, token, ...push }) =>
        take("push")({ ...push, to: `${provider}:${token}`, subject: title, text: body })
    })
  )
)

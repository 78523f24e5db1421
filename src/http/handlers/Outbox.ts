import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Outbox } from "../../services/Outbox.ts"
import { Api } from "../Api.ts"

export const PlatformOutboxHandlers = HttpApiBuilder.group(
  Api,
  "platformOutbox",
  Effect.fn(function* (handlers) {
    const outbox = yield* Outbox

    return handlers.handleAll({ list: ({ query }) => outbox.list(query) })
  })
)

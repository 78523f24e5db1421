import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { PaymentEvents } from "../../services/PaymentEvents.ts"
import { Api } from "../Api.ts"
import { CurrentRequest } from "../CurrentRequest.ts"

export const StripeEventsHandlers = HttpApiBuilder.group(
  Api,
  "stripeEvents",
  Effect.fn(function* (handlers) {
    const events = yield* PaymentEvents

    // The signature is over the bytes, so nothing may decode them first.
    return handlers.handleRaw("receive", ({ endpoint, params, request }) =>
      Effect.gen(function* () {
        const current = yield* CurrentRequest
        current.route = endpoint.path
        const body = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
        yield* events.receive(params.orgId, body, request.headers["stripe-signature"])
        return { received: true as const }
      })
    )
  })
)

import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Erasures } from "../../services/Erasures.ts"
import { Profiles } from "../../services/Profiles.ts"
import { Api } from "../Api.ts"
import { accepted, versioned } from "../Records.ts"

export const ProfileHandlers = HttpApiBuilder.group(
  Api,
  "profile",
  Effect.fn(function* (handlers) {
    const profiles = yield* Profiles

    return handlers.handleAll({
      get: () => Effect.map(profiles.get, versioned),
      change: ({ headers, payload }) => Effect.map(profiles.change(payload, headers["if-match"]), versioned)
    })
  })
)

export const PlatformCustomersHandlers = HttpApiBuilder.group(
  Api,
  "platformCustomers",
  Effect.fn(function* (handlers) {
    const erasures = yield* Erasures
    const profiles = yield* Profiles

    return handlers.handleAll({
      erase: ({ params: { customerId } }) =>
        Effect.map(erasures.order(customerId), (begun) =>
          accepted(begun, `/platform/customers/${encodeURIComponent(customerId)}/erasure`)
        ),
      erasure: ({ params }) => erasures.find(params.customerId),
      get: ({ params }) => Effect.map(profiles.find(params.customerId), versioned),
      push: ({ headers, params, payload }) =>
        Effect.map(profiles.push(params.customerId, payload, headers["if-match"]), versioned)
    })
  })
)

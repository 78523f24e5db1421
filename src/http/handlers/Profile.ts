import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Profiles } from "../../services/Profiles.ts"
import { Api } from "../Api.ts"
import { versioned } from "../Records.ts"

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
    const profiles = yield* Profiles

    return handlers.handleAll({
      get: ({ params }) => Effect.map(profiles.find(params.customerId), versioned),
      push: ({ headers, params, payload }) =>
        Effect.map(profiles.push(params.customerId, payload, headers["if-match"]), versioned)
    })
  })
)

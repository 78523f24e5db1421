import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Orders } from "../../services/Orders.ts"
import { Api } from "../Api.ts"
import { versioned } from "../Records.ts"

export const OrdersHandlers = HttpApiBuilder.group(
  Api,
  "orders",
  Effect.fn(function* (handlers) {
    const orders = yield* Orders

    return handlers.handleAll({
      list: ({ query }) => orders.list(query),
      get: ({ params }) => Effect.map(orders.get(params.orderId), versioned)
    })
  })
)

export const PlatformOrdersHandlers = HttpApiBuilder.group(
  Api,
  "platformOrders",
  Effect.fn(function* (handlers) {
    const orders = yield* Orders

    return handlers.handleAll({
      push: ({ headers, params, payload }) =>
        Effect.map(orders.push(params.orderId, payload, headers["if-match"]), versioned)
    })
  })
)

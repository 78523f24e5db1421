import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { PaymentMethods } from "../../services/PaymentMethods.ts"
import { Api } from "../Api.ts"
import { Created } from "../Records.ts"

export const PaymentMethodsHandlers = HttpApiBuilder.group(
  Api,
  "paymentMethods",
  Effect.fn(function* (handlers) {
    const paymentMethods = yield* PaymentMethods

    return handlers.handleAll({
      list: ({ query }) => paymentMethods.list(query),
      add: ({ payload }) =>
        Effect.map(paymentMethods.add(payload), ({ added, method }) =>
          added ? new Created(method, `/client-data/payment-methods/${method.id}`) : method
        ),
      setup: ({ payload }) => paymentMethods.setup(payload.type),
      remove: ({ params }) => paymentMethods.remove(params.paymentMethodId),
      setDefault: ({ params }) => paymentMethods.setDefault(params.paymentMethodId)
    })
  })
)

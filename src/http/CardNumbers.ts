import { Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { bodyHasCardNumber, CardNumberRefused, hasCardNumber } from "../domain/CardNumber.ts"

// A key is any text, often made of the time, so only what is nothing but a card number of the usual lengths counts.
const isCardNumber = (key: string) => /^(?:3\d{14}|[2-6]\d{15})$/.test(key) && hasCardNumber(key)

/**
 * Refuses a request that holds what looks like a card number, before anything of it is decoded, stored or said again.
 *
 * To be added after `IdempotencyKeys`, which would keep a digest of it.
 */
export class CardNumbers extends HttpApiMiddleware.Service<CardNumbers>()("portico/http/CardNumbers", {
  error: CardNumberRefused
}) {
  static readonly layer = Layer.succeed(
    CardNumbers,
    Effect.fnUntraced(function* (httpEffect, { endpoint }) {
      const request = yield* HttpServerRequest.HttpServerRequest
      const body = endpoint.method === "GET" ? "" : yield* Effect.orDie(request.text)
      // The path as it was asked for would be said again.
      if (bodyHasCardNumber(body) || isCardNumber(request.headers["idempotency-key"] ?? "")) {
        return yield* new CardNumberRefused({ instance: endpoint.path })
      }
      if (hasCardNumber(pathOf(request.url))) return yield* new CardNumberRefused({ instance: endpoint.path })
      return yield* httpEffect
    })
  )
}

const pathOf = (url: string) => {
  const path = url.replace(/[?#].*$/s, "")
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

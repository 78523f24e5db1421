import { Effect, Layer } from "effect"
import { HttpIncomingMessage, HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { PayloadTooLarge, UnsupportedMediaType } from "./Problems.ts"

/** Refuses a body by its headers, before a byte of it is read: one that is too large, compressed, or not in UTF-8. */
export class Bodies extends HttpApiMiddleware.Service<Bodies>()("portico/http/Bodies", {
  error: [PayloadTooLarge, UnsupportedMediaType]
}) {
  static readonly layer = Layer.succeed(
    Bodies,
    Effect.fnUntraced(function* (httpEffect, { endpoint }) {
      const { headers } = yield* HttpServerRequest.HttpServerRequest
      const coding = headers["content-encoding"]
      const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(headers["content-type"] ?? "")?.[1]
      if (coding !== undefined && coding.toLowerCase() !== "identity") return yield* new UnsupportedMediaType()
      if (charset !== undefined && !/^utf-?8$/i.test(charset)) return yield* new UnsupportedMediaType()
      const most = yield* HttpIncomingMessage.MaxBodySize
      // Uploads are streamed, and each of their parts has a limit of its own.
      const streamed = [...endpoint.payload.values()].some(({ encoding }) =>
        /^(?:Multipart|Stream)$/.test(encoding._tag)
      )
      if (!streamed && most !== undefined && Number(headers["content-length"]) > Number(most)) {
        return yield* new PayloadTooLarge()
      }
      return yield* httpEffect
    })
  )
}

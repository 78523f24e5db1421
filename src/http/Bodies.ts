import { Context, Effect, Layer } from "effect"
import { HttpIncomingMessage, HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { arrived } from "./Arrival.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { Load } from "./Load.ts"
import { PayloadTooLarge, RequestTimeout, UnsupportedMediaType } from "./Problems.ts"

/**
 * Refuses a body by its headers, before a byte of it is read: one that is too large, compressed, or not in UTF-8. Then
 * waits for all of it, but for what is streamed, and not for long.
 */
export class Bodies extends HttpApiMiddleware.Service<Bodies>()("portico/http/Bodies", {
  error: [PayloadTooLarge, UnsupportedMediaType, RequestTimeout]
}) {
  static readonly layer = Layer.effect(
    Bodies,
    Effect.gen(function* () {
      const { patience } = yield* HttpSettings
      const load = yield* Load

      return (httpEffect, { endpoint }) => {
        // Uploads are streamed, and each of their parts has a limit of its own.
        const isStreamed = [...endpoint.payload.values()].some(({ encoding }) =>
          /^(?:Multipart|Stream)$/.test(encoding._tag)
        )
        return Effect.withFiber(({ context }): ReturnType<Bodies["Service"]> => {
          const request = Context.getUnsafe(context, HttpServerRequest.HttpServerRequest)
          const { headers } = request
          if (!hints.some((name) => name in headers)) return httpEffect
          const coding = headers["content-encoding"]
          const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(headers["content-type"] ?? "")?.[1]
          if (coding !== undefined && coding.toLowerCase() !== "identity")
            return Effect.fail(new UnsupportedMediaType())
          if (charset !== undefined && !/^utf-?8$/i.test(charset)) return Effect.fail(new UnsupportedMediaType())
          const most = Context.get(context, HttpIncomingMessage.MaxBodySize)
          if (isStreamed) return httpEffect
          if (most !== undefined && Number(headers["content-length"]) > Number(most))
            return Effect.fail(new PayloadTooLarge())
          return Effect.andThen(
            load.aside(arrived(request, context, patience.sending), request),
            Effect.timeoutOrElse(httpEffect, { duration: slowest, orElse: () => Effect.fail(new RequestTimeout()) })
          )
        })
      }
    })
  )
}

// For the answer to what has arrived.
const slowest = "30 seconds"

const hints = ["content-length", "content-type", "content-encoding", "transfer-encoding"]

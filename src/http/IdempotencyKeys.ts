import { Context, Effect, Layer, Schema } from "effect"
import { HttpServerRequest, HttpServerRespondable, HttpServerResponse } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { hash } from "node:crypto"
import { IdempotencyInProgress, IdempotencyKey, IdempotencyKeyReused } from "../domain/Idempotency.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { Idempotency } from "../services/Idempotency.ts"
import type { Answer } from "../services/IdempotencyRows.ts"
import { CurrentRequest } from "./CurrentRequest.ts"
import { complete } from "./Problems.ts"
import { CurrentForm } from "./Uploads.ts"

/** Annotates an endpoint whose write is not one database transaction: see `Idempotency`. */
export const CallsOut = Context.Reference<boolean>("portico/http/CallsOut", { defaultValue: () => false })

const isKey = Schema.is(IdempotencyKey)

/** Runs a write that carries an `Idempotency-Key` once, and answers its repeats with the first answer, byte for byte. */
export class IdempotencyKeys extends HttpApiMiddleware.Service<IdempotencyKeys>()("portico/http/IdempotencyKeys", {
  error: [InvalidRequest, IdempotencyInProgress, IdempotencyKeyReused]
}) {
  static readonly layer = Layer.effect(
    IdempotencyKeys,
    Effect.gen(function* () {
      const idempotency = yield* Idempotency

      const once: IdempotencyKeys["Service"] = Effect.fnUntraced(function* (httpEffect, { endpoint }) {
        const request = yield* HttpServerRequest.HttpServerRequest
        const key = request.headers["idempotency-key"]
        if (key === undefined) return yield* httpEffect
        if (!isKey(key)) return yield* malformed
        const current = yield* CurrentRequest
        const form = yield* CurrentForm
        const body = form === undefined ? canonical(yield* Effect.orDie(request.text)) : form.digest
        const named = {
          method: endpoint.method,
          route: endpoint.path,
          key,
          fingerprint: hash(
            "sha256",
            `${current.path}${queryOf(request.url)}\n${request.headers["if-match"] ?? ""}\n${body}`
          )
        }
        const { answer, replayed } = yield* idempotency.once(named, {
          callsOut: Context.get(endpoint.annotations, CallsOut),
          run: Effect.map(httpEffect, answerOf),
          failed: (error) =>
            Effect.map(Effect.orDie(HttpServerRespondable.toResponse(error as never)), (response) =>
              answerOf(complete(response, current))
            ),
          keep: ({ status }) => status < 500 && ![400, 413, 415, 429].includes(status)
        })
        const { "content-type": contentType, ...own } = answer.headers
        const headers = replayed ? { ...own, "idempotency-replayed": "true" } : own
        // Without a type of its own there is no body, and none is to be made up for it.
        return contentType === undefined
          ? HttpServerResponse.empty({ status: answer.status, headers })
          : HttpServerResponse.uint8Array(answer.body, { status: answer.status, contentType, headers })
      })

      // Asked once for each endpoint: reads do not even pass here.
      return (httpEffect, options) => (options.endpoint.method === "GET" ? httpEffect : once(httpEffect, options))
    })
  )
}

const malformed = Effect.fail(
  new InvalidRequest({
    errors: [{ pointer: "/header/idempotency-key", message: "Expected 1 to 255 visible ASCII characters" }]
  })
)

const answerOf = ({ body, headers, status }: HttpServerResponse.HttpServerResponse): Answer => ({
  status,
  headers: { ...headers },
  body: body._tag === "Uint8Array" ? body.body : new Uint8Array()
})

const queryOf = (url: string) => (url.includes("?") ? url.slice(url.indexOf("?")) : "")

/** The same JSON whatever the order of its keys and its white space; anything else as it is. */
const canonical = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), (_, value) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value
    )
  } catch {
    return text
  }
}

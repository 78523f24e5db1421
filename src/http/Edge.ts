import { Cause, Context, Effect, Option, References, type Types } from "effect"
import { HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { SqlError } from "effect/sql"
import { ApiKeys } from "../services/ApiKeys.ts"
import { Readiness } from "../services/Readiness.ts"
import { Tokens } from "../services/Tokens.ts"
import { isProbe, plainPaths, record } from "./AccessLog.ts"
import { answerHeaders } from "./AnswerHeaders.ts"
import { Api } from "./Api.ts"
import { verifyApiKey, verifyBearer } from "./Authentication.ts"
import * as Cors from "./Cors.ts"
import { CurrentRequest, facts, requestIdOf, type RequestFacts } from "./CurrentRequest.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { Load } from "./Load.ts"
import { methodsOf, pathOf, placeOf, routedOf, shortOf } from "./Paths.ts"
import { complete } from "./Problems.ts"
import type { Refused } from "./Refusals.ts"

/**
 * What every request passes on its way in and out, whatever becomes of it: whether there is room for it, its id, the path
 * under `/api`, a problem document for each failure, conditional reads, headers, one log line, metrics.
 */
export const Edge = HttpRouter.middleware(
  Effect.gen(function* () {
    const settings = yield* HttpSettings
    const tokens = yield* Tokens
    const apiKeys = yield* ApiKeys
    const readiness = yield* Readiness
    const load = yield* Load
    const headersOf = answerHeaders(settings)
    const methodsAt = methodsOf(Api, plainPaths)
    const cors = Cors.middleware(settings)

    /** No route took it: 401 before 404, so that only who is let in learns what is there. */
    const unmatched = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, path: string) {
      const methods = methodsAt(path)
      const allow = { allow: methods.join(", ") }
      if (request.method === "OPTIONS" && methods.length > 0) {
        return HttpServerResponse.empty({ status: 204, headers: allow })
      }
      if (/^\/client-data(?:\/|$)/.test(path)) yield* verifyBearer(tokens, request.headers)
      if (/^\/platform(?:\/|$)/.test(path)) yield* verifyApiKey(apiKeys, request.headers)
      // A path that takes this method but was not matched holds an id that cannot be: too long, or not UTF-8.
      return methods.length > 0 && !methods.includes(request.method)
        ? HttpServerResponse.empty({ status: 405, headers: allow })
        : HttpServerResponse.empty({ status: 404 })
    })

    const failed = (cause: Cause.Cause<unknown>, request: HttpServerRequest.HttpServerRequest, path: string) => {
      const error = Option.getOrUndefined(Cause.findErrorOption(cause))
      if (HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound") {
        return Effect.catchCause(unmatched(request, path), answerTo)
      }
      return answerTo(cause)
    }

    const answerTo = (cause: Cause.Cause<unknown>): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
      if (isOutage(cause)) {
        return Effect.as(
          Effect.logError("The database is out of reach", cause),
          HttpServerResponse.empty({ status: 503 })
        )
      }
      return Effect.flatMap(HttpServerError.causeResponse(cause), ([response]) =>
        response.status >= 500 && !Cause.hasInterruptsOnly(cause)
          ? Effect.as(Effect.logError("Unexpected failure", cause), response)
          : Effect.succeed(response)
      )
    }

    return (app): Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled> =>
      Effect.withFiber((fiber) => {
        const started = performance.now()
        const outer = fiber.context as Context.Context<never>
        const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
        const url = shortOf(request.url)
        const path = pathOf(url)
        const current = facts(requestIdOf(request.headers["x-request-id"]), path)
        const routed = routedOf(path) + url.slice(path.length)
        const seen = routed === request.url ? request : request.modify({ url: routed })
        const place = placeOf(routedOf(path))
        const refused = load.refuseLarge(request, current, place)
        const answered =
          refused === undefined
            ? (isProbe(path) ? app : load.count(app, request, current)).pipe(
                Effect.catchCause((cause) => failed(cause, seen, place)),
                Effect.map((response) => finish(response, seen, current, place))
              )
            : Effect.delay(
                Effect.sync(() => answerOf(refused)),
                refused.after
              )
        return (isAcrossOrigins(request) ? identified(cors(answered), current) : answered).pipe(
          // In the context from before the routing: one more layer on all that is there by now would be a copy of it.
          Effect.tap(({ status }) =>
            Effect.updateContext(
              record(request.method, current, status, performance.now() - started, refused !== undefined),
              (_: Context.Context<never>) => outer
            )
          ),
          // In one step: each further layer of a context is a copy of the whole.
          Effect.updateContext((context: Context.Context<never>) => {
            const known = context.pipe(
              Context.add(CurrentRequest, current),
              Context.add(References.CurrentLogAnnotations, { requestId: current.id })
            ) as Context.Context<HttpServerRequest.HttpServerRequest>
            return seen === request ? known : Context.add(known, HttpServerRequest.HttpServerRequest, seen)
          })
        )
      })

    function finish(
      answer: HttpServerResponse.HttpServerResponse,
      request: HttpServerRequest.HttpServerRequest,
      current: RequestFacts,
      place: string
    ) {
      const response = answer.status >= 400 ? complete(answer, current) : conditional(answer, request)
      const headers = headersOf(response, current, place)
      if (readiness.closing()) headers["connection"] = "close"
      return HttpServerResponse.setHeaders(response, headers)
    }
  }),
  { global: true }
)

/** Not a defect of ours: worth the caller's second try. */
const isOutage = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => {
    const error = Cause.isDieReason(reason) ? reason.defect : Cause.isFailReason(reason) ? reason.error : undefined
    return SqlError.isSqlError(error) && (passing.has(error.reason._tag) || passing.has(sqlStateOf(error)))
  })

const passing = new Set([
  "ConnectionError",
  "DeadlockError",
  "SerializationError",
  "LockTimeoutError",
  "StatementTimeoutError",
  // Shut down, starting up, a standby still, out of connections, of disk, of memory: the driver has no name for these.
  "57P01",
  "57P03",
  "25006",
  "53300",
  "53100",
  "53200"
])

const sqlStateOf = ({ reason: { cause } }: SqlError.SqlError) => String((cause as { code?: unknown } | undefined)?.code)

const answerOf = ({ body, headers, status }: Refused) =>
  HttpServerResponse.text(body, { status, headers, contentType: "application/problem+json" })

/** With an `Origin`; of the requests for options, those that browsers make before others. */
const isAcrossOrigins = ({ headers, method }: HttpServerRequest.HttpServerRequest) =>
  headers["origin"] !== undefined && (method !== "OPTIONS" || headers["access-control-request-method"] !== undefined)

/** Answers to browsers' questions come from `cors` alone. */
const identified = <E, R>(answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>, { id }: RequestFacts) =>
  Effect.map(answer, HttpServerResponse.setHeaders({ "x-request-id": id, "x-content-type-options": "nosniff" }))

/** RFC 9110, section 13.1.2: a reader who has this version already gets no body. */
const conditional = (
  response: HttpServerResponse.HttpServerResponse,
  { headers, method }: HttpServerRequest.HttpServerRequest
) => {
  const etag = response.headers["etag"]
  const asked = headers["if-none-match"]
  if (etag === undefined || asked === undefined || response.status !== 200) return response
  if (method !== "GET" && method !== "HEAD") return response
  const tags = asked.split(",").map((tag) => tag.trim().replace(/^W\//, ""))
  if (!tags.includes(etag.replace(/^W\//, "")) && asked.trim() !== "*") return response
  return HttpServerResponse.empty({ status: 304, headers: { etag } })
}

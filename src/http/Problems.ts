import { Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { Problem } from "../domain/Problem.ts"

export class NotFound extends Problem<NotFound>()("NotFound", {
  code: "not_found",
  status: 404,
  title: "Not found",
  detail: "There is nothing at this path."
}) {}

export class MethodNotAllowed extends Problem<MethodNotAllowed>()("MethodNotAllowed", {
  code: "method_not_allowed",
  status: 405,
  title: "Method not allowed",
  detail: "This path answers only to the methods that the Allow header lists."
}) {}

export class RequestTimeout extends Problem<RequestTimeout>()("RequestTimeout", {
  code: "request_timeout",
  status: 408,
  title: "Request took too long",
  detail: "The request did not arrive, or could not be answered, in time; try again."
}) {}

export class PayloadTooLarge extends Problem<PayloadTooLarge>()("PayloadTooLarge", {
  code: "payload_too_large",
  status: 413,
  title: "Body too large",
  detail: "A request body may hold 1 MiB at most."
}) {}

export class UnsupportedMediaType extends Problem<UnsupportedMediaType>()("UnsupportedMediaType", {
  code: "unsupported_media_type",
  status: 415,
  title: "Content type not supported",
  detail: "Send the body as application/json."
}) {}

const retryAfter = Schema.Int.annotate({ description: "Seconds, as the Retry-After header says" })

/** Nothing of the cause is said here: it is in the log, under the request's id. */
export class InternalError extends Problem<InternalError>()("InternalError", {
  code: "internal_error",
  status: 500,
  title: "Something went wrong",
  detail: "Something went wrong on our side; name the requestId when you report it."
}) {}

export class ServiceUnavailable extends Problem<ServiceUnavailable>()(
  "ServiceUnavailable",
  {
    code: "service_unavailable",
    status: 503,
    title: "Not available now",
    detail: "The service cannot answer now; try again shortly."
  },
  { retryAfter }
) {}

const byStatus: Readonly<Record<number, () => { readonly status: number }>> = {
  404: () => new NotFound(),
  405: () => new MethodNotAllowed(),
  413: () => new PayloadTooLarge(),
  415: () => new UnsupportedMediaType(),
  503: () => new ServiceUnavailable({ retryAfter: 1 })
}

/**
 * Makes any failed answer a problem document of this request: typed errors get their `instance` and `requestId`, and what
 * the framework says in a status alone gets a body.
 */
export const complete = (
  response: HttpServerResponse.HttpServerResponse,
  request: { readonly path: string; readonly id: string }
): HttpServerResponse.HttpServerResponse => {
  const { type, title, status, detail, code, ...rest } = problemIn(response)
  const problem = { type, title, status, detail, instance: request.path, code, requestId: request.id, ...rest }
  const { "content-length": _length, "content-type": _type, ...headers } = response.headers
  return HttpServerResponse.jsonUnsafe(problem, {
    status: status as number,
    contentType: "application/problem+json",
    headers: {
      ...headers,
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
      // RFC 9110, section 15.5.9: what of the request is still to come is nobody's any more.
      ...(status === 408 ? { connection: "close" } : {}),
      ...(typeof rest["retryAfter"] === "number" ? { "retry-after": String(rest["retryAfter"]) } : {})
    }
  })
}

const problemIn = (response: HttpServerResponse.HttpServerResponse): Readonly<Record<string, unknown>> => {
  if (response.body._tag === "Uint8Array" && response.body.contentType.startsWith("application/problem+json")) {
    return JSON.parse(new TextDecoder().decode(response.body.body))
  }
  return { ...(byStatus[response.status]?.() ?? new InternalError()) }
}

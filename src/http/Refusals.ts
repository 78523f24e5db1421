import { HttpServerResponse } from "effect/http"
import { RateLimited } from "../domain/RateLimited.ts"
import { answerHeaders, rateLimitOf } from "./AnswerHeaders.ts"
import * as Cors from "./Cors.ts"
import { facts } from "./CurrentRequest.ts"
import type { HttpSettings } from "./HttpSettings.ts"
import { complete, ServiceUnavailable } from "./Problems.ts"

/** Why a request is refused at once: there is no room for anybody's, or none for more of this customer's. */
export interface Refusal {
  readonly status: 503 | 429
  readonly retryAfter: number
  /** In milliseconds: how long to keep the answer back. */
  readonly after: number
}

export interface Refused {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly after: number
}

interface Asked {
  readonly id: string
  readonly path: string
  readonly place: string
  readonly origin: string | undefined
}

/**
 * The answers to requests that are refused at once, each made once: a server that has more to do than it can do fills in
 * what is the request's own.
 */
export const make = (settings: HttpSettings["Service"]) => {
  const headersOf = answerHeaders(settings)
  const rateLimit = rateLimitOf(settings.rateLimit)
  const known = new Map<string, ReturnType<typeof templateOf>>()

  const templateOf = ({ retryAfter, status }: Refusal, place: string) => {
    const request = facts(id, path)
    if (status === 429) request.rateLimit = rateLimit(0, retryAfter)
    const problem = status === 429 ? new RateLimited({ retryAfter }) : new ServiceUnavailable({ retryAfter })
    const contentType = "application/problem+json"
    const response = complete(HttpServerResponse.jsonUnsafe({ ...problem }, { status, contentType }), request)
    const body = response.body._tag === "Uint8Array" ? new TextDecoder().decode(response.body.body) : ""
    const { "content-length": _, ...headers } = response.headers
    return {
      headers: { ...headers, "content-type": contentType, ...headersOf(response, request, place) },
      parts: body.split(new RegExp(`${path}|${id}`))
    }
  }

  return (refusal: Refusal, request: Asked): Refused => {
    const area = /^\/(?:client-data|platform)(?=\/|$)/.exec(request.place)?.[0] ?? "/"
    const key = `${refusal.status} ${refusal.retryAfter} ${area}`
    const template = known.get(key) ?? templateOf(refusal, area)
    known.set(key, template)
    const [before, between, after] = template.parts
    const headers: Record<string, string> = { ...template.headers, "x-request-id": request.id }
    if (request.origin !== undefined) {
      const vary = headers["vary"] === undefined ? "Origin" : `${headers["vary"]}, Origin`
      Object.assign(headers, Cors.headersFor(settings, request.origin), { vary })
    }
    return {
      status: refusal.status,
      after: refusal.after,
      headers,
      body: `${before}${JSON.stringify(request.path).slice(1, -1)}${between}${request.id}${after}`
    }
  }
}

const id = "the-id-of-the-request"
const path = "/the/path/of/the/request"

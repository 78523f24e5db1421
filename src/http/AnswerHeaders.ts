import type { HttpServerResponse } from "effect/http"
import type { RequestFacts } from "./CurrentRequest.ts"
import type { HttpSettings } from "./HttpSettings.ts"

/** A customer's requests are counted in windows of this length. */
export const windowSeconds = 60

/** What the two headers say of a limit (draft-ietf-httpapi-ratelimit-headers). */
export const rateLimitOf = (limit: number) => {
  const policy = `"customer";q=${limit};w=${windowSeconds}`
  return (left: number, seconds: number) => ({ policy, state: `"customer";r=${left};t=${seconds}` })
}

/** The headers that every answer has beside its own. */
export const answerHeaders = ({ rateLimit, strictTransport }: HttpSettings["Service"]) => {
  const untouched = rateLimitOf(rateLimit)(rateLimit, windowSeconds)
  return ({ headers: own }: HttpServerResponse.HttpServerResponse, request: RequestFacts, place: string) => {
    const headers: Record<string, string> = { "x-request-id": request.id, "x-content-type-options": "nosniff" }
    if (strictTransport) headers["strict-transport-security"] = "max-age=31536000"
    if (/^\/(?:client-data|platform)(?:\/|$)/.test(place)) {
      headers["cache-control"] = own["cache-control"] ?? "private, no-cache"
      const coding = own["vary"] === undefined ? "" : ", Accept-Encoding"
      headers["vary"] = (place.startsWith("/platform") ? "x-api-key, orgid" : "Authorization, orgid") + coding
      const { policy, state } = request.rateLimit ?? untouched
      headers["ratelimit-policy"] = policy
      headers["ratelimit"] = state
    }
    return headers
  }
}

import { HttpMiddleware } from "effect/http"
import type { HttpSettings } from "./HttpSettings.ts"

const exposedHeaders = [
  "accept-ranges",
  "content-disposition",
  "content-range",
  "etag",
  "location",
  "retry-after",
  "ratelimit",
  "ratelimit-policy",
  "x-request-id",
  "idempotency-replayed"
]

/** What pages of other origins may ask and read (Fetch Standard, section 3.3). */
export const middleware = ({ corsOrigins }: HttpSettings["Service"]) => {
  const origins = new Set(corsOrigins)
  return HttpMiddleware.cors({
    allowedOrigins: (origin) => origins.has(origin),
    allowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
    allowedHeaders: [
      "authorization",
      "content-type",
      "orgid",
      "idempotency-key",
      "if-match",
      "if-none-match",
      "x-request-id",
      "last-event-id"
    ],
    exposedHeaders,
    maxAge: 600
  })
}

/** The same of an answer that is given without any middleware. */
export const headersFor = ({ corsOrigins }: HttpSettings["Service"], origin: string) => ({
  ...(corsOrigins.includes(origin) && { "access-control-allow-origin": origin }),
  "access-control-expose-headers": exposedHeaders.join(",")
})

import { Schema } from "effect"
import { Problem } from "./Problem.ts"

export class RateLimited extends Problem<RateLimited>()(
  "RateLimited",
  { code: "rate_limited", status: 429, title: "Too many requests", detail: "Too many requests; wait, then go on." },
  { retryAfter: Schema.Int.annotate({ description: "Seconds, as the Retry-After header says" }) }
) {}

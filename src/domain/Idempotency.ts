import { Schema } from "effect"
import { Problem } from "./Problem.ts"

/** The caller's name for one write, so that a repeat is recognised (draft-ietf-httpapi-idempotency-key-header). */
export const IdempotencyKey = Schema.String.annotate({
  description: "Same key and same request: the first answer again. Kept for 24 hours.",
  examples: ["5f0c6f9e-6c1b-4a3e-9c55-2b1d2f3a4b5c"]
}).check(Schema.isPattern(/^[\x21-\x7e]{1,255}$/, { message: "Expected 1 to 255 visible ASCII characters" }))

export class IdempotencyKeyReused extends Problem<IdempotencyKeyReused>()("IdempotencyKeyReused", {
  code: "idempotency_key_reused",
  status: 422,
  title: "Idempotency key used for another request",
  detail: "This Idempotency-Key came with another request before; use a fresh key for a new request."
}) {}

export class IdempotencyInProgress extends Problem<IdempotencyInProgress>()(
  "IdempotencyInProgress",
  {
    code: "idempotency_in_progress",
    status: 409,
    title: "The first request still runs",
    detail: "A request with this Idempotency-Key is still running; ask again shortly for its answer."
  },
  { retryAfter: Schema.Int.annotate({ description: "Seconds, as the Retry-After header says" }) }
) {}

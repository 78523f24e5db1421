import { Schema } from "effect"
import { Problem } from "./Problem.ts"

/** The caller's name for one write, so that a repeat is recognised (draft-ietf-httpapi-idempotency-key-header). */
export const IdempotencyKey = Schema.String.annotate({
  description:
    "The caller's own name for this write, such as a UUID: sent again, it gets the first answer, for 24 hours"
}).check(Schema.isPattern(/^[\x21-\x7e]{1,255}$/u, { message: "Expected 1 to 255 visible ASCII characters" }))

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

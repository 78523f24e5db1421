import { Schema } from "effect"
import { example } from "./Example.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"
import { CodeSent } from "./Verification.ts"

export const Blocker = Schema.Struct({
  type: Schema.Literals(["reservation", "order", "wallet"]),
  id: Schema.NullOr(Schema.String),
  detail: Schema.String.annotate({ description: "For people" })
}).annotate({
  identifier: "ErasureBlocker",
  examples: [{ type: "order", id: "order-1001", detail: "Order 1001: shipped" }]
})
export type Blocker = typeof Blocker.Type

/** Each place where a customer is, in the order in which they go from there. */
export const systems = ["access", "stripe", "paypal", "files", "records", "books", "profile", "log"] as const
export type System = (typeof systems)[number]

export const Receipt = Schema.Struct({
  system: Schema.Literals(systems),
  attempts: Schema.Int,
  doneAt: Schema.NullOr(Timestamp),
  lastError: Schema.NullOr(Schema.String).annotate({ description: "What was in the way the last time" })
}).annotate({
  identifier: "ErasureReceipt",
  examples: [
    example({ system: "stripe" as const, attempts: 2, doneAt: new Date("2026-12-08T10:00:41.000Z"), lastError: null })
  ]
})
export type Receipt = typeof Receipt.Type

/** How far it has got. */
export const Erasure = Schema.Struct({
  status: Schema.Literals(["none", "awaiting_code", "scheduled", "running", "finished"]),
  requestedBy: Schema.NullOr(Schema.Literals(["customer", "platform"])),
  requestedAt: Schema.NullOr(Timestamp),
  erasesAt: Schema.NullOr(Timestamp).annotate({ description: "Until then the customer may call it off" }),
  startedAt: Schema.NullOr(Timestamp),
  finishedAt: Schema.NullOr(Timestamp),
  blockers: Schema.Array(Blocker).annotate({ description: "What stands in the way of a customer's own wish" }),
  receipts: Schema.Array(Receipt)
}).annotate({
  identifier: "Erasure",
  examples: [
    example({
      status: "scheduled" as const,
      requestedBy: "customer" as const,
      requestedAt: new Date("2026-11-24T10:00:00.000Z"),
      erasesAt: new Date("2026-12-08T10:00:00.000Z"),
      startedAt: null,
      finishedAt: null,
      blockers: [],
      receipts: []
    })
  ]
})
export type Erasure = typeof Erasure.Type

export const ErasureRequest = Schema.Struct({
  code: Schema.optionalKey(Text(1, 64).annotateKey({ description: "The one that was sent; without it, one is sent" }))
}).annotate({ identifier: "ErasureRequest", examples: [{ code: "048213" }] })

export const ErasureCodeSent = Schema.Struct({
  status: Schema.Literal("code_sent"),
  codeSent: CodeSent,
  blockers: Schema.Array(Blocker)
}).annotate({
  identifier: "ErasureCodeSent",
  examples: [
    example({
      status: "code_sent" as const,
      codeSent: {
        channel: "email" as const,
        to: "a***@example.com",
        expiresAt: new Date("2026-11-24T10:10:00.000Z"),
        resendAt: new Date("2026-11-24T10:01:00.000Z"),
        attemptsLeft: 5
      },
      blockers: []
    })
  ]
})
export type ErasureCodeSent = typeof ErasureCodeSent.Type

export class ErasureBlocked extends Problem<ErasureBlocked>()(
  "ErasureBlocked",
  {
    code: "erasure_blocked",
    status: 409,
    title: "Something is still under way",
    detail: "The account cannot be erased while something is under way or credit is left in it."
  },
  { blockers: Schema.Array(Blocker) }
) {}

export class ErasureScheduled extends Problem<ErasureScheduled>()("ErasureScheduled", {
  code: "erasure_scheduled",
  status: 409,
  title: "Scheduled already",
  detail: "The account is to be erased already; call that off first."
}) {}

export class NoVerifiedChannel extends Problem<NoVerifiedChannel>()("NoVerifiedChannel", {
  code: "no_verified_channel",
  status: 409,
  title: "Nothing to prove it with",
  detail: "Verify an email address or a phone number first: the code goes there."
}) {}

/** Also where there is nothing that the caller may call off. */
export class ErasureNotFound extends Problem<ErasureNotFound>()("ErasureNotFound", {
  code: "erasure_not_found",
  status: 404,
  title: "No erasure",
  detail: "No erasure of this account is scheduled."
}) {}

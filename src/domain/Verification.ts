import { Schema } from "effect"
import { parsePhoneNumberFromString } from "libphonenumber-js/max"
import { example } from "./Example.ts"
import { Problem } from "./Problem.ts"
import { Email, Phone } from "./Profile.ts"
import { Text } from "./Text.ts"
import { NullableTimestamp, Timestamp } from "./Timestamp.ts"

/** What a customer can prove to be theirs. */
export const VerificationChannel = Schema.Literals(["email", "phone"])
export type VerificationChannel = typeof VerificationChannel.Type

const Proof = Schema.Struct({
  value: Schema.NullOr(Schema.String),
  verified: Schema.Boolean,
  verifiedAt: NullableTimestamp.annotate({ description: "null when it was proven elsewhere, or not at all" }),
  pending: Schema.NullOr(Schema.String).annotate({ description: "A new one that waits for its code" })
})

export const VerificationStatus = Schema.Struct({ email: Proof, phone: Proof }).annotate({
  identifier: "VerificationStatus",
  examples: [
    example({
      email: {
        value: "ada@example.com",
        verified: true,
        verifiedAt: new Date("2026-11-23T10:00:00.000Z"),
        pending: "ada@lovelace.example"
      },
      phone: { value: "+447911123456", verified: false, verifiedAt: null, pending: null }
    })
  ]
})
export type VerificationStatus = typeof VerificationStatus.Type

export const CodeSent = Schema.Struct({
  channel: VerificationChannel,
  to: Schema.String.annotate({ description: "Where it went, masked" }),
  expiresAt: Timestamp,
  resendAt: Timestamp.annotate({ description: "When the next one may be sent" }),
  attemptsLeft: Schema.Int.annotate({ description: "Wrong tries until the code is dead" })
}).annotate({
  identifier: "CodeSent",
  examples: [
    example({
      channel: "email" as const,
      to: "a***@example.com",
      expiresAt: new Date("2026-11-23T10:10:00.000Z"),
      resendAt: new Date("2026-11-23T10:01:00.000Z"),
      attemptsLeft: 5
    })
  ]
})
export type CodeSent = typeof CodeSent.Type

// Numbers whose calls somebody else pays for, or earns from: no person reads messages there.
const neverTexted = ["PREMIUM_RATE", "TOLL_FREE", "SHARED_COST", "UAN", "PAGER", "VOICEMAIL", "PERSONAL_NUMBER"]

/** Whether a person may be behind a number, and where: in any country when none is named. */
export const canBeTexted = (phone: string, countries: ReadonlySet<string> = new Set()): boolean => {
  const number = parsePhoneNumberFromString(phone)
  if (number === undefined || neverTexted.includes(number.getType() ?? "")) return false
  return countries.size === 0 || countries.has(number.country ?? "")
}

export const EmailCodeRequest = Schema.Struct({
  email: Schema.optionalKey(
    Email.annotateKey({ description: "The profile's when absent; another one starts a change" })
  )
}).annotate({ identifier: "EmailCodeRequest", examples: [{ email: "ada@lovelace.example" }] })

export const PhoneCodeRequest = Schema.Struct({
  phone: Schema.optionalKey(
    Phone.annotateKey({ description: "The profile's when absent; another one starts a change" })
  )
}).annotate({ identifier: "PhoneCodeRequest", examples: [{ phone: "+447911123456" }] })

// Any text: what is not six digits is a wrong code like another.
export const CodeAttempt = Schema.Struct({ code: Text(1, 64) }).annotate({
  identifier: "CodeAttempt",
  examples: [{ code: "048213" }]
})

/** Enough of an address for its owner to know it by. */
export const masked = (channel: VerificationChannel, to: string): string =>
  channel === "email"
    ? `${to.slice(0, 1)}***${to.slice(to.lastIndexOf("@"))}`
    : `${to.slice(0, 3)}${"*".repeat(Math.max(0, to.length - 5))}${to.slice(-2)}`

export class NothingToVerify extends Problem<NothingToVerify>()("NothingToVerify", {
  code: "nothing_to_verify",
  status: 400,
  title: "Nothing to verify",
  detail: "The profile has none to verify; name one."
}) {}

export class AlreadyVerified extends Problem<AlreadyVerified>()("AlreadyVerified", {
  code: "already_verified",
  status: 409,
  title: "Verified already",
  detail: "This one is verified already."
}) {}

const retryAfter = Schema.Int.annotate({ description: "Seconds, as the Retry-After header says" })

export class ResendTooSoon extends Problem<ResendTooSoon>()(
  "ResendTooSoon",
  { code: "resend_too_soon", status: 429, title: "Too soon", detail: "A code is under way; wait before the next one." },
  { retryAfter }
) {}

export class InvalidCode extends Problem<InvalidCode>()(
  "InvalidCode",
  { code: "invalid_code", status: 400, title: "Wrong code", detail: "This is not the code that was sent." },
  { attemptsLeft: Schema.Int.annotate({ description: "Wrong tries until the code is dead" }) }
) {}

export class CodeExpired extends Problem<CodeExpired>()("CodeExpired", {
  code: "code_expired",
  status: 400,
  title: "No code",
  detail: "There is no code under way, or its time is over; have a new one sent."
}) {}

export class TooManyAttempts extends Problem<TooManyAttempts>()(
  "TooManyAttempts",
  {
    code: "too_many_attempts",
    status: 429,
    title: "Too many wrong codes",
    detail: "Too many wrong codes were tried; have a new one sent later."
  },
  { retryAfter }
) {}

import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { IntegrationNotConfigured } from "../../domain/Integration.ts"
import { InvalidRequest } from "../../domain/InvalidRequest.ts"
import { RateLimited } from "../../domain/RateLimited.ts"
import {
  AlreadyVerified,
  CodeAttempt,
  CodeExpired,
  CodeSent,
  EmailCodeRequest,
  InvalidCode,
  NothingToVerify,
  PhoneCodeRequest,
  ResendTooSoon,
  TooManyAttempts,
  VerificationStatus
} from "../../domain/Verification.ts"
import { CallsOut } from "../IdempotencyKeys.ts"
import { Guarded } from "../RateLimits.ts"
import { writeHeaders } from "../Records.ts"

const sendErrors = [
  NothingToVerify,
  InvalidRequest,
  AlreadyVerified,
  ResendTooSoon,
  RateLimited,
  IntegrationNotConfigured
] as const
const verifyErrors = [InvalidCode, CodeExpired, TooManyAttempts] as const

const sends = { name: "verification-sends", limit: 60, seconds: 3600 }
const guesses = { name: "verification-guesses", limit: 60, seconds: 60 }

// A wrong guess has to stay counted though its answer is an error, so none of these runs in the request's transaction.
export class VerificationApi extends HttpApiGroup.make("verification")
  .add(
    HttpApiEndpoint.get("status", "/status", { success: VerificationStatus }).annotate(
      OpenApi.Summary,
      "Read what is verified"
    ),
    HttpApiEndpoint.post("sendEmail", "/email/send", {
      headers: writeHeaders,
      payload: EmailCodeRequest,
      success: CodeSent,
      error: sendErrors
    })
      .annotateMerge(
        OpenApi.annotations({
          summary: "Send a code by email",
          description: "To another address than the profile's it starts a change: the old one stays until it is proven."
        })
      )
      .annotate(CallsOut, true)
      .annotate(Guarded, sends),
    HttpApiEndpoint.post("verifyEmail", "/email/verify", {
      headers: writeHeaders,
      payload: CodeAttempt,
      success: VerificationStatus,
      error: verifyErrors
    })
      .annotate(OpenApi.Summary, "Prove an email address with its code")
      .annotate(CallsOut, true)
      .annotate(Guarded, guesses),
    HttpApiEndpoint.post("sendPhone", "/phone/send", {
      headers: writeHeaders,
      payload: PhoneCodeRequest,
      success: CodeSent,
      error: sendErrors
    })
      .annotateMerge(
        OpenApi.annotations({
          summary: "Send a code by SMS",
          description: "To another number than the profile's it starts a change: the old one stays until it is proven."
        })
      )
      .annotate(CallsOut, true)
      .annotate(Guarded, sends),
    HttpApiEndpoint.post("verifyPhone", "/phone/verify", {
      headers: writeHeaders,
      payload: CodeAttempt,
      success: VerificationStatus,
      error: verifyErrors
    })
      .annotate(OpenApi.Summary, "Prove a phone number with its code")
      .annotate(CallsOut, true)
      .annotate(Guarded, guesses)
  )
  .prefix("/verification")
  .annotateMerge(
    OpenApi.annotations({ title: "Verification", description: "Proving an email address or a phone number." })
  ) {}

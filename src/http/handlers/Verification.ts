import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Verification } from "../../services/Verification.ts"
import { Api } from "../Api.ts"

export const VerificationHandlers = HttpApiBuilder.group(
  Api,
  "verification",
  Effect.fn(function* (handlers) {
    const verification = yield* Verification

    return handlers.handleAll({
      status: () => verification.status,
      sendEmail: ({ payload }) => verification.send("email", payload.email),
      verifyEmail: ({ payload }) => verification.verify("email", payload.code),
      sendPhone: ({ payload }) => verification.send("phone", payload.phone),
      verifyPhone: ({ payload }) => verification.verify("phone", payload.code)
    })
  })
)

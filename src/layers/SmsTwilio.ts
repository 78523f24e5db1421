import { type Duration, Effect, Layer, Option, Redacted, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { CircuitBreaker } from "effect/persistence"
import { type OutgoingSms, Sms } from "../services/Sms.ts"
import type { Twilio } from "./SmsSettings.ts"
import { broken, coded, codeOf, failed, retryAfterOf, sender } from "./ChannelCalls.ts"

export interface Options extends Twilio {
  readonly baseUrl: URL
  readonly deadline?: Duration.Input
}

const Refusal = Schema.Struct({ code: Schema.optionalKey(Schema.Number) })

/** Our sender is not one, or not ours, or may not send there. */
const senderCodes = [21212, 21606, 21659, 21660]

/** Twilio's Messages API: https://www.twilio.com/docs/messaging/api/message-resource */
export const layer = ({ accountSid, authToken, baseUrl, deadline, from }: Options) =>
  Layer.effect(
    Sms,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const send = yield* sender("Twilio", deadline)

      const attempt = Effect.fnUntraced(function* ({ text, to }: OutgoingSms) {
        const response = yield* HttpClientRequest.post(
          `${baseUrl.origin}/2010-04-01/Accounts/${accountSid}/Messages.json`
        ).pipe(
          HttpClientRequest.basicAuth(accountSid, Redacted.value(authToken)),
          HttpClientRequest.bodyUrlParams({
            To: to,
            [from.startsWith("MG") && from.length === 34 ? "MessagingServiceSid" : "From"]: from,
            Body: text
          }),
          client.execute,
          Effect.mapError((error) => broken(codeOf(error)))
        )
        // Whatever else it says, it has the message; who reads that to the end may use the connection again.
        if (response.status < 300) return yield* Effect.ignore(Effect.timeout(response.text, "500 millis"))
        return yield* yield* refusalOf(response)
      })

      return Sms.of({
        configured: true,
        send: (sms) =>
          send(/^\+[1-9]\d{6,14}$/.test(sms.to) ? attempt(sms) : Effect.fail(failed("refused", "not a number"))).pipe(
            Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
            Effect.provideService(HttpClient.TracerPropagationEnabled, false)
          )
      })
    })
  ).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))

/** By the status first: Twilio asks not to build on its codes, but for a few. There is no key that makes a repeat safe. */
const refusalOf = (response: HttpClientResponse.HttpClientResponse) =>
  HttpClientResponse.schemaBodyJson(Refusal)(response).pipe(
    Effect.option,
    Effect.map((refusal) => {
      const { headers, status } = response
      const code = Option.getOrUndefined(refusal)?.code
      const detail = coded(status, code)
      if (status === 429) return failed("throttled", detail, { retryAfter: retryAfterOf(headers["retry-after"]) ?? 1 })
      if (status === 503) return failed("unavailable", detail, { again: true })
      if (status >= 500 || status === 408) return failed("unavailable", detail, { maybeSent: true })
      const isOurs = status < 400 || [401, 403, 404].includes(status) || senderCodes.includes(code ?? 0)
      return failed(isOurs ? "misconfigured" : "refused", detail)
    })
  )

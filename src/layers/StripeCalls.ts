import { Effect, Redacted, type Schema } from "effect"
import { IntegrationNotConfigured, ProviderError } from "../domain/Integration.ts"
import { decoded, Failed, patiently, Refused, throttled, unreachable } from "./ProviderCalls.ts"

export interface Options {
  readonly secretKey: Redacted.Redacted
  readonly baseUrl: URL
}

export const connect = ({ baseUrl, secretKey }: Options) =>
  Effect.promise(async () => {
    // Otherwise the SDK prints what Stripe has to say to developers.
    process.env["STRIPE_SUPPRESS_NOTICES"] ??= "true"
    const { default: Sdk } = await import("stripe")
    const protocol = baseUrl.protocol === "http:" ? "http" : "https"
    return new Sdk(Redacted.value(secretKey), {
      host: baseUrl.hostname,
      port: baseUrl.port === "" ? (protocol === "http" ? 80 : 443) : Number(baseUrl.port),
      protocol,
      telemetry: false,
      timeout: 3_000,
      // Repeats are ours: the SDK's would go on after the deadline, when our answer has been given.
      maxNetworkRetries: 0,
      appInfo: { name: "portico" }
    })
  })

/** One request. Repeats carry the same idempotency key, so that what was done already is not done twice. */
export const send = <S extends Schema.Top & { readonly DecodingServices: never }>(
  answer: S,
  request: () => Promise<unknown>
): Effect.Effect<S["Type"], Refused | Failed> =>
  patiently(Effect.tryPromise({ try: request, catch: classify })).pipe(Effect.flatMap(decoded(answer)))

// The SDK is loaded only where Stripe is configured, so its classes are told apart by name.
interface Thrown {
  readonly type?: string
  readonly code?: string
  readonly param?: string
  readonly message?: string
  readonly statusCode?: number
  readonly requestId?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** https://docs.stripe.com/api/errors */
const classify = (thrown: unknown): Refused | Failed => {
  const { code, headers, message, param, requestId, statusCode, type } = thrown as Thrown
  const why = [type, statusCode, code, requestId].filter(Boolean).join(" ")
  switch (type) {
    case "StripeCardError":
    case "StripeInvalidRequestError":
      return new Refused({
        declined: type === "StripeCardError",
        missing: code === "resource_missing",
        about: param ?? "",
        sentence: message ?? "",
        reference: requestId ?? ""
      })
    case "StripeRateLimitError":
      return throttled(headers?.["retry-after"], why)
    case "StripeConnectionError":
      // A connection that was cut before an answer came the SDK has tried again by itself, and says so.
      return unreachable(why, !/was retried/.test(message ?? ""))
    case "StripeAuthenticationError":
    case "StripePermissionError":
      return new Failed({ problem: new IntegrationNotConfigured(), why, again: false })
    case "StripeAPIError":
      // Without a status it was no JSON. 409: the same request is still running.
      return statusCode === undefined
        ? new Failed({ problem: new ProviderError(), why, again: true })
        : unreachable(why, headers?.["stripe-should-retry"] !== "false")
    default:
      return new Failed({ problem: new ProviderError(), why, again: false })
  }
}

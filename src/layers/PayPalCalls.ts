import { Effect, Redacted, Schema } from "effect"
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { IntegrationNotConfigured } from "../domain/Integration.ts"
import { decoded, Failed, patiently, Refused, throttled, unreachable } from "./ProviderCalls.ts"

const Refusal = Schema.Struct({
  debug_id: Schema.optionalKey(Schema.String),
  details: Schema.optionalKey(Schema.Array(Schema.Struct({ issue: Schema.optionalKey(Schema.String) })))
})
const Bearer = Schema.Struct({ access_token: Schema.NonEmptyString })

export interface Options {
  readonly clientId: Redacted.Redacted
  readonly clientSecret: Redacted.Redacted
  readonly baseUrl: URL
}

const misconfigured = (why: string, again: boolean) =>
  new Failed({ problem: new IntegrationNotConfigured(), why, again })

/** Undefined when it is none; an answer that breaks off is no answer. */
const jsonOf = (response: HttpClientResponse.HttpClientResponse) =>
  response.text.pipe(
    Effect.mapError(() => unreachable("An answer that broke off", true)),
    Effect.map((text): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        return undefined
      }
    })
  )

/** How we ask PayPal for anything, with a token of its own that we keep for as long as it is taken. */
export const make = Effect.fnUntraced(function* ({ baseUrl, clientId, clientSecret }: Options) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.prependUrl(baseUrl.origin))
  )
  const execute = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.mapError(client.execute(request), ({ reason }) => unreachable(reason._tag, true))

  const fetchBearer = Effect.gen(function* () {
    const response = yield* HttpClientRequest.post("/v1/oauth2/token").pipe(
      HttpClientRequest.basicAuth(Redacted.value(clientId), Redacted.value(clientSecret)),
      HttpClientRequest.bodyUrlParams({ grant_type: "client_credentials" }),
      execute
    )
    const { status } = response
    if (status === 200) return yield* decoded(Bearer)(yield* jsonOf(response))
    if (status === 429) return yield* throttled(response.headers["retry-after"], "429 for a token")
    return yield* status >= 500
      ? unreachable(`${status} for a token`, true)
      : misconfigured(`${status} for a token`, false)
  })
  // They are good for nine hours. The cache keeps failures as well, so these are thrown out at once.
  const [cached, invalidate] = yield* Effect.cachedInvalidateWithTTL(fetchBearer, "8 hours")
  const bearer = Effect.tapError(cached, () => invalidate)

  /** https://developer.paypal.com/api/rest/responses/ and /api/payment-tokens/v3/errors */
  const classify = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
    const { headers, status } = response
    const said = yield* jsonOf(response).pipe(
      Effect.flatMap(decoded(Refusal)),
      Effect.orElseSucceed((): typeof Refusal.Type => ({}))
    )
    const reference = said.debug_id ?? ""
    const why = `${status} ${reference}`
    if (status === 401) {
      // A token that was taken back, so once more with another. If that is refused too, the operator has to look.
      yield* invalidate
      return misconfigured(why, true)
    }
    if (status === 403) return misconfigured(why, false)
    if (status === 429) return throttled(headers["retry-after"], why)
    if (status >= 500) return unreachable(why, true)
    const about = said.details?.[0]?.issue ?? ""
    return new Refused({ declined: false, missing: status === 404, about, sentence: "", reference })
  })

  /** One request. Repeats carry the same PayPal-Request-Id, so that what was done already is not done twice. */
  return <S extends Schema.Top & { readonly DecodingServices: never }>(
    answer: S,
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<S["Type"], Refused | Failed> =>
    Effect.gen(function* () {
      const { access_token } = yield* bearer
      const response = yield* execute(HttpClientRequest.bearerToken(request, access_token))
      if (response.status >= 300) return yield* yield* classify(response)
      return response.status === 204 ? undefined : yield* jsonOf(response)
    }).pipe(patiently, Effect.flatMap(decoded(answer)))
})

import { Clock, Effect, Redacted, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { importPKCS8, SignJWT } from "jose"
import { broken, codeOf, coded, failed, retryAfterOf } from "./ChannelCalls.ts"
import type { ServiceAccount } from "./PushSettings.ts"

const Token = Schema.Struct({ access_token: Schema.NonEmptyString })
const scope = "https://www.googleapis.com/auth/firebase.messaging"

/** What a service account may do Google's messaging with: developers.google.com/identity/protocols/oauth2/service-account */
export const accessTokens = Effect.fnUntraced(function* ({ clientEmail, privateKey, tokenUri }: ServiceAccount) {
  const client = yield* HttpClient.HttpClient
  const key = yield* Effect.promise(() => importPKCS8(Redacted.value(privateKey), "RS256"))

  const fetchToken = Effect.gen(function* () {
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const assertion = yield* Effect.promise(() =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: "RS256", typ: "JWT" })
        .setIssuer(clientEmail)
        .setAudience(tokenUri)
        .setIssuedAt(now)
        .setExpirationTime(now + 3600)
        .sign(key)
    )
    const response = yield* HttpClientRequest.post(tokenUri).pipe(
      HttpClientRequest.bodyUrlParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion }),
      client.execute,
      Effect.mapError((error) => again(codeOf(error)))
    )
    const { headers, status } = response
    const detail = coded("token", status)
    if (status === 429)
      return yield* failed("throttled", detail, { retryAfter: retryAfterOf(headers["retry-after"]) ?? 60 })
    if (status >= 500) return yield* failed("unavailable", detail, { again: true })
    if (status !== 200) return yield* failed("misconfigured", detail)
    const { access_token } = yield* Effect.mapError(HttpClientResponse.schemaBodyJson(Token)(response), () =>
      failed("unavailable", "token of another shape")
    )
    return access_token
  }).pipe(
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    Effect.provideService(HttpClient.TracerPropagationEnabled, false)
  )
  // They are good for an hour. The cache keeps failures as well, so these are thrown out at once.
  const [cached, invalidate] = yield* Effect.cachedInvalidateWithTTL(fetchToken, "50 minutes")
  return { bearer: Effect.tapError(cached, () => invalidate), invalidate }
})

/** Until there is a token, no message has left. */
const again = (code: string | undefined) => {
  const { notSent } = broken(code)
  return failed(notSent.reason, notSent.detail, { again: notSent.reason === "unavailable" })
}

import { Effect, Schema, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import type { JWK } from "jose"
import { TokensUnavailable } from "../services/Tokens.ts"

const maximumBytes = 256 * 1024

const Jwks = Schema.fromJsonString(
  Schema.Struct({ keys: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)).check(Schema.isMaxLength(100)) })
)

// Also leaves out what is symmetric or private: a secret that is published is no secret.
const isPublicKey = (key: Readonly<Record<string, unknown>>) =>
  (key.kty === "RSA" || key.kty === "EC" || key.kty === "OKP") && !("d" in key)

/** The public keys of a JWKS document, and their text, by which two answers are compared. */
export type KeySet = { readonly keys: Array<JWK>; readonly text: string }

/** One GET: 5 seconds, 256 KiB and no redirect at most. A document without a public key counts as no answer. */
export const fetchKeySet = (url: URL): Effect.Effect<KeySet, TokensUnavailable, HttpClient.HttpClient> =>
  HttpClient.execute(HttpClientRequest.get(url, { accept: "application/jwk-set+json, application/json" })).pipe(
    // A redirect could leave https, or lead inwards.
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    Effect.mapError(() => new TokensUnavailable({ reason: "unreachable" })),
    Effect.flatMap((response) =>
      response.status === 200 ? bodyOf(response.stream) : new TokensUnavailable({ reason: "bad_answer" })
    ),
    Effect.flatMap(keySetOf),
    Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => new TokensUnavailable({ reason: "timeout" }) })
  )

const bodyOf = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  stream.pipe(
    Stream.mapError(() => new TokensUnavailable({ reason: "unreachable" })),
    Stream.runFoldEffect(
      () => ({ chunks: new Array<Uint8Array>(), size: 0 }),
      ({ chunks, size }, chunk) =>
        size + chunk.length > maximumBytes
          ? Effect.fail(new TokensUnavailable({ reason: "bad_answer" }))
          : Effect.succeed({ chunks: [...chunks, chunk], size: size + chunk.length })
    ),
    Effect.map(({ chunks }) => Buffer.concat(chunks).toString())
  )

const keySetOf = (body: string) =>
  Schema.decodeEffect(Jwks)(body).pipe(
    Effect.mapError(() => new TokensUnavailable({ reason: "bad_answer" })),
    Effect.flatMap((jwks) => {
      const keys = jwks.keys.filter(isPublicKey) as Array<JWK>
      return keys.length > 0
        ? Effect.succeed({ keys, text: JSON.stringify(keys) })
        : Effect.fail(new TokensUnavailable({ reason: "bad_answer" }))
    })
  )

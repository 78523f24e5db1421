import { Clock, Effect, Layer, Option } from "effect"
import { errors, jwtVerify, type JWTVerifyOptions } from "jose"
import { hash } from "node:crypto"
import { claimsOf, type TokenClaims } from "../domain/TokenClaims.ts"
import { TokenExpired, TokenInvalid, Tokens } from "../services/Tokens.ts"
import { headerOf } from "./CompactJws.ts"
import type { TokenKeys } from "./TokenKeys.ts"
import * as RecentlyUsed from "../services/RecentlyUsed.ts"
import * as TokensJwks from "./TokensJwks.ts"
import * as TokensSecret from "./TokensSecret.ts"
import { settings, type TokenTerms } from "./TokensSettings.ts"

const maximumLength = 8192
const toleranceSeconds = 5
const cacheCapacity = 10_000

/** Verifies tokens with `keys` on `terms`, and remembers the good ones until they expire or their keys are replaced. */
export const make = (keys: TokenKeys, terms: TokenTerms): Tokens["Service"] => {
  const verified = RecentlyUsed.make<{
    readonly claims: Effect.Effect<TokenClaims>
    readonly until: number
    readonly from: object
  }>(cacheCapacity)

  const expected: JWTVerifyOptions = {
    algorithms: [...keys.algorithms],
    clockTolerance: toleranceSeconds,
    ...(terms.issuer !== "" && { issuer: terms.issuer }),
    ...(terms.audience.length > 0 && { audience: [...terms.audience] })
  }

  const verifyAnew = Effect.fn("Tokens.verify")(function* (token: string, digest: string) {
    const header = Option.getOrUndefined(headerOf(token))
    if (header === undefined) return yield* new TokenInvalid({ reason: "malformed" })
    // Before the key is looked up: a token of the wrong family must not cause a fetch of the issuer's keys.
    if (!keys.algorithms.includes(header.alg)) return yield* new TokenInvalid({ reason: "algorithm" })

    const { from, key } = yield* keys.find(header)
    const now = yield* Clock.currentTimeMillis
    const { payload } = yield* Effect.tryPromise({
      try: () => jwtVerify(token, key, { ...expected, currentDate: new Date(now) }),
      catch: refusalOf
    })

    const claims = Option.getOrUndefined(claimsOf(payload, terms.names))
    if (claims === undefined) return yield* new TokenInvalid({ reason: "claims" })
    if (claims.iat > now / 1000 + toleranceSeconds) return yield* new TokenInvalid({ reason: "not_yet_valid" })
    verified.set(digest, { claims: Effect.succeed(claims), until: claims.exp * 1000, from })
    return claims
  })

  return Tokens.of({
    verify: (token) =>
      token.length > maximumLength
        ? Effect.fail(new TokenInvalid({ reason: "too_long" }))
        : Clock.clockWith((clock) => {
            const now = clock.currentTimeMillisUnsafe()
            const digest = hash("sha256", token, "base64url")
            const known = verified.get(digest)
            return known !== undefined && now < known.until && known.from === keys.inForce(now)
              ? known.claims
              : verifyAnew(token, digest)
          })
  })
}

const refusalOf = (error: unknown): TokenInvalid | TokenExpired => {
  if (error instanceof errors.JWTExpired) return new TokenExpired()
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenInvalid({ reason: "signature" })
  if (error instanceof errors.JWTClaimValidationFailed) {
    const reasons = { iss: "issuer", aud: "audience", nbf: "not_yet_valid" } as const
    return new TokenInvalid({ reason: reasons[error.claim as keyof typeof reasons] ?? "claims" })
  }
  // What jose throws that is not its own is about the key: too short, or of no known curve.
  return new TokenInvalid({ reason: error instanceof errors.JOSEError ? "malformed" : "unknown_key" })
}

/** From the environment: `AUTH_JWT_SECRET`, or `AUTH_JWKS_URL` with `AUTH_ISSUER` and `AUTH_AUDIENCE`. */
export const layer = Layer.effect(
  Tokens,
  Effect.gen(function* () {
    const { keys, ...terms } = yield* settings
    return make(yield* keys._tag === "Secret" ? TokensSecret.make(keys.secret) : TokensJwks.make(keys), terms)
  })
)

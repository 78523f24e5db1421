import { Clock, Duration, Effect, Redacted, Schema } from "effect"
import { SignJWT } from "jose"
import { TokenClaims } from "../domain/TokenClaims.ts"
import { terms } from "./TokensSettings.ts"

/**
 * Signs a token (HS256) that our own verification accepts, for local use and tests: claim names, issuer and audience
 * are the configured ones. Fails on claims that verification would refuse.
 */
export const mint = Effect.fn("Tokens.mint")(function* (options: {
  readonly secret: Redacted.Redacted
  readonly claims: Omit<(typeof TokenClaims)["Encoded"], "iat" | "exp">
  readonly expiresIn: Duration.Input
}) {
  const { audience, issuer, names } = yield* terms
  const iat = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const exp = iat + Math.floor(Duration.toSeconds(options.expiresIn))
  const claims = yield* Schema.decodeUnknownEffect(TokenClaims)({ ...options.claims, iat, exp })
  const named = Object.entries(claims).map(([claim, value]) => [
    names[claim as keyof typeof options.claims] ?? claim,
    value
  ])
  const token = new SignJWT({
    ...Object.fromEntries(named),
    ...(issuer !== "" && { iss: issuer }),
    ...(audience.length > 0 && { aud: audience.length === 1 ? audience[0] : audience })
  }).setProtectedHeader({ alg: "HS256", typ: "JWT" })
  return yield* Effect.promise(() => token.sign(Buffer.from(Redacted.value(options.secret))))
})

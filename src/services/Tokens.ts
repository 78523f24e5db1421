import { Context, type Effect, Schema } from "effect"
import type { TokenClaims } from "../domain/TokenClaims.ts"

/**
 * The token proves nothing. `reason` is for logs and metrics: whoever sends forgeries should not learn which check
 * they failed.
 */
export class TokenInvalid extends Schema.TaggedError<TokenInvalid>()("TokenInvalid", {
  reason: Schema.Literals([
    "too_long",
    "malformed",
    "algorithm",
    "unknown_key",
    "signature",
    "issuer",
    "audience",
    "not_yet_valid",
    "claims"
  ])
}) {}

/** The token was good, and its holder can ask the issuer for a fresh one. */
export class TokenExpired extends Schema.TaggedError<TokenExpired>()("TokenExpired", {
  reason: Schema.tag("expired")
}) {}

/** Nobody can say now whether the token is good: the issuer's keys are out of reach. */
export class TokensUnavailable extends Schema.TaggedError<TokensUnavailable>()("TokensUnavailable", {
  reason: Schema.Literals(["unreachable", "timeout", "bad_answer"])
}) {}

/** Tells who sent a bearer token: a signed JWT (RFC 7519, verified as RFC 8725 asks). */
export class Tokens extends Context.Service<
  Tokens,
  {
    readonly verify: (token: string) => Effect.Effect<TokenClaims, TokenInvalid | TokenExpired | TokensUnavailable>
  }
>()("portico/services/Tokens") {}

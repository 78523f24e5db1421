import type { Effect } from "effect"
import type { CryptoKey, JWTHeaderParameters } from "jose"
import type { TokenInvalid, TokensUnavailable } from "../services/Tokens.ts"

/** The keys tokens are verified with: one secret, or an issuer's published set. */
export interface TokenKeys {
  /** From configuration, never from a token. */
  readonly algorithms: ReadonlyArray<string>
  /** The key set that counts now, by identity, if any. Tokens stay verified as long as their set. */
  readonly inForce: (now: number) => object | undefined
  readonly find: (
    header: JWTHeaderParameters
  ) => Effect.Effect<{ readonly key: CryptoKey; readonly from: object }, TokenInvalid | TokensUnavailable>
}

import { Effect, Redacted } from "effect"
import type { TokenKeys } from "./TokenKeys.ts"

/** One shared secret, HS256 and nothing else; a `kid` in the token changes nothing. */
export const make = (secret: Redacted.Redacted): Effect.Effect<TokenKeys> =>
  Effect.map(
    Effect.promise(() =>
      crypto.subtle.importKey("raw", Buffer.from(Redacted.value(secret)), { name: "HMAC", hash: "SHA-256" }, false, [
        "verify"
      ])
    ),
    (key) => ({
      algorithms: ["HS256"],
      inForce: () => key,
      find: () => Effect.succeed({ key, from: key })
    })
  )

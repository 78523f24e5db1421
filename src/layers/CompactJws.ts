import { Option, Schema } from "effect"
import type { JWTHeaderParameters } from "jose"

const Claims = Schema.Record(Schema.String, Schema.Unknown)
const Header = Schema.StructWithRest(Schema.Struct({ alg: Schema.String }), [Claims])
const decodeHeader = Schema.decodeUnknownOption(Schema.fromJsonString(Header))
const decodeClaims = Schema.decodeUnknownOption(Schema.fromJsonString(Claims))

/**
 * The header of a JWT (RFC 7515, compact serialization), nothing of it verified.
 *
 * None unless the three parts are exact base64url and neither header nor claims repeat a name: one token then has one
 * spelling and one meaning, to us and to every other reader.
 */
export const headerOf = (token: string): Option.Option<JWTHeaderParameters> => {
  const parts = token.split(".", 4)
  const [header, claims, signature] = parts.map(exactBytes)
  if (!header || !claims || !signature || parts.length !== 3) return Option.none()
  const [headerText, claimsText] = [header.toString(), claims.toString()]
  const decoded = decodeHeader(headerText)
  if (Option.isNone(decoded) || Option.isNone(decodeClaims(claimsText))) return Option.none()
  return repeatsName(headerText) || repeatsName(claimsText) ? Option.none() : decoded
}

// Buffer skips what is not base64url and ignores stray bits at the end; only an exact spelling comes back unchanged.
const exactBytes = (part: string) => {
  const bytes = Buffer.from(part, "base64url")
  return bytes.toString("base64url") === part ? bytes : undefined
}

/** Of valid JSON only: elsewhere the scan for strings could take quadratic time. */
const repeatsName = (json: string): boolean => {
  const names = new Set<unknown>()
  let depth = 0
  for (const [lexeme, text, colon] of json.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g)) {
    if (text === undefined) depth += lexeme === "{" || lexeme === "[" ? 1 : -1
    else if (depth === 1 && colon !== undefined) {
      // Parsed, because `{"sub":1,"\u0073ub":2}` repeats a name too.
      const name = JSON.parse(text)
      if (names.has(name)) return true
      names.add(name)
    }
  }
  return false
}

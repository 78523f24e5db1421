import { Effect, Option, Schema } from "effect"
import { CustomerId, OrgId } from "./Ids.ts"
import { Email, Phone } from "./Profile.ts"
import { Text } from "./Text.ts"

// Up to the end of year 9999: what is larger is a mistake of units or an attempt at a token without an end.
const Seconds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 253_402_300_799 }))

// How a foreign issuer writes a name or a phone number must not lock its customers out.
const ifWellFormed = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(schema).pipe(Schema.catchDecoding(() => Effect.succeedNone))

const claims = {
  org: OrgId,
  exp: Seconds,
  iat: Seconds,
  email: ifWellFormed(Email),
  emailVerified: ifWellFormed(Schema.Boolean),
  name: ifWellFormed(Text(1, 120)),
  phoneNumber: ifWellFormed(Phone)
}

/**
 * What a bearer token says, once verified: who (`sub`), in which org, as a customer or as a user who owns a customer
 * record, from and until when in Unix seconds (RFC 7519). Malformed personal claims are absent.
 */
export const TokenClaims = Schema.Union([
  Schema.Struct({ type: Schema.Literal("customer"), sub: CustomerId, ...claims }),
  Schema.Struct({ type: Schema.Literal("user"), sub: Text(1, 255), ...claims })
])
export type TokenClaims = typeof TokenClaims.Type

/** The claim of the payload that holds each value, and the type of a token whose issuer writes none. */
export type ClaimNames = {
  readonly [Claim in "sub" | "org" | "type" | "email" | "emailVerified" | "name" | "phoneNumber"]: string
} & { readonly defaultType?: TokenClaims["type"] }

const decode = Schema.decodeUnknownOption(TokenClaims)

/** None if a claim that decides who the caller is, or how long, is missing or malformed. */
export const claimsOf = (payload: object, names: ClaimNames): Option.Option<TokenClaims> => {
  const claim = (name: string) => Object.getOwnPropertyDescriptor(payload, name)?.value
  return decode({
    sub: claim(names.sub),
    org: claim(names.org),
    type: Object.hasOwn(payload, names.type) ? claim(names.type) : names.defaultType,
    exp: claim("exp"),
    iat: claim("iat"),
    email: claim(names.email),
    emailVerified: claim(names.emailVerified),
    name: claim(names.name),
    phoneNumber: claim(names.phoneNumber)
  }).pipe(Option.map(withoutStrayVerification))
}

// "Verified" without the address it was said of would come to vouch for whatever address the record gets next.
const withoutStrayVerification = (claims: TokenClaims): TokenClaims => {
  if (claims.email !== undefined || claims.emailVerified === undefined) return claims
  const { emailVerified: _, ...rest } = claims
  return rest
}

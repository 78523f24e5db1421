import { Schema } from "effect"
import { isValidPhoneNumber } from "libphonenumber-js/min"
import { example } from "./Example.ts"
import { CustomerId } from "./Ids.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

const e164 = /^\+[1-9]\d{6,14}$/u

/** E.164: a plus sign, the country code and the subscriber's number, as `+14155552671`. */
export const Phone = Schema.String.annotate({ examples: ["+14155552671"] }).check(
  Schema.isPattern(e164, {
    message: "Expected an E.164 phone number: a plus sign, the country code and the number, digits only"
  }),
  Schema.makeFilter(
    (phone: string) =>
      !e164.test(phone) || isValidPhoneNumber(phone) || "Expected a number that is in its country's numbering plan"
  )
)

/** BCP 47, as `en` or `pt-BR`. */
export const Language = Schema.String.annotate({ examples: ["en-GB"] }).check(
  Schema.isPattern(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,5}$/u, {
    message: "Expected a BCP 47 language tag such as en-GB"
  }),
  Schema.makeFilter(
    (tag: string) => parses(() => Intl.getCanonicalLocales(tag)) || "Expected a BCP 47 language tag such as en-GB"
  )
)

/** IANA, as `Europe/Berlin` or `UTC`; offsets such as `+01:00` are not zones. */
export const TimeZone = Schema.String.annotate({ examples: ["Europe/Berlin"] }).check(
  Schema.isPattern(/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/u, { message: "Expected an IANA time zone such as Europe/Berlin" }),
  Schema.makeFilter(
    (zone: string) =>
      (!icuOnly.has(zone.toUpperCase()) && parses(() => new Intl.DateTimeFormat("en", { timeZone: zone }))) ||
      "Expected an IANA time zone such as Europe/Berlin"
  )
)

// Abbreviations that Node.js also takes, by inheritance from ICU: zones to nobody else, and not the same to everybody.
const icuOnly = new Set(
  "ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST US/PACIFIC-NEW".split(
    " "
  )
)

const parses = (parse: () => unknown): boolean => {
  try {
    parse()
    return true
  } catch {
    return false
  }
}

/** RFC 5321 addresses without quoted local parts: nothing in it can end a header or name a second recipient. */
export const Email = Schema.String.annotate({ format: "email", examples: ["ada@example.com"] }).check(
  Schema.isPattern(
    /^(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/u,
    {
      message: "Expected an email address"
    }
  )
)

export const profileExample = example({
  id: CustomerId.make("ada"),
  email: "ada@example.com",
  name: "Ada Lovelace",
  phone: "+442079460123",
  language: "en-GB",
  timezone: "Europe/London",
  about: null,
  emailVerified: true,
  phoneVerified: false,
  version: 3,
  createdAt: new Date("2026-11-02T17:31:02.118Z"),
  updatedAt: new Date("2026-11-23T10:00:00.000Z")
})

export const Profile = Schema.Struct({
  id: CustomerId,
  email: Schema.NullOr(Schema.String),
  name: Schema.NullOr(Schema.String),
  phone: Schema.NullOr(Schema.String).annotate({ description: "E.164" }),
  language: Schema.NullOr(Schema.String).annotate({ description: "BCP 47" }),
  timezone: Schema.NullOr(Schema.String).annotate({ description: "IANA" }),
  about: Schema.NullOr(Schema.String),
  emailVerified: Schema.Boolean,
  phoneVerified: Schema.Boolean,
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}).annotate({
  identifier: "Profile",
  examples: [profileExample]
})
export type Profile = typeof Profile.Type

/** What a customer may change: an absent key stays as it is, `null` clears. */
export const ProfileChanges = Schema.Struct({
  name: Schema.optionalKey(Schema.NullOr(Text(1, 120))),
  phone: Schema.optionalKey(Schema.NullOr(Phone)),
  language: Schema.optionalKey(Schema.NullOr(Language)),
  timezone: Schema.optionalKey(Schema.NullOr(TimeZone)),
  about: Schema.optionalKey(Schema.NullOr(Text(0, 2000))),
  email: Schema.optionalKey(
    Schema.Never.annotate({
      message: "An email address changes by proving it: POST /client-data/verification/email/send",
      description: "Not here: an email address changes by verification"
    })
  )
}).annotate({ identifier: "ProfileChanges", examples: [{ name: "Ada Lovelace", timezone: "Europe/London" }] })
export type ProfileChanges = typeof ProfileChanges.Type

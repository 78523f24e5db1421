import { Schema } from "effect"
import { Country, postcodeProblem } from "./Country.ts"
import { example } from "./Example.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Phone } from "./Profile.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const AddressId = Text(1, 128).pipe(Schema.brand("AddressId"))
export type AddressId = typeof AddressId.Type

export const AddressType = Schema.Literals(["home", "work", "other"]).annotate({ identifier: "AddressType" })

/** What an address says, without what the service keeps about it. */
const fields = {
  name: Schema.NullOr(Schema.String),
  company: Schema.NullOr(Schema.String),
  phone: Schema.NullOr(Schema.String).annotate({ description: "E.164" }),
  street1: Schema.String,
  street2: Schema.NullOr(Schema.String),
  city: Schema.String,
  state: Schema.NullOr(Schema.String),
  zip: Schema.NullOr(Schema.String),
  country: Schema.String.annotate({ description: "ISO 3166-1 alpha-2" }),
  type: AddressType,
  primary: Schema.Boolean.annotate({ description: "Exactly one address is, while there is any" }),
  mailing: Schema.Boolean.annotate({ description: "At most one address is" }),
  placeId: Schema.NullOr(Schema.String),
  latitude: Schema.NullOr(Schema.Finite),
  longitude: Schema.NullOr(Schema.Finite)
}

const ada = {
  name: "Ada Lovelace",
  company: null,
  phone: "+442079460123",
  street1: "12 St James's Square",
  street2: null,
  city: "London",
  state: null,
  zip: "SW1Y 4JH",
  country: "GB",
  type: "home" as const,
  primary: true,
  mailing: false,
  placeId: null,
  latitude: 51.5072,
  longitude: -0.1357
}

export const Address = Schema.Struct({
  id: AddressId,
  ...fields,
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}).annotate({
  identifier: "Address",
  examples: [
    example({
      id: AddressId.make("0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c"),
      ...ada,
      version: 1,
      createdAt: new Date("2026-11-02T17:31:02.118Z"),
      updatedAt: new Date("2026-11-02T17:31:02.118Z")
    })
  ]
})
export type Address = typeof Address.Type

const Line = (maximum: number, description?: string) =>
  Text(1, maximum, description).check(
    Schema.makeFilter((text: string) => text.trim() !== "" || "Expected more than white space")
  )

const clearable = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))
const between = (minimum: number, maximum: number) => Schema.Finite.check(Schema.isBetween({ minimum, maximum }))

/** A new address, or with an `id` the changes to one: absent keys stay as they are, `null` clears. */
export const AddressUpsert = Schema.Struct({
  id: Schema.optionalKey(AddressId).annotate({ description: "Changes this address; absent: makes a new one" }),
  name: clearable(Text(0, 120)),
  company: clearable(Text(0, 120)),
  phone: clearable(Phone),
  street1: Schema.optionalKey(Line(200, "A new address needs it")),
  street2: clearable(Text(0, 200)),
  city: Schema.optionalKey(Line(120, "A new address needs it")),
  state: clearable(Text(0, 120)),
  zip: clearable(Text(0, 20)).annotate({ description: "By the rules of the country, which may need one" }),
  country: Schema.optionalKey(Country),
  type: Schema.optionalKey(AddressType),
  primary: Schema.optionalKey(Schema.Boolean).annotate({
    description:
      "true takes it over from the address that is. false hands it on to the newest of the others; an only address stays primary"
  }),
  mailing: Schema.optionalKey(Schema.Boolean).annotate({ description: "true takes it over from the address that is" }),
  placeId: clearable(Text(1, 512)),
  latitude: clearable(between(-90, 90)),
  longitude: clearable(between(-180, 180)),
  formatted: clearable(Text(0, 1000)).annotate({
    description: "As in a place's answer, so that it can be posted back as it is; not kept"
  })
}).annotate({
  identifier: "AddressUpsert",
  examples: [{ name: "Ada Lovelace", street1: "12 St James's Square", city: "London", zip: "SW1Y 4JH", country: "GB" }]
})
export type AddressUpsert = typeof AddressUpsert.Type

export type AddressFields = Omit<Address, "id" | "version" | "createdAt" | "updatedAt">

const blank = {
  name: null,
  company: null,
  phone: null,
  street1: undefined,
  street2: null,
  city: undefined,
  state: null,
  zip: null,
  country: undefined,
  type: "home" as const,
  primary: false,
  mailing: false,
  placeId: null,
  latitude: null,
  longitude: null
}

/** An address with changes merged in, field by field, and what keeps the outcome from being one. */
export const merged = (before: AddressFields | undefined, { id: _, formatted: __, ...changes }: AddressUpsert) => {
  const after = { ...blank, ...before, ...changes }
  const errors = (["street1", "city", "country"] as const)
    .filter((field) => after[field] === undefined)
    .map((field) => ({ pointer: `/body/${field}`, message: "Missing key" }))
  // What was taken once is not refused for a change of something else.
  const moved = after.zip !== before?.zip || after.country !== before?.country
  const problem = moved && after.country !== undefined ? postcodeProblem(after.country, after.zip) : undefined
  if (problem !== undefined) errors.push({ pointer: "/body/zip", message: problem })
  return { after: after as AddressFields, errors }
}

/** Fields that a list of addresses sorts by. */
export const addressSorts = {
  primary: "integer",
  mailing: "integer",
  id: "text",
  name: "text",
  company: "text",
  street1: "text",
  city: "text",
  state: "text",
  zip: "text",
  country: "text",
  type: "text",
  version: "integer",
  createdAt: "instant",
  updatedAt: "instant"
} as const

export const AddressesQuery = Schema.Struct(listQuery(addressSorts, "primary"))
export type AddressesQuery = typeof AddressesQuery.Type

export const AddressesPage = pageOf("AddressesPage", Address)

/** Also the answer for an address of somebody else: a stranger must not learn that it exists. */
export class AddressNotFound extends Problem<AddressNotFound>()("AddressNotFound", {
  code: "address_not_found",
  status: 404,
  title: "Address not found",
  detail: "There is no such address."
}) {}

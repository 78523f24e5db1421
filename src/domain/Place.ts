import { Schema } from "effect"
import { Country } from "./Country.ts"
import { Problem } from "./Problem.ts"
import { Language } from "./Profile.ts"
import { Text } from "./Text.ts"

/** Place ids and session tokens go on to the provider, so nothing may be in one that means something in a URL. */
const urlSafe = (maximum: number, message: string) =>
  Schema.String.check(Schema.isPattern(new RegExp(`^[A-Za-z0-9_-]{1,${maximum}}$`, "u"), { message }))

export const PlaceId = urlSafe(512, "Expected the placeId of a prediction").pipe(Schema.brand("PlaceId"))
export type PlaceId = typeof PlaceId.Type

export const SessionToken = urlSafe(64, "Expected the sessionToken of an earlier answer, or a UUID").annotate({
  description:
    "Names one typing of an address, from its first letter to the chosen place. Absent: the customer's typing of the last 3 minutes",
  examples: ["5f0c6f9e-6c1b-4a3e-9c55-2b1d2f3a4b5c"]
})
export type SessionToken = typeof SessionToken.Type

/** What a customer has typed so far. */
export const Typed = Schema.Struct({
  input: Text(2, 200),
  country: Schema.optionalKey(Country),
  language: Schema.optionalKey(Language),
  sessionToken: Schema.optionalKey(SessionToken)
}).annotate({ identifier: "AutocompleteQuery", examples: [{ input: "221b baker st", country: "GB" }] })
export type Typed = typeof Typed.Type

export const Prediction = Schema.Struct({
  placeId: PlaceId,
  description: Schema.String,
  mainText: Schema.String,
  secondaryText: Schema.String
}).annotate({ identifier: "Prediction" })
export type Prediction = typeof Prediction.Type

export const Predictions = Schema.Struct({
  sessionToken: SessionToken,
  predictions: Schema.Array(Prediction)
}).annotate({
  identifier: "Predictions",
  examples: [
    {
      sessionToken: "5f0c6f9e-6c1b-4a3e-9c55-2b1d2f3a4b5c",
      predictions: [
        {
          placeId: PlaceId.make("gb-london-baker-street"),
          description: "Baker Street, London, GB",
          mainText: "Baker Street",
          secondaryText: "London, GB"
        }
      ]
    }
  ]
})
export type Predictions = typeof Predictions.Type

/** A place as its provider knows it; null is what the provider does not say. */
export interface FoundPlace {
  readonly placeId: PlaceId
  readonly formatted: string
  /** Streets and buildings, the street first. */
  readonly lines: ReadonlyArray<string>
  readonly street: string | null
  readonly houseNumber: string | null
  readonly unit: string | null
  readonly city: string | null
  readonly state: string | null
  readonly zip: string | null
  readonly country: string | null
  readonly latitude: number | null
  readonly longitude: number | null
}

/** A place as an address: its fields can be posted to `/client-data/addresses` as they are. */
export const PlaceAddress = Schema.Struct({
  placeId: PlaceId,
  street1: Schema.NullOr(Schema.String).annotate({ description: "null for a place without a street, as a town" }),
  street2: Schema.NullOr(Schema.String),
  city: Schema.NullOr(Schema.String),
  state: Schema.NullOr(Schema.String),
  zip: Schema.NullOr(Schema.String),
  country: Schema.NullOr(Schema.String),
  latitude: Schema.NullOr(Schema.Finite),
  longitude: Schema.NullOr(Schema.Finite),
  formatted: Schema.String.annotate({ description: "For showing; the provider's own wording" })
}).annotate({
  identifier: "PlaceAddress",
  examples: [
    {
      placeId: PlaceId.make("gb-london-baker-street"),
      street1: "221b Baker Street",
      street2: null,
      city: "London",
      state: null,
      zip: "NW1 6XE",
      country: "GB",
      latitude: 51.5237,
      longitude: -0.1585,
      formatted: "Baker Street, London NW1 6XE, GB"
    }
  ]
})
export type PlaceAddress = typeof PlaceAddress.Type

export class PlaceNotFound extends Problem<PlaceNotFound>()("PlaceNotFound", {
  code: "place_not_found",
  status: 404,
  title: "Place not found",
  detail: "There is no such place, or no longer."
}) {}

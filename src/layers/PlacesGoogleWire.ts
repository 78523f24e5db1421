import { Schema } from "effect"
import { ProviderError, ProviderUnavailable } from "../domain/Integration.ts"
import { type FoundPlace, PlaceId, type Prediction } from "../domain/Place.ts"

/** What Google Places says and is asked for: field names of google.maps.places.v1. */
export const suggestionFields =
  "suggestions.placePrediction.placeId,suggestions.placePrediction.text.text,suggestions.placePrediction.structuredFormat"
export const placeFields = "id,formattedAddress,postalAddress,location,addressComponents"

const text = Schema.optionalKey(Schema.String)
const Formatted = Schema.Struct({ text: Schema.String })

/** No suggestion at all is `{}`. */
export const Suggestions = Schema.Struct({
  suggestions: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        placePrediction: Schema.optionalKey(
          Schema.Struct({
            placeId: Schema.String,
            text: Formatted,
            structuredFormat: Schema.optionalKey(
              Schema.Struct({
                mainText: Schema.optionalKey(Formatted),
                secondaryText: Schema.optionalKey(Formatted)
              })
            )
          })
        )
      })
    )
  )
})

export const Place = Schema.Struct({
  id: PlaceId,
  formattedAddress: text,
  location: Schema.optionalKey(Schema.Struct({ latitude: Schema.Finite, longitude: Schema.Finite })),
  postalAddress: Schema.optionalKey(
    Schema.Struct({
      regionCode: text,
      postalCode: text,
      administrativeArea: text,
      locality: text,
      addressLines: Schema.optionalKey(Schema.Array(Schema.String))
    })
  ),
  addressComponents: Schema.optionalKey(
    Schema.Array(Schema.Struct({ longText: text, types: Schema.optionalKey(Schema.Array(Schema.String)) }))
  )
})

/** google.rpc.Status, as the body of every refusal. */
export const Status = Schema.Struct({
  error: Schema.Struct({
    message: text,
    details: Schema.optionalKey(Schema.Array(Schema.Struct({ reason: text })))
  })
})

export type Refusal = (typeof Status.Type)["error"] & {
  readonly status: number
  readonly retryAfter: string | undefined
}

export const reasonOf = ({ details }: Refusal) => details?.find(({ reason }) => reason !== undefined)?.reason

/** An id that never was is a 400, one that no longer is a 404. */
export const isUnknownPlace = ({ message, status }: Refusal) =>
  status === 404 || (status === 400 && /place id/i.test(message ?? ""))

/** Throttled: later. Anything else (a bad key, no billing, a field it does not know) waits for the operator. */
export const failureOf = ({ retryAfter, status }: Refusal): ProviderError | ProviderUnavailable => {
  if (status !== 429) return new ProviderError()
  const seconds = /^\d{1,5}$/.test(retryAfter ?? "") ? Number(retryAfter) : 30
  return new ProviderUnavailable({ retryAfter: Math.min(Math.max(seconds, 1), 3600) })
}

const isPlaceId = Schema.is(PlaceId)

export const predictionsOf = ({ suggestions = [] }: typeof Suggestions.Type): ReadonlyArray<Prediction> =>
  suggestions.flatMap(({ placePrediction: found }) =>
    found === undefined || !isPlaceId(found.placeId)
      ? []
      : [
          {
            placeId: found.placeId,
            description: found.text.text,
            mainText: found.structuredFormat?.mainText?.text ?? found.text.text,
            secondaryText: found.structuredFormat?.secondaryText?.text ?? ""
          }
        ]
  )

export const foundOf = (place: typeof Place.Type): FoundPlace => {
  const component = (type: string) =>
    place.addressComponents?.find(({ types }) => types?.includes(type) === true)?.longText ?? null
  const address = place.postalAddress
  return {
    placeId: place.id,
    formatted: place.formattedAddress ?? "",
    lines: address?.addressLines ?? [],
    street: component("route"),
    houseNumber: component("street_number"),
    unit: component("subpremise"),
    city: address?.locality ?? component("locality") ?? component("postal_town"),
    state: address?.administrativeArea ?? null,
    zip: address?.postalCode ?? null,
    country: address?.regionCode ?? null,
    latitude: place.location?.latitude ?? null,
    longitude: place.location?.longitude ?? null
  }
}

import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import {
  Address,
  AddressesPage,
  AddressesQuery,
  AddressId,
  AddressNotFound,
  AddressUpsert
} from "../../domain/Address.ts"
import { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../../domain/Integration.ts"
import { PlaceAddress, PlaceNotFound, Predictions, SessionToken, Typed } from "../../domain/Place.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { CallsOut } from "../IdempotencyKeys.ts"
import { Guarded } from "../RateLimits.ts"
import { changeHeaders, createdOf, recordOf, writeHeaders } from "../Records.ts"

const params = { addressId: AddressId }
const providerFailures = [IntegrationNotConfigured, ProviderError, ProviderUnavailable] as const

// What is no place id is no place, so it is not refused here: a longer one does not find its way to this route.
const placeId = Schema.String.annotate({ description: "The placeId of a prediction" }).check(Schema.isMaxLength(1024))

export class AddressesApi extends HttpApiGroup.make("addresses")
  .add(
    HttpApiEndpoint.get("list", "/", { query: AddressesQuery, success: AddressesPage }).annotate(
      OpenApi.Summary,
      "List the addresses"
    ),
    HttpApiEndpoint.post("upsert", "/", {
      headers: changeHeaders,
      payload: AddressUpsert,
      success: [createdOf(Address), recordOf(Address)],
      error: [AddressNotFound, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Add or change an address",
        description: "With an `id` 200 and changes, else 201."
      })
    ),
    HttpApiEndpoint.post("autocomplete", "/autocomplete", {
      headers: writeHeaders,
      payload: Typed,
      success: Predictions,
      error: providerFailures
    })
      .annotate(OpenApi.Summary, "Guess the place that is being typed")
      .annotate(Guarded, { name: "autocomplete", limit: 60, seconds: 60 })
      .annotate(CallsOut, true),
    HttpApiEndpoint.get("place", "/place/:placeId", {
      params: { placeId },
      query: { sessionToken: Schema.optionalKey(SessionToken) },
      success: PlaceAddress,
      error: [PlaceNotFound, ...providerFailures]
    })
      .annotateMerge(
        OpenApi.annotations({
          summary: "Get a place as an address",
          description: "Ready to be posted, with the house number and unit that were typed."
        })
      )
      .annotate(Guarded, { name: "place", limit: 60, seconds: 60 }),
    HttpApiEndpoint.get("get", "/:addressId", {
      params,
      success: recordOf(Address),
      error: AddressNotFound
    }).annotate(OpenApi.Summary, "Get an address"),
    HttpApiEndpoint.delete("remove", "/:addressId", {
      params,
      headers: changeHeaders,
      success: HttpApiSchema.NoContent,
      error: [AddressNotFound, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Delete an address",
        description: "After the primary one the newest of the rest is primary."
      })
    )
  )
  .prefix("/addresses")
  .annotateMerge(OpenApi.annotations({ title: "Addresses", description: "Where to send things, and whom to bill." })) {}

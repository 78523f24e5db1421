import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Schema } from "effect"
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

export class AddressesApi extends HttpApiGroup.make("addresses")
  .add(
    HttpApiEndpoint.get("list", "/", { query: AddressesQuery, success: AddressesPage }),
    HttpApiEndpoint.post("upsert", "/", {
      headers: changeHeaders,
      payload: AddressUpsert,
      success: [createdOf(Address), recordOf(Address)],
      error: [AddressNotFound, VersionMismatch]
    }),
    HttpApiEndpoint.post("autocomplete", "/autocomplete", {
      headers: writeHeaders,
      payload: Typed,
      success: Predictions,
      error: providerFailures
    })
      .annotate(Guarded, { name: "autocomplete", limit: 60, seconds: 60 })
      .annotate(CallsOut, true),
    HttpApiEndpoint.get("place", "/place/:placeId", {
      // Whatever it looks like: what is no place id is no place.
      params: { placeId: Schema.String.annotate({ description: "The placeId of a prediction" }) },
      query: { sessionToken: Schema.optionalKey(SessionToken) },
      success: PlaceAddress,
      error: [PlaceNotFound, ...providerFailures]
    }).annotate(Guarded, { name: "place", limit: 60, seconds: 60 }),
    HttpApiEndpoint.get("get", "/:addressId", { params, success: recordOf(Address), error: AddressNotFound }),
    HttpApiEndpoint.delete("remove", "/:addressId", {
      params,
      headers: changeHeaders,
      success: HttpApiSchema.NoContent,
      error: [AddressNotFound, VersionMismatch]
    })
  )
  .prefix("/addresses")
  .annotateMerge(OpenApi.annotations({ title: "Addresses", description: "Where to send things, and whom to bill." })) {}

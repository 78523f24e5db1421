import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Addresses } from "../../services/Addresses.ts"
import { AddressLookup } from "../../services/AddressLookup.ts"
import { Api } from "../Api.ts"
import { Created, versioned } from "../Records.ts"

export const AddressesHandlers = HttpApiBuilder.group(
  Api,
  "addresses",
  Effect.fn(function* (handlers) {
    const addresses = yield* Addresses
    const lookup = yield* AddressLookup

    return handlers.handleAll({
      list: ({ query }) => addresses.list(query),
      get: ({ params }) => Effect.map(addresses.get(params.addressId), versioned),
      upsert: ({ headers, payload }) =>
        Effect.map(addresses.upsert(payload, headers["if-match"]), ({ address, made }) =>
          made ? new Created(address, `/client-data/addresses/${address.id}`) : versioned(address)
        ),
      remove: ({ headers, params }) => addresses.remove(params.addressId, headers["if-match"]),
      autocomplete: ({ payload }) => lookup.predict(payload),
      place: ({ params, query }) => lookup.find(params.placeId, query.sessionToken)
    })
  })
)

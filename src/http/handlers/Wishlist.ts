import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Products } from "../../services/Products.ts"
import { Wishlist } from "../../services/Wishlist.ts"
import { Api } from "../Api.ts"
import { Created, versioned } from "../Records.ts"

export const WishlistHandlers = HttpApiBuilder.group(
  Api,
  "wishlist",
  Effect.fn(function* (handlers) {
    const wishlist = yield* Wishlist

    return handlers.handleAll({
      list: ({ query }) => wishlist.list(query),
      add: ({ params }) =>
        Effect.map(wishlist.add(params.productId), ({ added, item }) =>
          added ? new Created(item, `/client-data/wishlist/${item.productId}`) : item
        ),
      remove: ({ params }) => wishlist.remove(params.productId)
    })
  })
)

export const PlatformProductsHandlers = HttpApiBuilder.group(
  Api,
  "platformProducts",
  Effect.fn(function* (handlers) {
    const products = yield* Products

    return handlers.handleAll({
      push: ({ headers, params, payload }) =>
        Effect.map(products.push(params.productId, payload, headers["if-match"]), versioned)
    })
  })
)

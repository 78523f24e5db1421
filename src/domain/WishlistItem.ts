import { Schema } from "effect"
import { Money } from "./Money.ts"
import { listQuery, pageOf } from "./Page.ts"
import { ProductId } from "./Product.ts"
import { Timestamp } from "./Timestamp.ts"

export const WishlistItem = Schema.Struct({
  productId: ProductId,
  sku: Schema.String,
  name: Schema.String,
  price: Money.annotate({ description: "What it costs now" }),
  priceWhenAdded: Money.annotate({ description: "What it cost when it was added" }),
  image: Schema.NullOr(Schema.String),
  available: Schema.Boolean.annotate({ description: "false once the product is withdrawn" }),
  addedAt: Timestamp
}).annotate({ identifier: "WishlistItem" })
export type WishlistItem = typeof WishlistItem.Type

/** Fields that a wishlist sorts by. */
export const wishlistSorts = {
  addedAt: "instant",
  productId: "text",
  name: "text",
  sku: "text",
  price: "integer"
} as const

export const WishlistQuery = Schema.Struct(listQuery(wishlistSorts, "addedAt"))
export type WishlistQuery = typeof WishlistQuery.Type

export const WishlistPage = pageOf("WishlistPage", WishlistItem)

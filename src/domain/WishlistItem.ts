import { Schema } from "effect"
import { example } from "./Example.ts"
import { Money } from "./Money.ts"
import { listQuery, pageOf } from "./Page.ts"
import { ProductId } from "./Product.ts"
import { Timestamp } from "./Timestamp.ts"

export const WishlistItem = Schema.Struct({
  productId: ProductId,
  sku: Schema.String,
  name: Schema.String,
  price: Money.annotateKey({ description: "What it costs now" }),
  priceWhenAdded: Money.annotateKey({ description: "What it cost when it was added" }),
  image: Schema.NullOr(Schema.String),
  available: Schema.Boolean.annotate({ description: "false once the product is withdrawn" }),
  addedAt: Timestamp
}).annotate({
  identifier: "WishlistItem",
  examples: [
    example({
      productId: ProductId.make("slide-rule"),
      sku: "SR-10",
      name: "Slide rule",
      price: { amount: 8900, currency: "USD" },
      priceWhenAdded: { amount: 9900, currency: "USD" },
      image: "https://shop.example/slide-rule.jpg",
      available: true,
      addedAt: new Date("2026-11-02T17:31:02.118Z")
    })
  ]
})
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

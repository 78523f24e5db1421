import { Schema } from "effect"
import { example } from "./Example.ts"
import { PlatformId } from "./Ids.ts"
import { Money } from "./Money.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"
import { Url } from "./Url.ts"

export const ProductId = PlatformId.pipe(Schema.brand("ProductId"))
export type ProductId = typeof ProductId.Type

export const Product = Schema.Struct({
  id: ProductId,
  sku: Schema.String,
  name: Schema.String,
  price: Money,
  image: Schema.NullOr(Schema.String),
  available: Schema.Boolean,
  version: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp
}).annotate({
  identifier: "Product",
  examples: [
    example({
      id: ProductId.make("slide-rule"),
      sku: "SR-10",
      name: "Slide rule",
      price: { amount: 8900, currency: "USD" },
      image: "https://shop.example/slide-rule.jpg",
      available: true,
      version: 3,
      createdAt: new Date("2026-11-02T17:31:02.118Z"),
      updatedAt: new Date("2026-11-23T10:00:00.000Z")
    })
  ]
})
export type Product = typeof Product.Type

/** A product as the platform pushes it; the platform's id is in the path. */
export const ProductPush = Schema.Struct({
  sku: Text(1, 100),
  name: Text(1, 500),
  price: Money,
  image: Schema.optionalKey(Schema.NullOr(Url)),
  available: Schema.Boolean
}).annotate({
  identifier: "ProductPush",
  examples: [{ sku: "SR-10", name: "Slide rule", price: { amount: 8900, currency: "USD" }, available: true }]
})
export type ProductPush = typeof ProductPush.Type

export class ProductNotFound extends Problem<ProductNotFound>()("ProductNotFound", {
  code: "product_not_found",
  status: 404,
  title: "Product not found",
  detail: "There is no such product."
}) {}

import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Product, ProductId, ProductNotFound, ProductPush } from "../../domain/Product.ts"
import { Text } from "../../domain/Text.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { WishlistItem, WishlistPage, WishlistQuery } from "../../domain/WishlistItem.ts"
import { changeHeaders, createdOf, recordOf, writeHeaders } from "../Records.ts"

const params = { productId: Text(1, 128, "The product's id or sku") }

export class WishlistApi extends HttpApiGroup.make("wishlist")
  .add(
    HttpApiEndpoint.get("list", "/", { query: WishlistQuery, success: WishlistPage }).annotate(
      OpenApi.Summary,
      "List the wishlist"
    ),
    HttpApiEndpoint.post("add", "/:productId", {
      params,
      headers: writeHeaders,
      success: [createdOf(WishlistItem), WishlistItem],
      error: ProductNotFound
    }).annotateMerge(
      OpenApi.annotations({ summary: "Add to the wishlist", description: "200 when the product is there already." })
    ),
    HttpApiEndpoint.delete("remove", "/:productId", {
      params,
      headers: writeHeaders,
      success: HttpApiSchema.NoContent
    }).annotateMerge(
      OpenApi.annotations({ summary: "Remove from the wishlist", description: "204 also when it is not there." })
    )
  )
  .prefix("/wishlist")
  .annotateMerge(OpenApi.annotations({ title: "Wishlist", description: "Products saved for later." })) {}

export class PlatformProductsApi extends HttpApiGroup.make("platformProducts")
  .add(
    HttpApiEndpoint.put("push", "/:productId", {
      params: { productId: ProductId },
      headers: changeHeaders,
      payload: ProductPush,
      success: recordOf(Product),
      error: VersionMismatch
    }).annotate(OpenApi.Summary, "Push a product")
  )
  .prefix("/products")
  .annotateMerge(OpenApi.annotations({ title: "Platform: products", description: "How the catalogue gets in." })) {}

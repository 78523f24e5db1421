import { Context, Effect, Layer, Schema } from "effect"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { Product, type ProductId, type ProductPush } from "../domain/Product.ts"
import { PlatformSql } from "./Database.ts"

export class Products extends Context.Service<
  Products,
  {
    /** Creates or replaces the platform's product; the same push again changes nothing. */
    readonly push: (id: ProductId, product: ProductPush) => Effect.Effect<Product, never, CurrentPlatform>
  }
>()("portico/services/Products") {
  static readonly layer = Layer.effect(
    Products,
    Effect.gen(function* () {
      const sql = yield* PlatformSql
      const decode = Schema.decodeUnknownEffect(Product)

      const push = Effect.fn("Products.push")(function* (id: ProductId, product: ProductPush) {
        const { orgId } = yield* CurrentPlatform
        const { available, image = null, name, price, sku } = product
        const [row] = yield* sql`
          INSERT INTO products (org_id, id, sku, name, price, currency, image, available)
          VALUES (${orgId}, ${id}, ${sku}, ${name}, ${price.amount}::bigint, ${price.currency}, ${image}, ${available})
          ON CONFLICT (org_id, id) DO UPDATE SET
            sku = excluded.sku, name = excluded.name, price = excluded.price, currency = excluded.currency,
            image = excluded.image, available = excluded.available
          RETURNING id, sku, name, jsonb_build_object('amount', price, 'currency', currency) AS price, image, available,
            version, created_at, updated_at`
        return yield* decode(row)
      }, Effect.orDie)

      return Products.of({ push })
    })
  )
}

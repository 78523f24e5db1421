import { Context, Effect, Layer, Schema } from "effect"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { Product, type ProductId, type ProductPush } from "../domain/Product.ts"
import { type IfMatch, VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { PlatformSql } from "./Database.ts"

export class Products extends Context.Service<
  Products,
  {
    /** Creates or replaces the platform's product; the same push again changes nothing. */
    readonly push: (
      id: ProductId,
      product: ProductPush,
      ifMatch?: typeof IfMatch.Type
    ) => Effect.Effect<Product, VersionMismatch, CurrentPlatform>
  }
>()("portico/services/Products") {
  static readonly layer = Layer.effect(
    Products,
    Effect.gen(function* () {
      const sql = yield* PlatformSql
      const decode = Schema.decodeUnknownEffect(Product)

      const push = Effect.fn("Products.push")(function* (
        id: ProductId,
        product: ProductPush,
        ifMatch?: typeof IfMatch.Type
      ) {
        const { orgId } = yield* CurrentPlatform
        const { available, image = null, name, price, sku } = product
        const [row] = yield* sql`
          INSERT INTO products (org_id, id, sku, name, price, currency, image, available)
          SELECT ${orgId}, ${id}, ${sku}, ${name}, ${price.amount}::bigint, ${price.currency}, ${image},
            ${available}::boolean
          ${ifMatch === undefined ? sql.literal("") : sql`WHERE EXISTS (SELECT FROM products WHERE org_id = ${orgId} AND id = ${id})`}
          ON CONFLICT (org_id, id) DO UPDATE SET
            sku = excluded.sku, name = excluded.name, price = excluded.price, currency = excluded.currency,
            image = excluded.image, available = excluded.available
          WHERE ${versionsLiteral(ifMatch)}::text IS NULL OR products.version = ANY (${versionsLiteral(ifMatch)}::text::int[])
          RETURNING id, sku, name, jsonb_build_object('amount', price, 'currency', currency) AS price, image, available,
            version, created_at, updated_at`.pipe(Effect.orDie)
        if (row === undefined) return yield* new VersionMismatch()
        return yield* Effect.orDie(decode(row))
      })

      return Products.of({ push })
    })
  )
}

import { Context, Effect, Layer, Schema } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import { ProductNotFound } from "../domain/Product.ts"
import { WishlistItem, type WishlistQuery } from "../domain/WishlistItem.ts"
import { CustomerSql } from "./Database.ts"
import { paginate } from "./Paging.ts"

export const wishlistColumns = `
  id AS product_id, sku, name, image, available, added_at,
  jsonb_build_object('amount', price, 'currency', currency) AS price,
  jsonb_build_object('amount', price_when_added, 'currency', currency_when_added) AS price_when_added`

export class Wishlist extends Context.Service<
  Wishlist,
  {
    /** Newest first, unless the query sorts otherwise. */
    readonly list: (query: WishlistQuery) => Effect.Effect<Page<WishlistItem>, InvalidRequest, CurrentCustomer>
    /** By the product's id or sku; `added` is false when it was there already. */
    readonly add: (
      idOrSku: string
    ) => Effect.Effect<{ readonly item: WishlistItem; readonly added: boolean }, ProductNotFound, CurrentCustomer>
    readonly remove: (idOrSku: string) => Effect.Effect<void, never, CurrentCustomer>
  }
>()("portico/services/Wishlist") {
  static readonly layer = Layer.effect(
    Wishlist,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const decode = Schema.decodeUnknownEffect(WishlistItem)

      const columns = sql.literal(wishlistColumns)

      const list = Effect.fn("Wishlist.list")(function* (query: WishlistQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        return yield* paginate({
          sql,
          query,
          sorts: {
            addedAt: { type: "instant", column: "wishlist_items.added_at" },
            productId: { type: "text", column: "products.id" },
            name: { type: "text", column: "products.name" },
            sku: { type: "text", column: "products.sku" },
            price: { type: "integer", column: "products.price" }
          },
          byDefault: "addedAt",
          item: WishlistItem,
          columns: sql`id, ${columns}`,
          from: sql`
            wishlist_items JOIN products USING (org_id)
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND products.id = product_id`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      const add = Effect.fn("Wishlist.add")(function* (idOrSku: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql<{ readonly added: boolean }>`
          WITH product AS (
            SELECT * FROM products WHERE org_id = ${orgId} AND (id = ${idOrSku} OR sku = ${idOrSku})
            ORDER BY (id = ${idOrSku}) DESC, id LIMIT 1
          ), item AS (
            INSERT INTO wishlist_items AS held (org_id, customer_id, product_id, price_when_added, currency_when_added)
            SELECT org_id, ${customerId}, id, price, currency FROM product
            ON CONFLICT (org_id, customer_id, product_id) DO UPDATE SET added_at = held.added_at
            RETURNING price_when_added, currency_when_added, added_at, xmax = 0 AS added
          )
          SELECT added, ${columns} FROM product, item`.pipe(Effect.orDie)
        if (row === undefined) return yield* new ProductNotFound()
        return { item: yield* Effect.orDie(decode(row)), added: row.added }
      })

      const remove = Effect.fn("Wishlist.remove")(function* (idOrSku: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          DELETE FROM wishlist_items
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND product_id = coalesce(
            (SELECT id FROM products WHERE org_id = ${orgId} AND (id = ${idOrSku} OR sku = ${idOrSku})
             ORDER BY (id = ${idOrSku}) DESC, id LIMIT 1), ${idOrSku})`
      }, Effect.orDie)

      return Wishlist.of({ list, add, remove })
    })
  )
}

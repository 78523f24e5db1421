import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { OrgId } from "../../src/domain/Ids.ts"
import { ProductId, type ProductPush } from "../../src/domain/Product.ts"
import type { WishlistQuery } from "../../src/domain/WishlistItem.ts"
import { Products } from "../../src/services/Products.ts"
import { Wishlist } from "../../src/services/Wishlist.ts"
import { as, asPlatform, type Customer, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const usd = (amount: number) => ({ amount, currency: "USD" })
const push = (orgId: OrgId, id: string, more: Partial<ProductPush> = {}) =>
  Products.use((products) =>
    products.push(ProductId.make(id), {
      sku: `sku-${id}`,
      name: `The ${id}`,
      price: usd(1000),
      available: true,
      ...more
    })
  ).pipe(asPlatform(orgId))
const add = (customer: Customer, idOrSku: string) =>
  Wishlist.use((wishlist) => wishlist.add(idOrSku)).pipe(as(customer))
const remove = (customer: Customer, idOrSku: string) =>
  Wishlist.use((wishlist) => wishlist.remove(idOrSku)).pipe(as(customer))
const list = (customer: Customer, query: WishlistQuery = {}) =>
  Wishlist.use((wishlist) => wishlist.list(query)).pipe(as(customer))
const idsOf = (customer: Customer, query: WishlistQuery = {}) =>
  Effect.map(list(customer, query), ({ data }) => data.map(({ productId }) => String(productId)))

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A wishlist", () => {
    it.effect("keeps a product once, with its price then and now", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "lamp", { image: "https://acme.example/lamp.png" })
        const first = yield* add(ada, "lamp")
        yield* push(acme, "lamp", { price: usd(1500), image: "https://acme.example/lamp.png" })

        const again = yield* add(ada, "lamp")
        const { data, total } = yield* list(ada)

        assert.deepStrictEqual([first.added, again.added, total], [true, false, 1])
        assert.deepStrictEqual(data, [again.item])
        assert.deepStrictEqual(again.item, { ...first.item, price: usd(1500), priceWhenAdded: usd(1000) })
      })
    )

    it.effect("takes a product's sku for its id, and prefers the id where both exist", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "one", { sku: "two" })
        yield* push(acme, "two", { sku: "three" })

        const bySku = yield* add(ada, "three")
        const byId = yield* add(ada, "two")

        assert.deepStrictEqual([bySku.item.productId, byId.item.productId, byId.added], ["two", "two", false])
      })
    )

    it.effect("shows a withdrawn product as unavailable", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "lamp")
        yield* add(ada, "lamp")

        yield* push(acme, "lamp", { available: false })
        const { data } = yield* list(ada)

        assert.deepStrictEqual(
          data.map(({ available }) => available),
          [false]
        )
      })
    )

    it.effect("loses a product when it is removed, and removing it again changes nothing", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "lamp")
        yield* push(acme, "desk")
        yield* add(ada, "lamp")
        yield* add(ada, "desk")

        yield* remove(ada, "sku-lamp")
        yield* remove(ada, "lamp")
        yield* remove(ada, "never-was")

        assert.deepStrictEqual(yield* idsOf(ada), ["desk"])
      })
    )

    for (const [guard, set] of TestServices.guards) {
      it.effect(`is nobody else's: strangers see and remove nothing of it, by ${guard}`, () =>
        Effect.gen(function* () {
          const { acme, ada, eve, mallory, namesake, other } = yield* people
          yield* push(acme, "lamp")
          yield* push(other, "lamp")
          yield* add(ada, "lamp")
          yield* set

          for (const stranger of [eve, mallory, namesake]) yield* remove(stranger, "lamp")
          const seen = yield* Effect.forEach([eve, mallory, namesake], (stranger) => idsOf(stranger))

          assert.deepStrictEqual(seen, [[], [], []])
          assert.deepStrictEqual(yield* idsOf(ada), ["lamp"])
        })
      )
    }

    it.effect("takes no product of another org, nor one that does not exist", () =>
      Effect.gen(function* () {
        const { ada, other } = yield* people
        yield* push(other, "foreign")

        const foreign = yield* Effect.flip(add(ada, "foreign"))
        const missing = yield* Effect.flip(add(ada, "missing"))

        assert.deepStrictEqual([foreign._tag, missing._tag], ["ProductNotFound", "ProductNotFound"])
        assert.deepStrictEqual(yield* idsOf(ada), [])
      })
    )

    it.effect("holds one row after a hundred parallel adds, one of which added it", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* push(acme, "lamp")

        const all = yield* Effect.all(
          Array.from({ length: 100 }, () => add(ada, "lamp")),
          { concurrency: "unbounded" }
        )

        assert.strictEqual(all.filter(({ added }) => added).length, 1)
        assert.deepStrictEqual(yield* idsOf(ada), ["lamp"])
      })
    )

    it.effect("sorts by each of its fields, and its cursors walk all of it", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        for (const [id, price] of [
          ["b", 3],
          ["a", 3],
          ["c", 1]
        ] as const) {
          yield* push(acme, id, { price: usd(price) })
          yield* add(ada, id)
        }

        const byPrice = yield* idsOf(ada, { s: "price", st: "asc" })
        const byName = yield* idsOf(ada, { s: "name", st: "desc" })
        const first = yield* list(ada, { s: "price", st: "asc", ps: 2 })
        const rest = yield* list(ada, { ps: 2, cursor: first.nextCursor! })

        assert.deepStrictEqual(
          [byPrice, byName],
          [
            ["c", "a", "b"],
            ["c", "b", "a"]
          ]
        )
        assert.deepStrictEqual(
          [...first.data, ...rest.data].map(({ productId }) => String(productId)),
          byPrice
        )
      })
    )
  })

  describe("A product", () => {
    it.effect("that is pushed again unchanged keeps its version", () =>
      Effect.gen(function* () {
        const { acme } = yield* people
        const first = yield* push(acme, "lamp")

        const same = yield* push(acme, "lamp")
        const dearer = yield* push(acme, "lamp", { price: usd(2000) })

        assert.deepStrictEqual(same, first)
        assert.deepStrictEqual([dearer.version, dearer.price], [2, usd(2000)])
      })
    )
  })
})

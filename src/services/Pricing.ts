import { Clock, Context, Effect, Layer, Schema } from "effect"
import { BenefitId, Perks } from "../domain/Benefit.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import { type Basket, price, type PricedBasket } from "../domain/Pricing.ts"
import { PlatformSql } from "./Database.ts"
import { isOver } from "./EnrollmentRows.ts"

export class Pricing extends Context.Service<
  Pricing,
  {
    /** What a basket costs the customer, by the active programmes that they have an active enrollment in. */
    readonly price: (basket: Basket) => Effect.Effect<PricedBasket, CustomerNotFound, CurrentPlatform>
  }
>()("portico/services/Pricing") {
  static readonly layer = Layer.effect(
    Pricing,
    Effect.gen(function* () {
      const sql = yield* PlatformSql
      const decode = Schema.decodeUnknownEffect(
        Schema.Array(Schema.Struct({ id: BenefitId, title: Schema.String, perks: Perks }))
      )

      const selectCounting = (orgId: string, customerId: string, now: Date) => sql<{ readonly benefits: unknown }>`
        SELECT (
          SELECT coalesce(jsonb_agg(jsonb_build_object('id', benefits.id, 'title', title, 'perks', perks)), '[]')
          FROM enrollments JOIN benefits ON benefits.org_id = enrollments.org_id AND benefits.id = benefit_id
          WHERE enrollments.org_id = ${orgId} AND customer_id = customers.id AND active
            AND status = 'active' AND NOT ${isOver(sql, now)}) AS benefits
        FROM customers WHERE org_id = ${orgId} AND id = ${customerId} AND erased_at IS NULL`

      return Pricing.of({
        price: Effect.fn("Pricing.price")(
          function* ({ customerId, ...basket }: Basket) {
            const { orgId } = yield* CurrentPlatform
            const now = new Date(yield* Clock.currentTimeMillis)
            const [customer] = yield* selectCounting(orgId, customerId, now)
            if (customer === undefined) return yield* new CustomerNotFound()
            return price(basket, yield* decode(customer.benefits))
          },
          Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
        )
      })
    })
  )
}

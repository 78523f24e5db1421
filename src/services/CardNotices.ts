import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { PlatformSql, transaction } from "./Database.ts"
import { Notices } from "./Notices.ts"

const atOnce = 100

/** Tells customers of cards that are about to expire, each card and month once. */
export class CardNotices extends Context.Service<
  CardNotices,
  {
    /** Answers how many customers' cards there were to tell of. */
    readonly tellDue: Effect.Effect<number>
    /** Does so every day. */
    readonly work: Effect.Effect<never>
  }
>()("portico/services/CardNotices") {
  static readonly layer = Layer.effect(
    CardNotices,
    Effect.gen(function* () {
      const ownerSql = yield* SqlClient.SqlClient
      const sql = yield* PlatformSql
      const notices = yield* Notices

      // In the last month that a card is good for and in the one before, as its `status` has it. A card that another
      // replica is telling of makes this one wait, and is not its to tell of then.
      const claim = CurrentPlatform.use(
        ({ orgId }) => sql<Due>`
          WITH due AS (
            SELECT cards.customer_id, cards.id, last4, exp_month, exp_year
            FROM payment_methods AS cards JOIN customers ON customers.org_id = cards.org_id
              AND customers.id = cards.customer_id AND erased_at IS NULL
            WHERE cards.org_id = ${orgId} AND type = 'card'
              AND make_date(exp_year, exp_month, 1) <= now() AT TIME ZONE 'UTC' + interval '1 month'
              AND make_date(exp_year, exp_month, 1) + interval '1 month' > now() AT TIME ZONE 'UTC'
              AND NOT EXISTS (
                SELECT 1 FROM card_notices AS told WHERE told.org_id = ${orgId} AND told.customer_id = cards.customer_id
                  AND payment_method_id = cards.id AND expires = exp_year || '-' || exp_month)
            ORDER BY cards.customer_id, cards.id LIMIT ${atOnce}
          ), claimed AS (
            INSERT INTO card_notices (org_id, customer_id, payment_method_id, expires)
            SELECT ${orgId}, customer_id, id, exp_year || '-' || exp_month FROM due
            ON CONFLICT DO NOTHING
            RETURNING payment_method_id
          )
          SELECT customer_id, id, last4, exp_month AS month, exp_year AS year
          FROM due JOIN claimed ON payment_method_id = id`
      )

      const tellBatch = Effect.gen(function* () {
        const due = yield* claim
        for (const { customerId, id, last4, month, year } of due) {
          yield* notices.tell({
            customerId,
            template: "cardExpiring",
            facts: { last4, month, year },
            data: { paymentMethodId: id },
            link: "/payment-methods"
          })
        }
        return due.length
      }).pipe(transaction(sql), Effect.orDie)

      const tellOrg = (orgId: OrgId): Effect.Effect<number> =>
        tellBatch.pipe(
          Effect.provideService(CurrentPlatform, { orgId }),
          Effect.flatMap((told) =>
            told < atOnce ? Effect.succeed(told) : Effect.map(tellOrg(orgId), (more) => told + more)
          )
        )

      const tellDue = Effect.gen(function* () {
        const orgs = yield* ownerSql<{ readonly id: OrgId }>`SELECT id FROM orgs ORDER BY id`
        const told = yield* Effect.forEach(orgs, ({ id }) =>
          tellOrg(id).pipe(
            // One that fails keeps no other waiting, and is tried again the next day.
            Effect.catchCause((cause) => Effect.as(Effect.logWarning("Telling of expiring cards failed", cause), 0))
          )
        )
        return told.reduce((sum, count) => sum + count, 0)
      }).pipe(Effect.orDie, Effect.withSpan("CardNotices.tellDue"))

      const work = tellDue.pipe(
        Effect.catchCause((cause) => Effect.logWarning("Telling of expiring cards failed", cause)),
        Effect.delay("1 minute"),
        Effect.andThen(Effect.sleep("1 day")),
        Effect.forever
      )

      return CardNotices.of({ tellDue, work })
    })
  )
}

interface Due {
  readonly customerId: CustomerId
  readonly id: string
  readonly last4: string
  readonly month: number
  readonly year: number
}

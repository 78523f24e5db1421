import { Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { followed, InvalidSignature, type StripeEvent } from "../domain/StripeEvent.ts"
import { CardVault } from "./CardVault.ts"
import { PlatformSql, transaction } from "./Database.ts"
import { PaymentSettlement } from "./PaymentSettlement.ts"
import { StripeEvents } from "./StripeEvents.ts"

export class PaymentEvents extends Context.Service<
  PaymentEvents,
  {
    /**
     * Takes in what Stripe reports, each event once. What an event says may be older than what we know, so it only says
     * whose payment methods to compare with Stripe again: now, or when Stripe can be reached.
     */
    readonly receive: (
      orgId: string,
      body: Uint8Array,
      signature: string | undefined
    ) => Effect.Effect<void, InvalidSignature>
  }
>()("portico/services/PaymentEvents") {
  static readonly layer = Layer.effect(
    PaymentEvents,
    Effect.gen(function* () {
      const platformSql = yield* PlatformSql
      const sql = yield* SqlClient.SqlClient
      const events = yield* StripeEvents
      const cards = yield* CardVault
      const settlement = yield* PaymentSettlement

      const orgExists = CurrentPlatform.use(({ orgId }) =>
        platformSql`SELECT 1 FROM orgs WHERE id = ${orgId}`.pipe(
          Effect.orDie,
          Effect.map((rows) => rows.length > 0)
        )
      )

      const selectOwner = Effect.fnUntraced(function* ({ data: { object, previous_attributes }, type }: StripeEvent) {
        const { orgId } = yield* CurrentPlatform
        const vaultId = (type.startsWith("customer.") ? object.id : object.customer) ?? previous_attributes?.customer
        const [owner] = yield* platformSql<{ readonly customerId: CustomerId }>`
          SELECT customer_id FROM (
            SELECT customer_id FROM payment_customers
            WHERE org_id = ${orgId} AND provider = 'stripe' AND provider_id = ${vaultId ?? null}
            UNION ALL
            SELECT customer_id FROM payment_methods WHERE org_id = ${orgId} AND type = 'card' AND id = ${object.id ?? null}
          ) AS known
          JOIN customers ON customers.org_id = ${orgId} AND customers.id = customer_id AND erased_at IS NULL
          LIMIT 1`
        return owner?.customerId
      })

      const insertEvent = Effect.fnUntraced(function* ({ id }: StripeEvent) {
        const { orgId } = yield* CurrentPlatform
        const rows = yield* platformSql`
          INSERT INTO stripe_events (org_id, id) VALUES (${orgId}, ${id}) ON CONFLICT DO NOTHING RETURNING id`
        return rows.length > 0
      })

      const insertCheck = Effect.fnUntraced(function* (customerId: CustomerId) {
        const { orgId } = yield* CurrentPlatform
        const id = randomUUID()
        yield* platformSql`
          INSERT INTO payment_checks (org_id, customer_id, provider, id, due_at)
          VALUES (${orgId}, ${customerId}, 'stripe', ${id}, now() + interval '5 seconds')`
        return id
      })

      /** Whom to compare with Stripe, written down together with the event: a crash loses both or neither. */
      const takeIn = (event: StripeEvent) =>
        Effect.gen(function* () {
          if (!(yield* insertEvent(event))) return undefined
          const customerId = yield* selectOwner(event)
          return customerId === undefined ? undefined : { customerId, check: yield* insertCheck(customerId) }
        }).pipe(transaction(platformSql), Effect.orDie)

      const receive = Effect.fn("PaymentEvents.receive")(function* (
        org: string,
        body: Uint8Array,
        signature: string | undefined
      ) {
        const orgId = org as OrgId
        const event = yield* events.verify(orgId, body, signature)
        const current = Effect.provideService(CurrentPlatform, { orgId })
        if (!(yield* current(orgExists))) return yield* new InvalidSignature()
        if (event === undefined || !followed.has(event.type)) return
        const due = yield* current(takeIn(event))
        if (due === undefined) return
        yield* cards.learn(event)
        yield* settlement.settle("stripe", [due.check]).pipe(
          Effect.provideService(CurrentCustomer, { orgId, customerId: due.customerId }),
          Effect.catch((error) => Effect.logWarning("Stripe will be compared with later", error._tag))
        )
      })

      yield* sql`DELETE FROM stripe_events WHERE created_at < now() - interval '30 days'`.pipe(
        Effect.ignore,
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )

      return PaymentEvents.of({ receive })
    })
  )
}

import { Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { type Card, CardVault, type ProviderFailure, type VaultGone } from "./CardVault.ts"
import { CustomerSql } from "./Database.ts"
import { paymentRecords } from "./PaymentRecords.ts"
import type { Provider, WantedDefault } from "./PaymentVaults.ts"
import { type PayPalAccount, PayPalVault } from "./PayPalVault.ts"

/** Keeps our rows and the providers in agreement, also when one side was cut off in the middle of something. */
export class PaymentSettlement extends Context.Service<
  PaymentSettlement,
  {
    /** Tells Stripe our default until it knows the last one, whoever else does the same at the same time. */
    readonly mirror: Effect.Effect<void, ProviderFailure, CurrentCustomer>
    /** Makes our rows what the provider's list is, and closes the checks that this was for. */
    readonly settle: (
      provider: Provider,
      checks: ReadonlyArray<string>
    ) => Effect.Effect<void, ProviderFailure, CurrentCustomer>
    /** Settles whatever is due, on any replica: how many customers it was due for. */
    readonly settleDue: Effect.Effect<number>
  }
>()("portico/services/PaymentSettlement") {
  static readonly layer = Layer.effect(
    PaymentSettlement,
    Effect.gen(function* () {
      const cards = yield* CardVault
      const payPal = yield* PayPalVault
      const records = paymentRecords(yield* CustomerSql)
      const sql = yield* SqlClient.SqlClient

      /** Whether Stripe has taken it. */
      const tell = ({ cardId, vaultId }: WantedDefault) =>
        cards.setDefault(vaultId, cardId).pipe(
          Effect.as(true),
          Effect.catchTag("VaultGone", () => Effect.as(records.forgetVault("stripe", vaultId), false)),
          // Its owner or the org has taken it out at Stripe: what is left there decides.
          Effect.catchTag("PaymentMethodNotFound", () => Effect.as(agree("stripe"), false)),
          Effect.tapError(() => records.doubtDefault)
        )

      // Others do the same, and what arrives last counts at Stripe. So whoever has told it something looks whether that is
      // still so, and tells it again if not: the last one to look has told it the last default.
      const mirror = Effect.gen(function* () {
        let wanted: WantedDefault | undefined = yield* records.wantedDefault
        if (wanted?.pending !== true) return
        while (wanted !== undefined) {
          const told: boolean = yield* tell(wanted)
          if (told && (yield* records.mirrored(wanted.version))) return
          const now = yield* records.wantedDefault
          wanted = !told && now?.version === wanted.version ? undefined : now
        }
      }).pipe(Effect.withSpan("PaymentSettlement.mirror"))

      const listed = (provider: Provider, vaultId: string): Effect.Effect<Listed, VaultGone | ProviderFailure> =>
        provider === "paypal"
          ? Effect.map(payPal.list(vaultId), (methods) => ({ methods, defaultId: null }))
          : Effect.all({ methods: cards.list(vaultId), defaultId: cards.defaultOf(vaultId) })

      const agree = Effect.fnUntraced(function* (
        provider: Provider
      ): Effect.fn.Return<boolean, ProviderFailure, CurrentCustomer> {
        const vault = yield* records.vaultOf(provider)
        if (vault === undefined) return true
        return yield* listed(provider, vault.id).pipe(
          Effect.flatMap(({ defaultId, methods }) => records.agree(provider, vault, methods, defaultId)),
          Effect.catchTag("VaultGone", () => Effect.as(records.forgetVault(provider, vault.id), true))
        )
      })

      const settle = Effect.fn("PaymentSettlement.settle")(function* (
        provider: Provider,
        checks: ReadonlyArray<string>
      ): Effect.fn.Return<void, ProviderFailure, CurrentCustomer> {
        const agreed = yield* Effect.repeat(agree(provider), { until: (done) => done, times: 3 })
        if (!agreed) return
        yield* mirror
        if (checks.length > 0) yield* records.closeChecks(provider, checks)
      })

      const claimDue = sql<Due>`
        UPDATE payment_checks SET tries = tries + 1,
          due_at = now() + least(interval '30 seconds' * 2 ^ least(tries, 10), interval '1 hour')
        WHERE (org_id, customer_id, provider, id) IN (
          SELECT org_id, customer_id, provider, id FROM payment_checks
          WHERE due_at <= now() ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED)
        RETURNING org_id, customer_id, provider, id`

      const settleDue = Effect.gen(function* () {
        const due = Map.groupBy(yield* Effect.orDie(claimDue), ({ customerId, orgId, provider }) =>
          [orgId, customerId, provider].join(" ")
        )
        yield* Effect.forEach(
          due.values(),
          (checks) => {
            const { customerId, orgId, provider } = checks[0]!
            return settle(
              provider,
              checks.map(({ id }) => id)
            ).pipe(
              Effect.provideService(CurrentCustomer, { orgId, customerId }),
              Effect.catchCause((cause) => Effect.logWarning("A provider could not be compared with", cause)),
              Effect.annotateLogs({ provider, org: orgId, customer: customerId })
            )
          },
          { concurrency: 4, discard: true }
        )
        return due.size
      }).pipe(Effect.withSpan("PaymentSettlement.settleDue"))

      yield* settleDue.pipe(
        Effect.catchCause((cause) => Effect.logWarning("Payment checks could not be made", cause)),
        Effect.repeat(Schedule.spaced("10 seconds")),
        Effect.forkScoped
      )

      return PaymentSettlement.of({ mirror, settle, settleDue })
    })
  )
}

type Listed = { readonly methods: ReadonlyArray<Card | PayPalAccount>; readonly defaultId: string | null }

type Due = {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly provider: Provider
  readonly id: string
}

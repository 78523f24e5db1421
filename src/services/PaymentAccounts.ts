import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { ProviderError } from "../domain/Integration.ts"
import { PaymentMethodInUse, type PaymentSetup } from "../domain/PaymentMethod.ts"
import type { CardVault, ProviderFailure, VaultGone } from "./CardVault.ts"
import type { paymentRecords } from "./PaymentRecords.ts"
import type { PayPalVault } from "./PayPalVault.ts"

/** The current customer's vaults at the providers: made on first use, one each, and anew when one is gone. */
export const paymentAccounts = (
  sql: SqlClient.SqlClient,
  records: ReturnType<typeof paymentRecords>,
  cards: CardVault["Service"],
  payPal: PayPalVault["Service"]
) => {
  const opening = new Map<string, Effect.Effect<string, ProviderFailure, CurrentCustomer>>()

  const emailOf = CurrentCustomer.use(({ customerId, orgId }) =>
    sql<{ readonly email: string | null }>`
      SELECT email FROM customers WHERE org_id = ${orgId} AND id = ${customerId}`.pipe(
      Effect.orDie,
      Effect.map(([owner]) => owner?.email ?? null)
    )
  )

  // One at a time in this process; across processes the vault sees to it that there is only one.
  const openCardVault = Effect.fnUntraced(function* (gone: string | null) {
    const owner = yield* CurrentCustomer
    const known = yield* records.vaultOf("stripe")
    if (known !== undefined) return known.id
    const key = `${owner.orgId} ${owner.customerId}`
    const open = Effect.gen(function* () {
      const made = yield* cards.open({ ...owner, email: yield* emailOf, gone })
      const vault = yield* records.claimVault("stripe", made)
      return vault === undefined ? yield* new ProviderError() : vault.id
    }).pipe(Effect.ensuring(Effect.sync(() => opening.delete(key))))
    const shared = opening.get(key) ?? (yield* Effect.cached(open))
    opening.set(key, shared)
    return yield* shared
  })

  /** Once more with a new vault, if the customer's is gone. */
  const inCardVault = <A, E>(use: (vaultId: string) => Effect.Effect<A, E | VaultGone, CurrentCustomer>) =>
    Effect.gen(function* () {
      const first = yield* openCardVault(null)
      return yield* Effect.catchIf(use(first), isGone, () =>
        records.forgetVault("stripe", first).pipe(
          Effect.andThen(openCardVault(first)),
          Effect.flatMap(use),
          Effect.catchIf(isGone, () => new ProviderError())
        )
      )
    })

  /** The customer's vault at PayPal, if the approval is for that one or for their first. */
  const approvedVault = Effect.fnUntraced(function* (setupToken: string) {
    const theirs = yield* payPal.vaultOf(setupToken)
    const ours = (yield* records.vaultOf("paypal")) ?? (yield* records.claimVault("paypal", theirs))
    return ours?.id === theirs ? theirs : yield* new PaymentMethodInUse()
  })

  const setupPayPal: Effect.Effect<PaymentSetup, ProviderFailure, CurrentCustomer> = Effect.gen(function* () {
    const owner = yield* CurrentCustomer
    const known = yield* records.vaultOf("paypal")
    const anew = Effect.catchTag(payPal.setup({ ...owner, vaultId: null }), "VaultGone", () => new ProviderError())
    const begun = yield* known === undefined
      ? anew
      : Effect.catchTag(payPal.setup({ ...owner, vaultId: known.id }), "VaultGone", () =>
          Effect.andThen(records.forgetVault("paypal", known.id), anew)
        )
    const vault = yield* records.claimVault("paypal", begun.vaultId)
    // Somebody was faster with a vault of their own, so this approval would be for the wrong one.
    if (vault?.id !== begun.vaultId) return yield* vault === undefined ? new ProviderError() : setupPayPal
    return { provider: "paypal" as const, setupToken: begun.setupToken, approvalUrl: begun.approvalUrl }
  })

  return { inCardVault, approvedVault, setupPayPal }
}

const isGone = (error: unknown): error is VaultGone => (error as { readonly _tag?: string })._tag === "VaultGone"

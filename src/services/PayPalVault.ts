import { Context, type Effect } from "effect"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { ApprovalRequired, PaymentMethodInUse, PaymentMethodNotFound } from "../domain/PaymentMethod.ts"
import type { ProviderFailure, VaultGone } from "./CardVault.ts"

export interface PayPalAccount {
  readonly id: string
  readonly email: string | null
}

/** Keeps the PayPal accounts that our customers have approved to be charged. All within 3 seconds. */
export class PayPalVault extends Context.Service<
  PayPalVault,
  {
    /** Begins an approval. Without a vault PayPal makes one. */
    readonly setup: (owner: {
      readonly orgId: OrgId
      readonly customerId: CustomerId
      readonly vaultId: string | null
    }) => Effect.Effect<
      { readonly setupToken: string; readonly approvalUrl: string; readonly vaultId: string },
      VaultGone | ProviderFailure
    >
    /** Whose vault an approval is for. */
    readonly vaultOf: (setupToken: string) => Effect.Effect<string, PaymentMethodNotFound | ProviderFailure>
    /** Makes an account out of an approval; the same approval again gives the same account. */
    readonly redeem: (
      vaultId: string,
      setupToken: string
    ) => Effect.Effect<PayPalAccount, PaymentMethodNotFound | ApprovalRequired | PaymentMethodInUse | ProviderFailure>
    readonly list: (vaultId: string) => Effect.Effect<ReadonlyArray<PayPalAccount>, VaultGone | ProviderFailure>
    /** Takes an account out of the vault; one that is not in it is left alone. */
    readonly remove: (vaultId: string, accountId: string) => Effect.Effect<void, ProviderFailure>
    /** Takes all accounts out of the vault, for good. */
    readonly forget: (vaultId: string) => Effect.Effect<void, ProviderFailure>
  }
>()("portico/services/PayPalVault") {}

import { Context, Data, type Effect } from "effect"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../domain/Integration.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { CardDeclined, PaymentMethodInUse, PaymentMethodNotFound } from "../domain/PaymentMethod.ts"
import type { StripeEvent } from "../domain/StripeEvent.ts"

/** A provider did not do its part, or nobody knows whether it did. */
export type ProviderFailure = IntegrationNotConfigured | ProviderError | ProviderUnavailable

/** The provider has no such customer any more: somebody deleted it there, or it was another account's. */
export class VaultGone extends Data.TaggedError("VaultGone") {}

export interface VaultOwner {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly email: string | null
  /** The vault that this one takes the place of. */
  readonly gone: string | null
}

export interface Card {
  readonly id: string
  readonly brand: string
  readonly last4: string
  readonly expMonth: number
  readonly expYear: number
}

/** Keeps the cards of our customers, so that we never see their numbers. Everything is done or not within 3 seconds. */
export class CardVault extends Context.Service<
  CardVault,
  {
    /** Makes a customer's vault, and the same one again however often and from wherever it is asked to at once. */
    readonly open: (owner: VaultOwner) => Effect.Effect<string, ProviderFailure>
    /** Puts a card that is nobody's yet into the vault; one that is there already stays. */
    readonly attach: (
      vaultId: string,
      cardId: string
    ) => Effect.Effect<
      Card,
      InvalidRequest | PaymentMethodNotFound | CardDeclined | PaymentMethodInUse | VaultGone | ProviderFailure
    >
    /** Takes a card out of the vault for good; one that is not in it is left alone. */
    readonly detach: (vaultId: string, cardId: string) => Effect.Effect<void, ProviderFailure>
    readonly list: (vaultId: string) => Effect.Effect<ReadonlyArray<Card>, VaultGone | ProviderFailure>
    readonly defaultOf: (vaultId: string) => Effect.Effect<string | null, VaultGone | ProviderFailure>
    /** Which card the provider charges by itself; null: none. */
    readonly setDefault: (
      vaultId: string,
      cardId: string | null
    ) => Effect.Effect<void, PaymentMethodNotFound | VaultGone | ProviderFailure>
    /** A secret with which the browser has a card authenticated and put into the vault. */
    readonly setup: (vaultId: string) => Effect.Effect<string, VaultGone | ProviderFailure>
    /** Deletes the vault with all that is in it, for good; one that is not there is left alone. */
    readonly forget: (vaultId: string) => Effect.Effect<void, ProviderFailure>
    /** Stripe says that something has changed there: news for a stand-in only. */
    readonly learn: (event: StripeEvent) => Effect.Effect<void>
  }
>()("portico/services/CardVault") {}

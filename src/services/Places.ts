import { Context, type Effect } from "effect"
import type { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../domain/Integration.ts"
import type { FoundPlace, PlaceId, PlaceNotFound, Prediction } from "../domain/Place.ts"

export type PlacesFailure = IntegrationNotConfigured | ProviderError | ProviderUnavailable

/** Guesses which place somebody is typing, and knows where it is. Nothing of an answer is kept. */
export class Places extends Context.Service<
  Places,
  {
    /** Look-ups a day that one org may make of a provider that is paid by the look-up. */
    readonly dailyLimit: number | undefined
    /** The likeliest first. `session` is one typing, which the provider counts as one look-up. */
    readonly predict: (typed: {
      readonly input: string
      readonly country?: string
      readonly language?: string
      readonly session: string
    }) => Effect.Effect<ReadonlyArray<Prediction>, PlacesFailure>
    /** Ends the session. */
    readonly find: (
      placeId: PlaceId,
      options: { readonly session?: string; readonly language?: string }
    ) => Effect.Effect<FoundPlace, PlaceNotFound | PlacesFailure>
  }
>()("portico/services/Places") {}

import { Context, type Effect, Schema, type Stream } from "effect"
import type { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../domain/Integration.ts"

export type StorageFailure = IntegrationNotConfigured | ProviderError | ProviderUnavailable

/** There is nothing in storage under this key. */
export class ObjectMissing extends Schema.TaggedError<ObjectMissing>()("ObjectMissing", { key: Schema.String }) {}

/** Bytes of an object, both ends included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Keeps bytes under keys of our own making: UUIDs, never anything that a client has said. */
export class Storage extends Context.Service<
  Storage,
  {
    /**
     * Stores a stream of unknown length under a key that nothing has yet, and answers once it will survive a crash. A
     * stream that fails or is interrupted leaves nothing behind.
     */
    readonly put: <E, R>(
      key: string,
      body: Stream.Stream<Uint8Array, E, R>
    ) => Effect.Effect<void, E | StorageFailure, R>
    /** A stream that is cut short fails with a defect: its reader has seen the first bytes already. */
    readonly get: (
      key: string,
      range?: ByteRange
    ) => Effect.Effect<Stream.Stream<Uint8Array>, ObjectMissing | StorageFailure>
    /** Also what a `put` has left that died half way. Nothing there: nothing to do. */
    readonly remove: (key: string) => Effect.Effect<void, StorageFailure>
  }
>()("portico/services/Storage") {}

import { Context, type Effect } from "effect"

/** Whether this process should be sent requests. */
export class Readiness extends Context.Service<
  Readiness,
  {
    /** False from the moment shutdown begins, and while the database is out of reach or behind on its migrations. */
    readonly ready: Effect.Effect<boolean>
    /** True from the moment shutdown begins: answers tell their clients to connect elsewhere. */
    readonly closing: () => boolean
    readonly close: Effect.Effect<void>
  }
>()("portico/services/Readiness") {}

import { Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { IdempotencyInProgress, IdempotencyKeyReused } from "../domain/Idempotency.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"
import { underClaim } from "./IdempotencyClaim.ts"
import { underLock } from "./IdempotencyLock.ts"
import type { Answer, KeyedWrite, Named } from "./IdempotencyRows.ts"

export class Idempotency extends Context.Service<
  Idempotency,
  {
    /**
     * Runs a write once for its key. Its effects and its stored answer commit together or not at all, so a crash leaves
     * either both or neither. Keys belong to org, customer, method and route, and live for 24 h.
     *
     * What a failed write did is undone, and `failed` words its answer. `keep` says which answers are replayed; a write
     * whose answer is not kept has changed nothing.
     */
    readonly once: <E, R>(
      named: Named,
      write: KeyedWrite<E, R>
    ) => Effect.Effect<
      { readonly answer: Answer; readonly replayed: boolean },
      IdempotencyInProgress | IdempotencyKeyReused,
      R
    >
  }
>()("portico/services/Idempotency") {
  static readonly layer = Layer.effect(
    Idempotency,
    Effect.gen(function* () {
      const customerSql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const sql = yield* SqlClient.SqlClient

      const owner = Effect.contextWith((context: Context.Context<never>) => {
        const customer = Context.getOrUndefined(context, CurrentCustomer)
        if (customer !== undefined) return Effect.succeed({ sql: customerSql, ...customer })
        const platform = Context.getOrUndefined(context, CurrentPlatform)
        if (platform !== undefined) return Effect.succeed({ sql: platformSql, ...platform, customerId: "*" })
        return Effect.die(new Error("An idempotency key without a customer or a platform"))
      })

      yield* sql`DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`.pipe(
        Effect.ignore,
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )

      return Idempotency.of({
        once: (named, write) =>
          Effect.flatMap(owner, (at) => (write.callsOut ? underClaim : underLock)(at, named, write))
      })
    })
  )
}

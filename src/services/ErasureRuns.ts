import { Cause, Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { type System, systems } from "../domain/Erasure.ts"
import { CardVault } from "./CardVault.ts"
import { PlatformSql } from "./Database.ts"
import { erasureRows } from "./ErasureRows.ts"
import { type Erased, erasureSteps } from "./ErasureSteps.ts"
import { PayPalVault } from "./PayPalVault.ts"
import { Storage } from "./Storage.ts"

// Longer than any replica believes a token without asking: nobody sees half of an account.
const untilAllKnow = "6 seconds"

/**
 * Erases whoever is due: system by system, each with a receipt. One that fails holds up no other, and is tried again
 * until it is done; whoever dies in the middle is followed by another, who does what has no receipt.
 */
export class ErasureRuns extends Context.Service<
  ErasureRuns,
  {
    /** Goes on with whatever is due, on any replica; answers how many customers that were. */
    readonly runDue: Effect.Effect<number>
    /** Does so for ever. */
    readonly work: Effect.Effect<never>
  }
>()("portico/services/ErasureRuns") {
  static readonly layer = Layer.effect(
    ErasureRuns,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const steps = erasureSteps(sql, yield* CardVault, yield* PayPalVault, yield* Storage)
      const { blockersOf } = erasureRows(yield* PlatformSql)

      const claim = (now: Date) => sql<Claim>`
        UPDATE erasures SET attempts = attempts + 1, due_at = now() + interval '2 minutes'
        WHERE (org_id, customer_id) IN (
          SELECT org_id, customer_id FROM erasures
          WHERE erases_at <= ${now} AND finished_at IS NULL AND due_at <= now()
          ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING org_id, customer_id, requested_by, attempts, started_at IS NOT NULL AS started`

      const putOff = ({ customerId, orgId }: Erased, wait: string) => sql`
        UPDATE erasures SET due_at = now() + ${wait}::text::interval
        WHERE org_id = ${orgId} AND customer_id = ${customerId}`

      /** False when the customer has called it off a moment ago. */
      const start = Effect.fnUntraced(function* ({ customerId, orgId }: Erased, now: Date) {
        const started = yield* sql`
          UPDATE erasures SET started_at = now()
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND started_at IS NULL AND erases_at <= ${now}
          RETURNING 1 AS one`
        return started.length > 0
      })

      const selectDone = ({ customerId, orgId }: Erased) =>
        Effect.map(
          sql<{ readonly system: System }>`
            SELECT system FROM erasure_receipts
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND done_at IS NOT NULL`,
          (rows) => new Set(rows.map(({ system }) => system))
        )

      const writeReceipt = ({ customerId, orgId }: Erased, system: System, error: string | null) => sql`
        INSERT INTO erasure_receipts AS held (org_id, customer_id, system, attempts, done_at, last_error)
        VALUES (${orgId}, ${customerId}, ${system}, 1, CASE WHEN ${error}::text IS NULL THEN now() END, ${error})
        ON CONFLICT (org_id, customer_id, system) DO UPDATE SET attempts = held.attempts + 1,
          done_at = coalesce(held.done_at, excluded.done_at), last_error = excluded.last_error`

      /** Whether it is done. An error is named, and never quoted: it may say what was to be erased. */
      const attempt = (erased: Erased, system: System) =>
        steps[system](erased).pipe(
          Effect.as(null),
          Effect.catchCause((cause) => {
            const error = Cause.squash(cause)
            const name = hasTag(error) ? error._tag : "Unexpected"
            return Effect.as(
              Effect.logWarning("A system still holds an erased customer").pipe(
                Effect.annotateLogs({ system, error: name })
              ),
              name
            )
          }),
          Effect.tap((error) => writeReceipt(erased, system, error)),
          Effect.map((error) => error === null)
        )

      const run = Effect.fnUntraced(function* (claimed: Claim, now: Date) {
        const { attempts, customerId, orgId, requestedBy, started } = claimed
        if (!started) {
          const blockers =
            requestedBy === "platform"
              ? []
              : yield* blockersOf(orgId, customerId).pipe(Effect.provideService(CurrentPlatform, { orgId }))
          if (blockers.length > 0) return void (yield* putOff(claimed, "1 hour"))
          if (!(yield* start(claimed, now))) return
        }
        const done = yield* selectDone(claimed)
        if (!done.has("access")) {
          const closed = yield* attempt(claimed, "access")
          return void (yield* putOff(claimed, closed ? untilAllKnow : "30 seconds"))
        }
        for (const system of systems) {
          if (done.has(system) || (system === "log" && done.size < systems.length - 1)) continue
          if (yield* attempt(claimed, system)) done.add(system)
        }
        if (done.size < systems.length) {
          return void (yield* putOff(claimed, `${Math.min(3600, 15 * 2 ** Math.min(attempts, 10))} seconds`))
        }
        yield* sql`
          UPDATE erasures SET finished_at = now() WHERE org_id = ${orgId} AND customer_id = ${customerId}`
      })

      const runDue: Effect.Effect<number> = Effect.gen(function* () {
        const now = new Date(yield* Clock.currentTimeMillis)
        const [claimed] = yield* claim(now)
        if (claimed === undefined) return 0
        yield* run(claimed, now).pipe(
          Effect.withSpan("ErasureRuns.run"),
          Effect.annotateLogs({ org: claimed.orgId, customer: claimed.customerId })
        )
        return 1 + (yield* runDue)
      }).pipe(Effect.orDie)

      const work = runDue.pipe(
        Effect.catchCause((cause) => Effect.logWarning("Erasing cannot go on now", cause)),
        Effect.andThen(Effect.sleep("5 seconds")),
        Effect.forever
      )

      return ErasureRuns.of({ runDue, work })
    })
  )
}

interface Claim extends Erased {
  readonly requestedBy: "customer" | "platform"
  readonly attempts: number
  readonly started: boolean
}

const hasTag = (error: unknown): error is { readonly _tag: string } =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"

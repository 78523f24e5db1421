import { Cause, Context, Duration, Effect, Layer, Option, Schedule, Schema } from "effect"
import { PersistedQueue } from "effect/persistence"
import { SqlClient } from "effect/sql"
import { CustomerId, OrgId } from "../domain/Ids.ts"

/** One try of one delivery: the row knows the rest. */
export const Try = Schema.Struct({ orgId: OrgId, customerId: CustomerId, id: Schema.String, finished: Schema.Int })
export type Try = typeof Try.Type

/** A try, and in how many milliseconds it is due. */
export interface Due {
  readonly next: Try
  readonly delay: number
}

/** What is due, for the workers of all replicas. Each try is an item of its own, put in when the one before has failed. */
export class DeliveryQueue extends Context.Service<
  DeliveryQueue,
  {
    /** Puts a try into the transaction that `from` has open, as its role: it is there if that commits. Dies without one. */
    readonly offer: (from: SqlClient.SqlClient, next: Try, delay?: Duration.Input) => Effect.Effect<void>
    /** Puts many into it at once. */
    readonly offerAll: (from: SqlClient.SqlClient, all: ReadonlyArray<Due>) => Effect.Effect<void>
    /** Waits for a try that no other worker has, and is done with it when the effect is; what is elsewhere comes again. */
    readonly take: (process: (next: Try) => Effect.Effect<void, "elsewhere">) => Effect.Effect<void>
    /** How many tries wait, and for how many seconds the oldest of those that are due has done so. */
    readonly depth: Effect.Effect<{ readonly waiting: number; readonly oldest: number }>
    /** Removes what was done with a day ago; the ledger keeps what became of it. */
    readonly tidy: Effect.Effect<void>
  }
>()("portico/services/DeliveryQueue") {
  static readonly layerWith = (options: {
    /** How long a worker may be silent before what it had taken is anybody's. */
    readonly lockExpiration: Duration.Input
    readonly lockRefreshInterval: Duration.Input
    readonly pollInterval: Duration.Input
  }) =>
    Layer.effect(
      DeliveryQueue,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const store = yield* PersistedQueue.PersistedQueueStore
        // Tries are counted in the ledger: what fails here has not been tried, because another worker is at it.
        const queue = yield* PersistedQueue.make({
          name: "deliveries",
          schema: Try,
          maxAttempts: 10_000,
          retrySchedule: Schedule.spaced("2 seconds")
        })

        // The queue's statements run on our client, so the tenant lends it the connection of its transaction.
        const offer = Effect.fnUntraced(function* (from: SqlClient.SqlClient, next: Try, delay?: Duration.Input) {
          const open = yield* Effect.serviceOption(from.transactionService)
          if (Option.isNone(open)) return yield* Effect.die(new Error("A delivery outside of a transaction"))
          const id = next.finished === 0 ? next.id : `${next.id}.${next.finished}`
          yield* queue
            .offer(next, { id, ...(delay !== undefined && { delay }) })
            .pipe(Effect.provideService(sql.transactionService, open.value), Effect.orDie)
        })

        // Effect's queue takes them one by one, and a statement each is too many. The first goes in by it, which wakes
        // the workers; the others go into its table as it would put them there itself.
        const offerAll = Effect.fnUntraced(function* (
          from: SqlClient.SqlClient,
          [first, ...others]: ReadonlyArray<Due>
        ) {
          if (first === undefined) return
          yield* offer(from, first.next, first.delay)
          if (others.length === 0) return
          const rows = others.map(({ delay, next }) => ({
            id: next.id,
            element: JSON.stringify(next),
            seconds: Math.ceil(delay / 1000)
          }))
          yield* from`
            INSERT INTO delivery_queue (id, queue_name, element, state, attempts, visible_at, created_at, updated_at)
            SELECT id, 'deliveries', element, 'pending', 0,
              CASE WHEN seconds > 0 THEN clock_timestamp() + make_interval(secs => seconds) ELSE now() END, now(), now()
            FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS due (id text, element text, seconds float)
            ON CONFLICT (id, queue_name) DO NOTHING`.pipe(Effect.orDie)
        })

        const take: DeliveryQueue["Service"]["take"] = (process) =>
          queue.take(process).pipe(
            Effect.catch((error) => (error === "elsewhere" ? Effect.void : Effect.die(error))),
            Effect.catchDefect((defect) =>
              Effect.delay(Effect.logWarning("A try of a delivery could not be made", Cause.die(defect)), "1 second")
            )
          )

        const depth = sql<{ readonly waiting: number; readonly oldest: number }>`
          SELECT count(*)::int AS waiting,
            coalesce(greatest(0, extract(epoch FROM now()::timestamp - min(visible_at))), 0)::float AS oldest
          FROM delivery_queue WHERE queue_name = 'deliveries' AND state = 'pending'`.pipe(
          Effect.orDie,
          Effect.map(([row]) => row!)
        )

        const tidy = Effect.orDie(store.cleanup({ timeToLive: Duration.days(1), failedTimeToLive: Duration.days(30) }))

        return DeliveryQueue.of({ offer, offerAll, take, depth, tidy })
      })
    ).pipe(
      Layer.provide(
        PersistedQueue.layer.pipe(
          Layer.provideMerge(PersistedQueue.layerStoreSql({ tableName: "delivery_queue", ...options }))
        )
      )
    )

  static readonly layer = DeliveryQueue.layerWith({
    lockExpiration: "30 seconds",
    lockRefreshInterval: "5 seconds",
    pollInterval: "1 second"
  })
}

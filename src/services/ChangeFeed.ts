import { Clock, Context, Effect, Latch, Layer, Schedule, type Scope, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { createHash } from "node:crypto"
import type { Change } from "../domain/Change.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { RateLimited } from "../domain/RateLimited.ts"
import { ChangeHints } from "./ChangeHints.ts"
import { Changes, type Position } from "./Changes.ts"

const streamsPerCustomer = 10
const batch = 100
const silence = 20_000
const tick = 250
// In ticks: how often the log is asked, and for how much longer Postgres is told to give hints.
const asking = 4
const renewing = 80

interface Reader {
  readonly latch: Latch.Latch
  readonly ended: () => boolean
  /** Whether the log may have grown since it was read. */
  stale: boolean
  /** When something was last sent. */
  sentAt: number
}

interface Watched {
  readonly orgId: string
  readonly customerId: string
  readonly readers: Set<Reader>
  last: number
  seal: string
}

/** Changes as they happen, on whatever replica. */
export class ChangeFeed extends Context.Service<
  ChangeFeed,
  {
    /**
     * All changes after a position, in batches; an empty one says that nothing has happened for a while. Lasts until
     * `ended` is true, or the log can no longer be read, and the scope is that of whoever reads.
     */
    readonly follow: (
      from: Position,
      ended: () => boolean
    ) => Effect.Effect<
      Stream.Stream<ReadonlyArray<Change & { readonly cursor: string }>>,
      RateLimited,
      CurrentCustomer | Scope.Scope
    >
  }
>()("portico/services/ChangeFeed") {
  static readonly layer = Layer.effect(
    ChangeFeed,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const changes = yield* Changes
      const hints = yield* ChangeHints
      const clock = yield* Clock.Clock
      const all = new Map<string, Watched>()
      const someone = Latch.makeUnsafe()

      const wake = (reader: Reader) => reader.latch.openUnsafe()
      const renew = ({ readers }: Watched) => {
        for (const reader of readers) {
          reader.stale = true
          wake(reader)
        }
      }

      const register = (mine: CurrentCustomer["Service"], ended: () => boolean, from: Position) =>
        Effect.suspend(() => {
          const key = hashOf(mine.orgId, mine.customerId)
          const watched = all.get(key) ?? { ...mine, readers: new Set<Reader>(), last: from.sequence, seal: from.seal }
          if (watched.readers.size >= streamsPerCustomer) return Effect.fail(new RateLimited({ retryAfter: 30 }))
          const reader = { latch: Latch.makeUnsafe(), ended, stale: true, sentAt: clock.currentTimeMillisUnsafe() }
          watched.readers.add(reader)
          all.set(key, watched)
          someone.openUnsafe()
          const leave = Effect.sync(() => {
            watched.readers.delete(reader)
            if (watched.readers.size === 0 && all.get(key) === watched) all.delete(key)
            if (all.size === 0) someone.closeUnsafe()
          })
          return Effect.as(
            Effect.addFinalizer(() => leave),
            { reader, watched }
          )
        })

      const follow = Effect.fn("ChangeFeed.follow")(function* (from: Position, ended: () => boolean) {
        const mine = yield* CurrentCustomer
        const { reader, watched } = yield* Effect.uninterruptible(register(mine, ended, from))

        // Undefined: go on waiting.
        const look = Effect.fnUntraced(function* (position: Position) {
          if (reader.stale) {
            reader.stale = false
            const found = yield* changes.after(position, batch).pipe(Effect.provideService(CurrentCustomer, mine))
            watched.last = Math.max(watched.last, found.position.sequence)
            if (found.hasNext) reader.stale = true
            if (found.changes.length > 0) return [found.changes, found.position] as const
          }
          return clock.currentTimeMillisUnsafe() - reader.sentAt >= silence ? ([[], position] as const) : undefined
        })

        const next = Effect.fnUntraced(function* (position: Position) {
          while (!reader.ended()) {
            const found = yield* look(position)
            if (found !== undefined) {
              reader.sentAt = clock.currentTimeMillisUnsafe()
              return found
            }
            reader.latch.closeUnsafe()
            if (!reader.stale) yield* reader.latch.await
          }
          return undefined
        })

        // Whoever comes back is told what is wrong, or goes on.
        const given = (position: Position) =>
          Effect.catchCause(next(position), (cause) =>
            Effect.as(Effect.logWarning("A stream of changes has ended early", cause), undefined)
          )
        return Stream.unfold(from, given)
      })

      // In the order of their keys, and round whoever is writing: this waits for nobody, and nobody long for this.
      const watch = (orgs: string, customers: string) => sql`
        UPDATE customer_change_counters AS counter SET watched_until = now() + interval '60 seconds'
        FROM (
          SELECT org_id, customer_id FROM customer_change_counters
          WHERE (org_id, customer_id) IN (SELECT * FROM unnest(${orgs}::text::text[], ${customers}::text::text[]))
          FOR UPDATE SKIP LOCKED
        ) AS free
        WHERE counter.org_id = free.org_id AND counter.customer_id = free.customer_id`

      const selectLast = (orgs: string, customers: string) => sql<Last>`
        SELECT org_id, customer_id, last::float8 AS last, seal FROM customer_change_counters
        WHERE (org_id, customer_id) IN (SELECT * FROM unnest(${orgs}::text::text[], ${customers}::text::text[]))`

      const told = new WeakSet<Watched>()
      const ask = Effect.fnUntraced(function* (round: number) {
        const everybody = [...all.values()]
        const news = round % renewing === 0 ? everybody : everybody.filter((watched) => !told.has(watched))
        if (news.length > 0) {
          yield* watch(arrayOf(news, "orgId"), arrayOf(news, "customerId"))
          for (const watched of news) told.add(watched)
        }
        for (const { customerId, last, orgId, seal } of yield* selectLast(
          arrayOf(everybody, "orgId"),
          arrayOf(everybody, "customerId")
        )) {
          const watched = all.get(hashOf(orgId, customerId))
          if (watched === undefined || (last <= watched.last && seal === watched.seal)) continue
          watched.last = last
          watched.seal = seal
          renew(watched)
        }
      })

      let round = 0
      yield* Effect.gen(function* () {
        yield* someone.await
        const now = clock.currentTimeMillisUnsafe()
        for (const { readers } of all.values()) {
          for (const reader of readers) if (reader.ended() || now - reader.sentAt >= silence) wake(reader)
        }
        if (round % asking === 0) {
          yield* Effect.catchCause(ask(round), (cause) => Effect.logWarning("The log of changes was not read", cause))
        }
        round++
      }).pipe(Effect.repeat(Schedule.spaced(tick)), Effect.forkScoped)

      yield* someone.await.pipe(
        Effect.andThen(
          Stream.runForEach(hints.hashes, (hash) =>
            Effect.sync(() => {
              const watched = all.get(hash)
              if (watched !== undefined) renew(watched)
            })
          )
        ),
        Effect.forkScoped
      )

      return ChangeFeed.of({ follow })
    })
  )
}

interface Last {
  readonly orgId: string
  readonly customerId: string
  readonly last: number
  readonly seal: string
}

/** As the database hashes it. No id has a space in it. */
const hashOf = (orgId: string, customerId: string) =>
  createHash("sha256").update(`${orgId} ${customerId}`).digest("hex")

/** Ids hold nothing that an array literal would have to quote. */
const arrayOf = (all: ReadonlyArray<Watched>, field: "orgId" | "customerId") =>
  `{${all.map((watched) => `"${watched[field]}"`).join()}}`

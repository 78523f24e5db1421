import { Context, Effect, Layer } from "effect"
import { type Change, type ChangesPage, type ChangesQuery, CursorExpired } from "../domain/Change.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import { type Counter, cursorOf, readCursor } from "./ChangeCursors.ts"
import { rowOf, sectionOf } from "./ChangeSections.ts"
import { CustomerSql } from "./Database.ts"

/** A place in the customer's log. */
export interface Position {
  readonly sequence: number
  readonly cursor: string
  /** Of the log that it is a place in. */
  readonly seal: string
}

export interface ChangesAfter {
  readonly changes: ReadonlyArray<Change & { readonly cursor: string }>
  readonly position: Position
  readonly hasNext: boolean
}

/** What has happened to the customer's records. Written by the database: see the migration `0020_changes`. */
export class Changes extends Context.Service<
  Changes,
  {
    /** In the order they were committed; each with its record as it is now, so the same one may come more than once. */
    readonly since: (query: ChangesQuery) => Effect.Effect<ChangesPage, InvalidRequest | CursorExpired, CurrentCustomer>
    /** Where a cursor points, which came at `pointer`; without one, where the log ends now. */
    readonly positionOf: (
      cursor?: string,
      pointer?: string
    ) => Effect.Effect<Position, InvalidRequest | CursorExpired, CurrentCustomer>
    /** Fails where the log has been given a new start since. */
    readonly after: (from: Position, most: number) => Effect.Effect<ChangesAfter, CursorExpired, CurrentCustomer>
  }
>()("portico/services/Changes") {
  static readonly layer = Layer.effect(
    Changes,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const row = sql.literal(rowOf("logged"))

      const selectCounter = CurrentCustomer.use(
        ({ customerId, orgId }) => sql<Counter>`
          SELECT last::float8 AS last, forgotten::float8 AS forgotten, seal FROM customer_change_counters
          WHERE org_id = ${orgId} AND customer_id = ${customerId}`
      )

      // One statement, so one snapshot: nobody sees a record without the entry that made it so, or the other way round.
      const selectAfter = Effect.fnUntraced(function* (sequence: number, limit: number) {
        const { customerId, orgId } = yield* CurrentCustomer
        return yield* sql<Row>`
          SELECT counted AS last, forgotten, seal, logged.sequence::float8 AS sequence, logged.type, logged.id, logged.op,
            ${row} AS record
          FROM (
            SELECT last::float8 AS counted, forgotten::float8 AS forgotten, seal FROM customer_change_counters
            WHERE org_id = ${orgId} AND customer_id = ${customerId}
          ) AS counter LEFT JOIN LATERAL (
            SELECT * FROM customer_changes AS changes
            WHERE changes.org_id = ${orgId} AND changes.customer_id = ${customerId}
              AND changes.sequence > ${sequence}::bigint
            ORDER BY changes.sequence LIMIT ${limit}
          ) AS logged ON true
          ORDER BY logged.sequence`
      })

      const reaches = ({ forgotten, last }: Counter, sequence: number) => sequence >= forgotten && sequence <= last

      const positionOf = Effect.fnUntraced(function* (cursor?: string, pointer = "/query/since") {
        const customer = yield* CurrentCustomer
        const [counter] = yield* Effect.orDie(selectCounter)
        if (counter === undefined) return yield* Effect.die(new Error("A customer without a counter of changes"))
        const sequence = cursor === undefined ? counter.last : yield* readCursor(counter, customer, cursor, pointer)
        if (!reaches(counter, sequence)) return yield* new CursorExpired()
        return { sequence, cursor: cursorOf(counter, customer, sequence), seal: counter.seal }
      })

      const after = Effect.fn("Changes.after")(function* ({ seal, sequence }: Position, most: number) {
        const customer = yield* CurrentCustomer
        const rows = yield* Effect.orDie(selectAfter(sequence, most + 1))
        const [counter] = rows
        if (counter === undefined) return yield* Effect.die(new Error("A customer without a counter of changes"))
        if (counter.seal !== seal || !reaches(counter, sequence)) return yield* new CursorExpired()
        const found = counter.sequence === null ? [] : (rows as ReadonlyArray<Row & Entry>)
        const changes = found.slice(0, most).map((entry) => ({
          ...changeOf(entry),
          cursor: cursorOf(counter, customer, entry.sequence)
        }))
        const reached = changes.at(-1)?.sequence ?? sequence
        return {
          changes,
          position: { sequence: reached, cursor: cursorOf(counter, customer, reached), seal },
          hasNext: found.length > most
        }
      })

      const since = Effect.fn("Changes.since")(function* ({ ps = 50, since }: ChangesQuery) {
        const { changes, hasNext, position } = yield* after(yield* positionOf(since), ps)
        return { data: changes.map(({ cursor: _, ...change }) => change), cursor: position.cursor, hasNext }
      })

      return Changes.of({ since, positionOf, after })
    })
  )
}

interface Entry {
  readonly sequence: number
  readonly type: string
  readonly id: string
  readonly op: "upsert" | "delete"
  readonly record: unknown
}

type Row = Counter & (Entry | { readonly sequence: null })

/** What has been deleted since it was changed is told as deleted; the entry that did it still follows. */
const changeOf = ({ id, op, record, sequence, type }: Entry): Change =>
  op === "delete" || record === null
    ? { sequence, type, op: "delete", id, record: null }
    : { sequence, type, op, id, record: sectionOf.get(type)!.shown(record) }

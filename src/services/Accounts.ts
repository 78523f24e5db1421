import { Context, Effect, Layer, Semaphore, Stream } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { RateLimited } from "../domain/RateLimited.ts"
import { AccountTags } from "./AccountTags.ts"
import { type Counter, cursorOf } from "./ChangeCursors.ts"
import { sections } from "./ChangeSections.ts"
import { tagsOf } from "./ChangeTags.ts"
import { CustomerSql } from "./Database.ts"

// Each holds a connection of its own: whoever reads slowly must not keep those who read little waiting.
const atOnce = 3
const mostWaiting = 9
// The readers of one customer take turns, lest whoever reads slowly in several places is in everybody's way.
const mostOfOne = 6

/** All that a customer can see, in one piece. */
export class Accounts extends Context.Service<
  Accounts,
  {
    /** As JSON, piece by piece, in one snapshot; without it where the reader has this one already. */
    readonly read: (
      ifNoneMatch?: string
    ) => Effect.Effect<
      { readonly tag: string; readonly json: Stream.Stream<string> | null },
      RateLimited,
      CurrentCustomer
    >
  }
>()("portico/services/Accounts") {
  static readonly layer = Layer.effect(
    Accounts,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const tags = yield* AccountTags
      const lanes = yield* Semaphore.make(atOnce)
      const lines = new Map<string, Line>()
      let open = 0

      const joinLine = ({ customerId, orgId }: CurrentCustomer["Service"]) =>
        Effect.acquireRelease(
          Effect.map(Semaphore.make(1), (turn) => {
            const key = `${orgId} ${customerId}`
            const line = lines.get(key) ?? { turn, readers: 0 }
            line.readers++
            open++
            lines.set(key, line)
            return line
          }),
          (line) =>
            Effect.sync(() => {
              open--
              if (--line.readers === 0) lines.delete(`${orgId} ${customerId}`)
            })
        )

      // One statement is one snapshot, cursor included. What comes first is set_config, which does nothing but keep
      // Postgres from sharing the work out: its helpers would answer out of turn.
      const selectAll = ({ customerId, orgId }: CurrentCustomer["Service"]) => sql`
        SELECT -1 AS section, jsonb_build_object('last', last, 'seal', seal, 'asOf', now(),
          'alone', set_config('app.alone', '', true)) AS record
        FROM customer_change_counters WHERE org_id = ${orgId} AND customer_id = ${customerId}
        ${sql.join(
          " ",
          false
        )(
          sections.map(
            ({ columns, customer, from, order, org }, index) => sql`UNION ALL (
              SELECT ${sql.literal(String(index))}, to_jsonb(shown) FROM (
                SELECT ${sql.literal(columns)} FROM ${sql.literal(from)}
                WHERE ${sql.literal(org)} = ${orgId} AND ${sql.literal(customer)} = ${customerId}
                ORDER BY ${sql.literal(order)}) AS shown)`
          )
        )}`

      const rows = (customer: CurrentCustomer["Service"]) =>
        Effect.gen(function* () {
          const { turn } = yield* joinLine(customer)
          yield* Semaphore.takeScoped(turn, 1)
          yield* Semaphore.takeScoped(lanes, 1)
          const connection = yield* sql.reserve
          const [statement, params] = selectAll(customer).compile()
          return connection.executeStream(statement, params, undefined) as Stream.Stream<Row>
        }).pipe(Effect.orDie, Stream.unwrap)

      const read = Effect.fn("Accounts.read")(function* (ifNoneMatch?: string) {
        const customer = yield* CurrentCustomer
        const { tag } = yield* tags.current
        if (tagsOf(ifNoneMatch).includes(tag)) return { tag, json: null }
        const { readers } = lines.get(`${customer.orgId} ${customer.customerId}`) ?? { readers: 0 }
        if (open >= atOnce + mostWaiting || readers >= mostOfOne) return yield* new RateLimited({ retryAfter: 2 })
        const json = Stream.suspend(() => {
          const writer = writerOf(customer)
          return rows(customer).pipe(
            Stream.mapArray((chunk) => [chunk.map(writer.row).join("")]),
            Stream.concat(Stream.sync(writer.end)),
            Stream.provideService(CurrentCustomer, customer),
            Stream.orDie
          )
        })
        return { tag, json }
      })

      return Accounts.of({ read })
    })
  )
}

interface Line {
  readonly turn: Semaphore.Semaphore
  readers: number
}

interface Row {
  readonly section: number
  readonly record: unknown
}

type Head = Counter & { readonly asOf: string }

/** Writes the sections one after the other, those without records as well. */
const writerOf = (customer: CurrentCustomer["Service"]) => {
  let head: Head | undefined
  let at = -1
  let count = 0

  const opened = (index: number) => {
    const { name, single } = sections[index]!
    return `${index === 0 ? "{" : ","}"${name}":${single ? "" : "["}`
  }
  const closed = (index: number) => {
    const { none = null, single } = sections[index]!
    return single ? (count === 0 ? JSON.stringify(none) : "") : "]"
  }
  const upTo = (section: number) => {
    let text = ""
    while (at < section) {
      if (at >= 0) text += closed(at)
      at++
      count = 0
      if (at < sections.length) text += opened(at)
    }
    return text
  }

  return {
    row: ({ record, section }: Row): string => {
      if (section < 0) {
        head = record as Head
        return ""
      }
      if (section < at) throw new Error("The sections of an account are out of turn")
      const before = upTo(section)
      return `${before}${count++ === 0 ? "" : ","}${JSON.stringify(sections[section]!.shown(record))}`
    },
    end: (): string => {
      const before = upTo(sections.length)
      const { asOf, last } = head!
      const rest = { cursor: cursorOf(head!, customer, last), asOf: new Date(asOf).toISOString() }
      return `${before},${JSON.stringify(rest).slice(1)}`
    }
  }
}

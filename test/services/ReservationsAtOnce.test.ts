import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { inject } from "vitest"
import { DefinitionId } from "../../src/domain/ReservationDefinition.ts"
import {
  atHour,
  book,
  cancel,
  change,
  dayFromNow,
  decide,
  define,
  everyDay,
  openFor,
  slotsFor,
  workshop
} from "../support/Bookings.ts"
import { makeCustomer, makeOrg, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

// The embedded database has one session: there, who comes at once is served in turn.
const [clients, days] = inject("server") === undefined ? [10, 1] : [50, 2]

const all = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

/** What has become of a call: the record's status, or the code of the refusal. */
const outcome = <A extends { readonly status: unknown }, E extends { readonly code: string }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.match(effect, { onFailure: ({ code }) => code, onSuccess: ({ status }) => String(status) })

const count = (outcomes: ReadonlyArray<string>) =>
  Object.fromEntries(
    [...new Set(outcomes)].sort().map((one) => [one, outcomes.filter((other) => other === one).length])
  )

const crowd = Effect.fnUntraced(function* (size: number) {
  const org = yield* makeOrg("crowd")
  const customers = yield* Effect.forEach(Array.from({ length: size }), (_, n) => makeCustomer(org, `customer-${n}`))
  return { org, customers }
})

/** The most spots that are taken at any moment of a definition, by the reservations themselves. */
const fullest = Effect.fnUntraced(function* (org: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE reservations DISABLE ROW LEVEL SECURITY`
  const [row] = yield* sql<{ readonly most: number; readonly counted: number; readonly rows: number }>`
    SELECT max(load)::int AS most, (SELECT sum(taken)::int FROM reservation_occupancy WHERE org_id = ${org}) AS counted,
      (SELECT sum(party_size)::int FROM reservations WHERE org_id = ${org} AND status <> 'cancelled') AS rows
    FROM (SELECT sum(b.party_size) AS load FROM reservations AS a JOIN reservations AS b
      ON b.org_id = a.org_id AND b.definition_id = a.definition_id AND b.starts_at <= a.starts_at
        AND b.busy_until > a.starts_at
      WHERE a.org_id = ${org} AND a.status <> 'cancelled' AND b.status <> 'cancelled' GROUP BY a.id) AS loads`
  yield* sql`ALTER TABLE reservations ENABLE ROW LEVEL SECURITY`
  return row!
})

const percentile = (times: ReadonlyArray<number>, of: number) =>
  Math.round(times.toSorted((a, b) => a - b)[Math.floor(times.length * of)]!)

layer(TestServices.layer, { excludeTestServices: true, timeout: 240_000 })("Of customers who act at once", (it) => {
  it.effect(
    "exactly one gets each slot, and the others are told which are left",
    () =>
      Effect.gen(function* () {
        const { customers, org } = yield* crowd(clients)
        yield* define(org, { spots: 1 })
        const lost: Array<number> = []

        for (let day = 0; day < days; day++) {
          for (let hour = 9; hour < 17; hour++) {
            const outcomes = yield* all(
              customers.map((customer) =>
                Effect.suspend(() => {
                  const before = performance.now()
                  return Effect.tap(outcome(book(customer, day * 24 + hour)), (code) =>
                    Effect.sync(() => {
                      if (code === "slot_unavailable") lost.push(performance.now() - before)
                    })
                  )
                })
              )
            )
            const { confirmed, ...others } = count(outcomes)
            assert.strictEqual(confirmed, 1)
            // Who has won as many as one may hold is told so.
            assert.strictEqual((others["slot_unavailable"] ?? 0) + (others["action_not_allowed"] ?? 0), clients - 1)
          }
        }

        const { counted, most, rows } = yield* fullest(org)
        assert.deepStrictEqual([most, counted, rows], [1, days * 8, days * 8])
        assert.isBelow(percentile(lost, 0.99), 5000)
      }),
    240_000
  )

  it.effect("as many are let in as there are spots, whatever the size of their parties and the service", () =>
    Effect.gen(function* () {
      const { customers, org } = yield* crowd(12)
      const services = [
        { name: "Long", duration: 60, breakAfter: 10 },
        { name: "Short", duration: 35 },
        { name: "Middle", duration: 40, breakAfter: 20 }
      ]
      yield* define(org, { spots: 5, services })
      const starts = [9, 9 + 35 / 60, 9 + 70 / 60, 10]

      const outcomes = yield* all(
        customers.flatMap((customer, n) =>
          starts.flatMap((start) =>
            services.map(({ name }) => outcome(book(customer, start, { service: name, partySize: 1 + (n % 3) })))
          )
        )
      )

      const { most, counted, rows } = yield* fullest(org)
      assert.isAtMost(most, 5)
      assert.isAtLeast(most, 4)
      assert.strictEqual(counted, rows)
      assert.sameMembers([...new Set(outcomes)], ["confirmed", "slot_unavailable", "slot_not_offered"])
    })
  )

  it.effect("two who want each other's slots both keep their own, and neither waits for ever", () =>
    Effect.gen(function* () {
      const { acme, ada, eve } = yield* people
      yield* define(acme)
      const mine = yield* book(ada, 9)
      const hers = yield* book(eve, 10)

      for (let n = 0; n < 10; n++) {
        const swapped = yield* all([
          outcome(change(ada, mine.id, { start: atHour(10) })),
          outcome(change(eve, hers.id, { start: atHour(9) }))
        ])
        assert.deepStrictEqual(swapped, ["slot_unavailable", "slot_unavailable"])
      }
      assert.deepStrictEqual((yield* openFor(ada)).length, 6)
    })
  )

  it.effect("booking, moving and cancelling in one place never take more than there is, and lose no cancellation", () =>
    Effect.gen(function* () {
      const { customers, org } = yield* crowd(10)
      yield* define(org, { spots: 2, hours: everyDay("09:00", "13:00") })
      const made = yield* all(customers.slice(0, 6).map((customer, n) => book(customer, 9 + (n % 3))))

      const outcomes = yield* all(
        made.flatMap(({ id }, n) => [
          outcome(change(customers[n]!, id, { start: atHour(9 + ((n + 1) % 4)) })),
          n % 2 === 0 ? outcome(cancel(customers[n]!, id)) : outcome(decide(org, id, { status: "confirmed" })),
          outcome(change(customers[n]!, id, { partySize: 2 })),
          outcome(book(customers[6 + (n % 4)]!, 9 + (n % 4)))
        ])
      )

      const { counted, most, rows } = yield* fullest(org)
      assert.isAtMost(most, 2)
      assert.strictEqual(counted, rows)
      assert.includeMembers(outcomes, ["cancelled"])
      const known = ["confirmed", "rescheduled", "cancelled", "slot_unavailable", "action_not_allowed"]
      assert.includeMembers(known, outcomes)
      const after = yield* all(made.map(({ id }) => decide(org, id, { status: "cancelled" })))
      assert.isTrue(after.every(({ status }) => status === "cancelled"))
    })
  )

  it.effect("one and the same customer is never in two places, and never holds more than allowed", () =>
    Effect.gen(function* () {
      const { acme, ada } = yield* people
      const places = ["salon", "garage", "office", "studio"].map((id) => DefinitionId.make(id))
      yield* Effect.forEach([...places, workshop], (id) => define(acme, { spots: 3, maxPerCustomer: 2 }, id))

      const elsewhere = yield* all(places.map((definitionId) => outcome(book(ada, 9, { definitionId }))))
      const held = yield* all([10, 11, 12, 13, 14].map((hour) => outcome(book(ada, hour))))

      assert.deepStrictEqual(count(elsewhere), { confirmed: 1, slot_unavailable: 3 })
      assert.deepStrictEqual(count(held), { action_not_allowed: 3, confirmed: 2 })
    })
  )

  it.effect("nobody is ever offered a slot that was taken before, and what is free at the end can be booked", () =>
    Effect.gen(function* () {
      const { customers, org } = yield* crowd(8)
      yield* define(org)
      const taken = yield* book(customers[0]!, 9)

      const [, ...looks] = yield* all<unknown, unknown, any>([
        all(customers.map((customer, n) => outcome(book(customer, 10 + (n % 4))))),
        ...customers.map((customer) => slotsFor(customer))
      ])

      for (const { slots } of looks as ReadonlyArray<{ readonly slots: ReadonlyArray<{ readonly start: Date }> }>) {
        assert.isFalse(slots.some(({ start }) => start.getTime() === taken.start.getTime()))
      }
      const last = customers.at(-1)!
      for (const { start } of (yield* slotsFor(last, { date: dayFromNow(10) })).slots) {
        assert.strictEqual(yield* outcome(book(last, (start.getTime() - atHour(0).getTime()) / 36e5)), "confirmed")
      }
      assert.deepStrictEqual(yield* openFor(customers[0]!), [])
    })
  )
})

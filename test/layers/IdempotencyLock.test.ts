import { assert, layer } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer } from "effect"
import { describe } from "vitest"
import { CustomerSql } from "../../src/services/Database.ts"
import { Idempotency } from "../../src/services/Idempotency.ts"
import type { Answer, KeyedWrite, Named } from "../../src/services/IdempotencyRows.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { as, asPlatform, type Customer, nextNumber, people } from "../support/People.ts"
import { missing } from "../support/Cluster.ts"
import * as Replicas from "../support/Replicas.ts"

const named = (): Named => ({
  method: "PUT",
  route: "/client-data/profile",
  key: `key-${nextNumber()}`,
  fingerprint: "this request"
})

const answer = (text: string, status = 200): Answer => ({ status, headers: {}, body: Buffer.from(text) })
const textOf = ({ body }: Answer) => Buffer.from(body).toString()

const writing = <R>(run: Effect.Effect<Answer, Answer, R>): KeyedWrite<Answer, R> => ({
  callsOut: false,
  run,
  failed: (failed) => Effect.succeed(failed),
  keep: () => true
})

const noting = (about: string) => Effect.orDie(Profiles.use(({ change }) => change({ about })))
const aboutOf = (customer: Customer) =>
  Profiles.use(({ get }) => get).pipe(
    as(customer),
    Effect.map(({ about }) => about)
  )

/** A write that has begun, and goes on when it is told to. */
const held = Effect.fnUntraced(function* (name: Named, customer: Customer) {
  const { once } = yield* Idempotency
  const begun = yield* Deferred.make<void>()
  const goOn = yield* Deferred.make<void>()
  const run = noting("first").pipe(
    Effect.andThen(Deferred.succeed(begun, undefined)),
    Effect.andThen(Deferred.await(goOn)),
    Effect.as(answer("first"))
  )
  const fiber = yield* Effect.forkChild(once(name, writing(run)).pipe(as(customer)))
  yield* Deferred.await(begun)
  return Effect.andThen(Deferred.succeed(goOn, undefined), Fiber.join(fiber))
})

/** What another process does in a transaction of its own: stores an answer, or claims the key for a while. */
const elsewhere = ({ fingerprint, key, method, route }: Named, { customerId, orgId }: Customer, stored?: string) =>
  CustomerSql.use((sql) =>
    sql`
      INSERT INTO idempotency_keys (
        org_id, customer_id, method, route, key, fingerprint, claim, claimed_until, status, headers, body
      )
      VALUES (${orgId}, ${customerId}, ${method}, ${route}, ${key}, ${fingerprint}, 'another',
        now() + interval '1 minute', ${stored === undefined ? null : 200}::int, '{}',
        ${stored === undefined ? null : Buffer.from(stored)}::bytea)`.pipe(
      Effect.updateContext(
        (context: Context.Context<never>) => Context.omit(sql.transactionService)(context) as Context.Context<never>
      ),
      Effect.orDie
    )
  )

const services = Layer.mergeAll(Idempotency.layer, Profiles.layer).pipe(
  Layer.provideMerge(Layer.effectContext(Effect.flatMap(Replicas.database("keys"), Replicas.up))),
  Layer.provide(Replicas.layer)
)

if (missing !== undefined) console.warn(`IdempotencyLock.test.ts is skipped: ${missing}`)

// The embedded database has one session: there, who comes at once is served in turn.
describe.skipIf(missing !== undefined)("A write with an idempotency key, while it runs,", () => {
  layer(services, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("turns away who comes with its key, at once, and answers them afterwards", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const end = yield* held(name, ada)

        const meanwhile = yield* Effect.flip(once(name, writing(Effect.succeed(answer("second")))).pipe(as(ada)))
        const first = yield* end
        const after = yield* once(name, writing(Effect.succeed(answer("third")))).pipe(as(ada))

        assert.deepInclude(meanwhile, { code: "idempotency_in_progress", status: 409, retryAfter: 1 })
        assert.deepStrictEqual([first.replayed, after.replayed], [false, true])
        assert.deepStrictEqual([textOf(first.answer), textOf(after.answer)], ["first", "first"])
      })
    )

    it.effect("stands in nobody's way who has another key, method, route, customer or org, or is the platform", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { acme, ada, eve, namesake } = yield* people
        const name = named()
        const end = yield* held(name, ada)
        const others = writing(Effect.succeed(answer("another")))

        const answers = [
          yield* once({ ...name, key: `${name.key}.` }, others).pipe(as(ada)),
          yield* once({ ...name, method: "POST" }, others).pipe(as(ada)),
          yield* once({ ...name, route: "/client-data/orders" }, others).pipe(as(ada)),
          yield* once(name, others).pipe(as(eve)),
          yield* once(name, others).pipe(as(namesake)),
          yield* once(name, others).pipe(asPlatform(acme))
        ]

        assert.deepStrictEqual(
          answers.map(({ replayed }) => replayed),
          Array(6).fill(false)
        )
        assert.strictEqual((yield* end).replayed, false)
      })
    )

    it.effect("is undone when another has stored an answer meanwhile, and gets that one", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const late = noting("late").pipe(Effect.andThen(elsewhere(name, ada, "another's")), Effect.as(answer("late")))

        const outcome = yield* once(name, writing(late)).pipe(as(ada))

        assert.deepStrictEqual([outcome.replayed, textOf(outcome.answer)], [true, "another's"])
        assert.strictEqual(yield* aboutOf(ada), null)
      })
    )

    it.effect("gets another's stored answer though it failed itself", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const late = Effect.andThen(elsewhere(name, ada, "another's"), Effect.fail(answer("no such order", 404)))

        const outcome = yield* once(name, writing(late)).pipe(as(ada))

        assert.deepStrictEqual([outcome.replayed, textOf(outcome.answer)], [true, "another's"])
      })
    )

    it.effect("is undone when a replica of an older release claims its key meanwhile", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const sql = yield* CustomerSql
        const { ada } = yield* people
        const name = named()
        const late = noting("late").pipe(Effect.andThen(elsewhere(name, ada)), Effect.as(answer("late")))

        const error = yield* Effect.flip(once(name, writing(late)).pipe(as(ada)))

        assert.deepStrictEqual([error.code, yield* aboutOf(ada)], ["idempotency_in_progress", null])
        const rows = yield* sql`SELECT claim, status FROM idempotency_keys WHERE key = ${name.key}`.pipe(as(ada))
        assert.deepStrictEqual(rows, [{ claim: "another", status: null }])
      })
    )
  })
})

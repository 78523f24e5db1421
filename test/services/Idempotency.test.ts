import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { CustomerSql } from "../../src/services/Database.ts"
import { Idempotency } from "../../src/services/Idempotency.ts"
import type { Answer, Named } from "../../src/services/IdempotencyRows.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { as, asPlatform, type Customer, nextNumber, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const parallel = { concurrency: "unbounded" } as const

const named = (more: Partial<Named> = {}): Named => ({
  method: "PUT",
  route: "/client-data/profile",
  key: `key-${nextNumber()}`,
  fingerprint: "this request",
  ...more
})

const answer = (text: string, status = 200): Answer => ({
  status,
  headers: { "content-type": "application/json", etag: '"2"' },
  body: Buffer.from(text)
})

/** A write that counts in the customer's profile how often it has run: what is not there has not happened. */
const write = (customer: Customer, outcome: Effect.Effect<Answer, Answer> = Effect.succeed(answer("done"))) => {
  let runs = 0
  return {
    runs: () => runs,
    write: {
      callsOut: false,
      run: Effect.suspend(() =>
        Effect.andThen(Profiles.use(({ change }) => change({ about: `run ${++runs}` })).pipe(Effect.orDie), outcome)
      ),
      failed: (failed: Answer) => Effect.succeed(failed),
      keep: ({ status }: Answer) => status !== 400 && status < 500
    },
    about: Profiles.use(({ get }) => get).pipe(
      as(customer),
      Effect.map(({ about }) => about)
    )
  }
}

/** What is in the table of keys under this one. */
const held = ({ key }: Named) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{ readonly status: number | null; readonly claim: string }>`
      SELECT status, claim FROM idempotency_keys WHERE key = ${key}`
  )

/** The claim of a process that died, or that is very slow. */
const abandonBy = (
  sql: SqlClient.SqlClient,
  { fingerprint, key, method, route }: Named,
  { customerId, orgId }: Customer,
  until: string
) => sql`
  INSERT INTO idempotency_keys (org_id, customer_id, method, route, key, fingerprint, claim, claimed_until)
  VALUES (${orgId}, ${customerId}, ${method}, ${route}, ${key}, ${fingerprint}, 'dead', now() + ${until}::text::interval)`

const abandon = (name: Named, who: Customer, until: string) =>
  SqlClient.SqlClient.use((sql) => abandonBy(sql, name, who, until))

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A write with an idempotency key", () => {
    it.effect("runs once, and is answered byte for byte the same after that", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const body = Uint8Array.from({ length: 256 }, (_, byte) => byte)
        const first: Answer = { status: 201, headers: { location: "/x", "content-type": "text/plain" }, body }
        const { runs, write: put } = write(ada, Effect.succeed(first))

        const answers = []
        for (let n = 0; n < 3; n++) answers.push(yield* once(name, put).pipe(as(ada)))

        assert.deepStrictEqual(
          answers.map(({ replayed }) => replayed),
          [false, true, true]
        )
        for (const { answer } of answers) {
          assert.deepStrictEqual({ ...answer, body: [...answer.body] }, { ...first, body: [...body] })
        }
        assert.strictEqual(runs(), 1)
      })
    )

    it.effect("runs once though it arrives 100 times at once: the others get its answer or are told to wait", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const { about, runs, write: put } = write(ada)
        const attempts = Array.from({ length: 100 }, () =>
          once(name, put).pipe(
            as(ada),
            Effect.map(({ replayed }) => (replayed ? "replayed" : "ran")),
            Effect.catch(({ code }) => Effect.succeed(code))
          )
        )

        const outcomes = yield* Effect.all(attempts, parallel)

        assert.strictEqual(outcomes.filter((outcome) => outcome === "ran").length, 1)
        for (const outcome of outcomes) assert.include(["ran", "replayed", "idempotency_in_progress"], outcome)
        // One that comes in the moment of the commit may run as well: it is undone.
        assert.strictEqual(yield* about, "run 1")
        assert.isBelow(runs(), 100)
        assert.strictEqual(yield* Effect.all(attempts.slice(0, 1)).pipe(Effect.map(([last]) => last)), "replayed")
      })
    )

    it.effect("is told to wait while the first of its kind runs", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        yield* abandon(name, ada, "30 seconds")
        const { runs, write: put } = write(ada)

        const error = yield* Effect.flip(once(name, put).pipe(as(ada)))

        assert.deepInclude(error, { code: "idempotency_in_progress", status: 409, retryAfter: 1 })
        assert.strictEqual(runs(), 0)
      })
    )

    it.effect("is refused when the key came with another request, whether that is done or still runs", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const [done, running, dead] = [named(), named(), named()]
        const { about, write: put } = write(ada)
        yield* once(done, put).pipe(as(ada))
        yield* abandon(running, ada, "30 seconds")
        yield* abandon(dead, ada, "-1 second")

        for (const name of [done, running, dead]) {
          const error = yield* Effect.flip(once({ ...name, fingerprint: "another" }, put).pipe(as(ada)))

          assert.deepStrictEqual([error.code, error.status], ["idempotency_key_reused", 422])
        }
        assert.strictEqual(yield* about, "run 1")
      })
    )

    for (const [guard, set, callsOut] of TestServices.guards.flatMap(([guard, set]) => [
      [guard, set, false] as const,
      [`${guard}, also if it calls out`, set, true] as const
    ])) {
      it.effect(
        `may carry a key that others carry: another customer, org, method or route, or the platform, by ${guard}`,
        () =>
          Effect.gen(function* () {
            yield* set
            const { once } = yield* Idempotency
            const { acme, ada, eve, namesake, other } = yield* people
            const name = named()
            const put = (text: string) => ({ ...write(ada).write, callsOut, run: Effect.succeed(answer(text)) })

            const answers = [
              yield* once(name, put("ada")).pipe(as(ada)),
              yield* once(name, put("eve")).pipe(as(eve)),
              yield* once(name, put("namesake")).pipe(as(namesake)),
              yield* once({ ...name, method: "POST" }, put("method")).pipe(as(ada)),
              yield* once({ ...name, route: "/client-data/orders" }, put("route")).pipe(as(ada)),
              yield* once(name, put("platform")).pipe(asPlatform(acme)),
              yield* once(name, put("other platform")).pipe(asPlatform(other)),
              yield* once(name, put("again")).pipe(as(ada)),
              yield* once(name, put("again")).pipe(asPlatform(acme))
            ]

            assert.deepStrictEqual(
              answers.map(({ answer }) => Buffer.from(answer.body).toString()),
              ["ada", "eve", "namesake", "method", "route", "platform", "other platform", "ada", "platform"]
            )
          })
      )
    }

    it.effect("runs anew after 24 hours, even as another request", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const sql = yield* SqlClient.SqlClient
        const { ada } = yield* people
        const name = named()
        const { runs, write: put } = write(ada)
        yield* once(name, put).pipe(as(ada))
        yield* sql`UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second' WHERE key = ${name.key}`

        const later = yield* once({ ...name, fingerprint: "another" }, put).pipe(as(ada))

        assert.deepStrictEqual([later.replayed, runs()], [false, 2])
      })
    )
  })

  describe("A write with an idempotency key that goes wrong", () => {
    it.effect("leaves nothing behind but its answer, which its repeats get", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const { about, runs, write: put } = write(ada, Effect.fail(answer("no such order", 404)))

        const first = yield* once(name, put).pipe(as(ada))
        const again = yield* once(name, put).pipe(as(ada))

        assert.deepStrictEqual([first.answer.status, again.answer.status, again.replayed], [404, 404, true])
        assert.deepStrictEqual([runs(), yield* about], [1, null])
      })
    )

    it.effect("frees its key when the answer is not one to keep, and leaves nothing behind", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const invalid = write(ada, Effect.fail(answer("not valid", 400)))
        const succeededInvalid = write(ada, Effect.succeed(answer("not valid", 400)))
        const corrected = write(ada)

        const refused = [
          yield* once(name, invalid.write).pipe(as(ada)),
          yield* once(name, succeededInvalid.write).pipe(as(ada))
        ]
        const between = [yield* invalid.about, yield* held(name)]
        const accepted = yield* once({ ...name, fingerprint: "corrected" }, corrected.write).pipe(as(ada))

        assert.deepStrictEqual(
          refused.map(({ answer, replayed }) => [answer.status, replayed]),
          [
            [400, false],
            [400, false]
          ]
        )
        assert.deepStrictEqual(between, [null, []])
        assert.deepStrictEqual([accepted.replayed, yield* corrected.about], [false, "run 1"])
      })
    )

    it.effect("frees its key when it dies, and leaves nothing behind", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const broken = write(ada, Effect.die(new Error("a defect")))

        const exit = yield* Effect.exit(once(name, broken.write).pipe(as(ada)))

        assert.strictEqual(exit._tag, "Failure")
        assert.deepStrictEqual([yield* broken.about, [...(yield* held(name))]], [null, []])
        assert.strictEqual((yield* once(name, write(ada).write).pipe(as(ada))).replayed, false)
      })
    )

    it.effect("frees its key when its caller hangs up, and leaves nothing behind", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const begun = yield* Deferred.make<void>()
        const hanging = write(ada, Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))

        const fiber = yield* Effect.forkChild(once(name, hanging.write).pipe(as(ada)))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)

        assert.deepStrictEqual([yield* hanging.about, [...(yield* held(name))]], [null, []])
        assert.strictEqual((yield* once(name, write(ada).write).pipe(as(ada))).replayed, false)
      })
    )

    it.effect("is repeated when Postgres ends it for another transaction's sake, and happens once", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const conflict = new SqlError.SqlError({ reason: new SqlError.DeadlockError({ cause: new Error("40P01") }) })
        let attempts = 0
        const unlucky = write(
          ada,
          Effect.suspend(() => (++attempts < 3 ? Effect.die(conflict) : Effect.succeed(answer("done"))))
        )

        const { replayed } = yield* once(name, unlucky.write).pipe(as(ada))

        assert.deepStrictEqual([replayed, attempts, yield* unlucky.about], [false, 3, "run 3"])
        assert.strictEqual((yield* held(name))[0]?.status, 200)
      })
    )
  })

  describe("A write whose process died", () => {
    it.effect("is run by the next to come once its lease is over", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        yield* abandon(name, ada, "-1 second")
        const { about, write: put } = write(ada)

        const first = yield* once(name, put).pipe(as(ada))
        const again = yield* once(name, put).pipe(as(ada))

        assert.deepStrictEqual([first.replayed, again.replayed, yield* about], [false, true, "run 1"])
      })
    )

    it.effect("is run by one of 20 that come at once", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        yield* abandon(name, ada, "-1 second")
        const { about, write: put } = write(ada)
        const attempt = once(name, put).pipe(
          as(ada),
          Effect.match({ onFailure: () => "refused", onSuccess: ({ replayed }) => (replayed ? "replayed" : "ran") })
        )

        const outcomes = yield* Effect.all(Array(20).fill(attempt) as Array<typeof attempt>, parallel)

        assert.strictEqual(outcomes.filter((outcome) => outcome === "ran").length, 1)
        assert.strictEqual(yield* about, "run 1")
      })
    )

    it.effect("undoes what it did when its key is held by another in the end", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const { about, write: put } = write(ada)
        // The one transaction that the embedded database can have at a time is the slow one's own.
        const claim = CustomerSql.use((sql) => abandonBy(sql, name, ada, "30 seconds"))
        const slow = { ...put, run: Effect.tap(put.run, () => Effect.orDie(claim)) }

        const error = yield* Effect.flip(once(name, slow).pipe(as(ada)))

        assert.deepStrictEqual([error.code, yield* about], ["idempotency_in_progress", null])
      })
    )
  })

  describe("A write that calls a provider", () => {
    it.effect("keeps its steps though it fails in the end, and its answer", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const { ada } = yield* people
        const name = named()
        const { about, runs, write: put } = write(ada, Effect.fail(answer("declined", 402)))
        const calling = { ...put, callsOut: true }

        yield* once(name, calling).pipe(as(ada))
        const again = yield* once(name, calling).pipe(as(ada))

        assert.deepStrictEqual([again.replayed, again.answer.status, runs()], [true, 402, 1])
        assert.strictEqual(yield* about, "run 1")
      })
    )

    it.effect("keeps nobody waiting meanwhile, and loses its say once another has taken over", () =>
      Effect.gen(function* () {
        const { once } = yield* Idempotency
        const sql = yield* SqlClient.SqlClient
        const { ada } = yield* people
        const name = named()
        const begun = yield* Deferred.make<void>()
        const provider = yield* Deferred.make<Answer>()
        const slow = write(ada, Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(provider)))

        const fiber = yield* Effect.forkChild(once(name, { ...slow.write, callsOut: true }).pipe(as(ada), Effect.flip))
        yield* Deferred.await(begun)
        const meanwhile = yield* Effect.flip(once(name, write(ada).write).pipe(as(ada)))
        yield* sql`UPDATE idempotency_keys SET claimed_until = now() - interval '1 second' WHERE key = ${name.key}`
        const second = yield* once(name, write(ada, Effect.succeed(answer("second"))).write).pipe(as(ada))
        yield* Deferred.succeed(provider, answer("first"))
        const late = yield* Fiber.join(fiber)
        const replay = yield* once(name, write(ada).write).pipe(as(ada))

        assert.strictEqual(meanwhile.code, "idempotency_in_progress")
        assert.strictEqual(second.replayed, false)
        assert.strictEqual(late.code, "idempotency_in_progress")
        assert.strictEqual(Buffer.from(replay.answer.body).toString(), "second")
      })
    )
  })
})

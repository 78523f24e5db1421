import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { token, withHmac } from "../support/Issuer.ts"
import { newcomer, people, placeOrder } from "../support/People.ts"

/** Takes a table away and puts it back: every statement about it fails meanwhile. */
const withoutTable = (name: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rename = (from: string, to: string) =>
      Effect.orDie(sql`ALTER TABLE ${sql.literal(from)} RENAME TO ${sql.literal(to)}`)
    yield* Effect.acquireRelease(rename(name, "taken_away"), () => rename("taken_away", name))
  })

/** Postgres refuses to change customers, with this for a reason. */
const refusing = Effect.fnUntraced(function* (code: string) {
  const sql = yield* SqlClient.SqlClient
  yield* Effect.acquireRelease(
    Effect.orDie(
      sql.unsafe(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '${code}'; END $$`)
    ),
    () => Effect.orDie(sql`DROP FUNCTION refuse CASCADE`)
  )
  yield* Effect.orDie(sql`CREATE TRIGGER refuse BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION refuse()`)
})

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A failure of ours", () => {
    it.effect("says nothing but that it is one, and stands in the log once, under the request's id", () =>
      Effect.gen(function* () {
        const { call, logs } = yield* App
        const { ada } = yield* people
        yield* withoutTable("orders")

        const answer = yield* call(ada, "GET", "/client-data/orders/SECRET-REFERENCE?token=SECRET-QUERY")

        assertProblem(answer, 500, "internal_error")
        assert.notMatch(answer.text, /sql|orders"|relation|taken|portico_|Error:|node_modules|\.ts/i)
        const lines = logs.filter(({ annotations }) => annotations["requestId"] === answer.headers["x-request-id"])
        assert.deepStrictEqual(
          lines.map(({ level, message }) => [level, message]),
          [
            ["ERROR", "Unexpected failure"],
            ["INFO", "Answered"]
          ]
        )
        assert.include(lines[0]!.cause, 'relation "orders" does not exist')
        assert.notInclude(lines.map(({ text }) => text).join(), "SECRET")
      })
    )

    it.effect(
      "that is for want of disk or memory is said to pass, and what it was about happens when there is some",
      () =>
        Effect.gen(function* () {
          const { call } = yield* App
          const { ada } = yield* people
          const write = call(ada, "PUT", "/client-data/profile", {
            body: { name: "Ada L." },
            headers: { "idempotency-key": "for-want" }
          })

          for (const code of ["53100", "53200"]) {
            const refused = yield* refusing(code).pipe(Effect.andThen(write), Effect.scoped)
            assertProblem(refused, 503, "service_unavailable")
          }
          const repeated = yield* write

          assert.deepStrictEqual([repeated.status, repeated.json.name], [200, "Ada L."])
        })
    )

    it.effect("of a write with an idempotency key is not kept: it can be repeated", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const options = { body: { name: "Ada L." }, headers: { "idempotency-key": "after-failure" } }

        const failed = yield* withoutTable("customers").pipe(
          Effect.andThen(call(ada, "PUT", "/client-data/profile", options)),
          Effect.scoped
        )
        const repeated = yield* call(ada, "PUT", "/client-data/profile", options)

        assert.strictEqual(failed.status, 500)
        assert.deepStrictEqual([repeated.status, repeated.headers["idempotency-replayed"]], [200, undefined])
      })
    )
  })

  describe("Who somebody is", () => {
    it.effect("is not asked of the database for a bad token", () =>
      Effect.gen(function* () {
        const { call, tokenOf } = yield* App
        const { ada, eve } = yield* people
        const good = yield* tokenOf(eve)
        yield* withoutTable("orgs")

        const unknown = yield* call(eve, "GET", "/client-data/profile")
        const bad = yield* Effect.forEach([`${good}x`, good.replace(/.$/, ""), "none"], (jwt) =>
          call(ada, "GET", "/client-data/profile", { headers: { authorization: `Bearer ${jwt}` } })
        )
        const elsewhere = yield* call(eve, "GET", "/client-data/profile", { headers: { orgid: "elsewhere" } })

        assertProblem(unknown, 500, "internal_error")
        for (const answer of bad) assertProblem(answer, 401, "invalid_token")
        assertProblem(elsewhere, 403, "org_mismatch")
      })
    )

    it.effect("is asked once in five seconds, so that meanwhile a read is one statement", () =>
      Effect.gen(function* () {
        const { advance, call } = yield* App
        const { ada } = yield* people
        yield* call(ada, "GET", "/client-data/profile")
        yield* withoutTable("orgs")

        const known = yield* call(ada, "GET", "/client-data/profile")
        yield* advance("5001 millis")
        const forgotten = yield* call(ada, "GET", "/client-data/profile")

        assert.strictEqual(known.status, 200)
        assertProblem(forgotten, 500, "internal_error")
      })
    )
  })

  describe("The log", () => {
    it.effect("has one line for each request, with where it went and whose it was", () =>
      Effect.gen(function* () {
        const { call, logs, platformOf } = yield* App
        const { acme, ada } = yield* people
        const order = yield* placeOrder(ada)
        const platform = yield* platformOf(acme)
        const facts = Effect.fnUntraced(function* (...args: Parameters<typeof call>) {
          const { headers } = yield* call(...args)
          const lines = logs.filter(({ annotations }) => annotations["requestId"] === headers["x-request-id"])
          assert.strictEqual(lines.length, 1)
          const { ms, requestId: _, ...rest } = lines[0]!.annotations
          assert.isAtLeast(ms as number, 0)
          assert.deepStrictEqual([lines[0]!.level, lines[0]!.message], ["INFO", "Answered"])
          return rest
        })

        assert.deepStrictEqual(yield* facts(ada, "GET", `/api/client-data/orders/${order.id}`), {
          method: "GET",
          route: "/client-data/orders/:orderId",
          status: 200,
          org: acme,
          customer: "ada"
        })
        assert.deepStrictEqual(yield* facts(platform, "GET", "/platform/customers/ada"), {
          method: "GET",
          route: "/platform/customers/:customerId",
          status: 200,
          org: acme
        })
        assert.deepStrictEqual(yield* facts(undefined, "GET", "/client-data/nope?x=1"), {
          method: "GET",
          route: "unmatched",
          status: 401
        })
      })
    )

    it.effect("holds no token, key, query, header or personal data, whatever becomes of the request", () =>
      Effect.gen(function* () {
        const { call, logs, platformOf, tokenOf } = yield* App
        const { acme, ada } = yield* people
        const canary = "CANARY7"
        const email = `${canary}@acme.example`
        const first = newcomer(acme, "first", { name: canary, email, phoneNumber: "+442079460958" })
        const platform = yield* platformOf(acme)
        const forged = token({ alg: "HS256", kid: canary }, { ...ada.claims, name: canary }, withHmac(canary))
        const wrong = { body: { name: canary, phone: canary, [canary]: canary } }
        const from = logs.length

        yield* call(first, "GET", "/client-data/profile", { headers: { cookie: canary, "user-agent": canary } })
        yield* call(first, "PUT", "/client-data/profile", { body: { about: canary, phone: "+442079460959" } })
        yield* call(first, "PUT", "/client-data/profile", { ...wrong, headers: { "idempotency-key": canary } })
        yield* call(first, "PUT", "/client-data/profile", { body: `{${canary}` })
        yield* call(ada, "GET", `/client-data/${canary}?${canary}=${canary}`)
        yield* call(ada, "GET", `/client-data/orders/${canary}?cursor=${canary}`)
        yield* call(ada, "GET", "/client-data/profile", { headers: { authorization: `Bearer ${forged}` } })
        yield* call(ada, "GET", "/client-data/profile", { headers: { "x-request-id": `${canary} x` } })
        yield* call({ ...platform, key: canary }, "PUT", "/platform/customers/first", { body: { email } })
        yield* call(platform, "PUT", "/platform/customers/first", { body: { email, userId: canary } })
        yield* call(platform, "PUT", "/platform/customers/ada", { body: { userId: canary } })
        yield* withoutTable("customers").pipe(
          Effect.andThen(call(platform, "PUT", "/platform/customers/first", { body: { email, userId: canary } })),
          Effect.andThen(call(ada, "PUT", "/client-data/profile", { body: { name: canary } })),
          Effect.scoped
        )

        const text = logs
          .slice(from)
          .map(({ text }) => text)
          .join("\n")
        const statuses = logs.slice(from).map(({ annotations }) => annotations["status"])
        assert.includeMembers(statuses, [200, 400, 401, 404, 409, 500])
        for (const secret of [canary, yield* tokenOf(first), yield* tokenOf(ada), platform.key, "4420794609"]) {
          assert.notInclude(text, secret)
        }
      })
    )

    it.effect("stays one line a record, whatever a caller sends", () =>
      Effect.gen(function* () {
        const { call, logs } = yield* App
        const { ada } = yield* people
        const from = logs.length

        yield* call(ada, "GET", "/client-data/orders/%0d%0a%1b%5b31m%22%7d%0ainjected")
        yield* call(ada, "GET", "/client-data/profile", { headers: { "x-request-id": '"},"level":"FATAL' } })

        for (const { text } of logs.slice(from)) {
          assert.notMatch(text, /[\r\n\u001b]/)
          assert.strictEqual(JSON.parse(text).level, "INFO")
        }
      })
    )
  })
})

import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import * as MailOff from "../../src/layers/MailOff.ts"
import * as SmsOff from "../../src/layers/SmsOff.ts"
import { Deliveries } from "../../src/services/Deliveries.ts"
import { DeliveryQueue } from "../../src/services/DeliveryQueue.ts"
import { DeliveryWorkers } from "../../src/services/DeliveryWorkers.ts"
import { SharedLimits } from "../../src/services/SharedLimits.ts"
import { Verification } from "../../src/services/Verification.ts"
import { assertInvalid, assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { Channels, layer as channels } from "../support/Channels.ts"
import { type Customer, makeCustomer, makeOrg, newcomer, nextNumber, people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const queue = DeliveryQueue.layerWith({
  lockExpiration: "10 seconds",
  lockRefreshInterval: "2 seconds",
  pollInterval: "50 millis"
})

/** Verification over channels that a test can read, and the workers that use them. */
const services = Layer.fresh(
  Layer.merge(
    Verification.layer.pipe(Layer.provide([Deliveries.layer, SharedLimits.layer])),
    DeliveryWorkers.layerWith({ workers: 4, lease: "20 seconds" })
  ).pipe(Layer.provide(queue), Layer.provideMerge(channels))
).pipe(Layer.provide(TestDatabase.layer), Layer.orDie)

/** Verification of an operator who has neither mail nor text messages. */
const off = Layer.fresh(
  Verification.layer.pipe(
    Layer.provide([Deliveries.layer, SharedLimits.layer]),
    Layer.provide(queue),
    Layer.provide([MailOff.layer, SmsOff.layer]),
    Layer.provide(channels)
  )
).pipe(Layer.provide(TestDatabase.layer), Layer.orDie)

const root = "/client-data/verification"
const post = (who: Customer, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  App.use(({ call }) => call(who, "POST", `${root}/${path}`, { body, headers }))
const status = (who: Customer) => App.use(({ call }) => call(who, "GET", `${root}/status`))

const address = () => `ada-${nextNumber()}@acme.example`
const newAda = (columns: Readonly<Record<string, unknown>>) =>
  Effect.flatMap(makeOrg("acme"), (orgId) => makeCustomer(orgId, "ada", columns))

/** The code that arrives there. */
const codeTo = (to: string) =>
  Channels.use(({ mails, texts }) =>
    Effect.sync(() => [...mails, ...texts].findLast((message) => message.to === to)?.code).pipe(
      Effect.repeat({ until: (code) => code !== undefined, schedule: Schedule.spaced("20 millis") }),
      Effect.timeout("10 seconds"),
      Effect.orDie,
      Effect.map((code) => code!)
    )
  )

const other = (code: string) => (code === "000000" ? "111111" : "000000")

layer(TestApp.layerWith({}, services), { excludeTestServices: true })("Verification", (it) => {
  it.effect("changes an address from end to end: the old one stays until the new one is proven", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { mails } = yield* Channels
      const [old, next] = [address(), address()]
      const ada = yield* newAda({ email: old, emailVerified: true, language: "fr" })

      const sent = yield* post(ada, "email/send", { email: next })
      const waiting = yield* status(ada)
      const code = yield* codeTo(next)
      const wrong = yield* post(ada, "email/verify", { code: other(code) })
      const proven = yield* post(ada, "email/verify", { code })
      const profile = yield* call(ada, "GET", "/client-data/profile")

      assert.strictEqual(sent.status, 200)
      assert.deepStrictEqual(Object.keys(sent.json), ["channel", "to", "expiresAt", "resendAt", "attemptsLeft"])
      assert.deepInclude(sent.json, { channel: "email", to: "a***@acme.example", attemptsLeft: 5 })
      const phone = { value: null, verified: false, verifiedAt: null, pending: null }
      assert.deepStrictEqual(waiting.json, {
        email: { value: old, verified: true, verifiedAt: null, pending: next },
        phone
      })
      assertProblem(wrong, 400, "invalid_code")
      assert.strictEqual(wrong.json.attemptsLeft, 4)
      assert.strictEqual(proven.status, 200)
      assert.deepInclude(proven.json.email, { value: next, verified: true, pending: null })
      assert.deepInclude(profile.json, { email: next, emailVerified: true, version: 2 })
      assert.strictEqual(mails.find(({ to }) => to === next)!.subject, "Votre code de vérification")
    })
  )

  it.effect("says what is wrong in words that clients know", () =>
    Effect.gen(function* () {
      const { advance } = yield* App
      const email = address()
      const ada = yield* newAda({ email, phone: "+14155552671", phoneVerified: true })
      const none = newcomer(ada.orgId, "newcomer")

      assertProblem(yield* post(none, "email/send", {}), 400, "nothing_to_verify")
      assertProblem(yield* post(none, "phone/send", {}), 400, "nothing_to_verify")
      assertProblem(yield* post(ada, "phone/send", {}), 409, "already_verified")
      assertProblem(yield* post(ada, "email/verify", { code: "123456" }), 400, "code_expired")
      assertInvalid(yield* post(ada, "email/send", { email: "no address" }), "/body/email")
      assertInvalid(yield* post(ada, "phone/send", { phone: "+19005550100" }), "/body/phone")
      assertInvalid(yield* post(ada, "email/verify", {}), "/body/code")
      assertInvalid(yield* post(ada, "email/send", { phone: "+14155552671" }), "/body/phone")

      yield* post(ada, "email/send", {})
      const soon = yield* post(ada, "email/send", {})
      assertProblem(soon, 429, "resend_too_soon")
      assert.strictEqual(soon.headers["retry-after"], String(soon.json.retryAfter))
      assert.isTrue(soon.json.retryAfter >= 58 && soon.json.retryAfter <= 60)

      const code = yield* codeTo(email)
      const wrong = yield* Effect.forEach([1, 2, 3, 4, 5], () => post(ada, "email/verify", { code: other(code) }))
      assert.deepStrictEqual(
        wrong.map(({ json, status }) => [status, json.code, json.attemptsLeft]),
        [...[4, 3, 2, 1].map((left) => [400, "invalid_code", left]), [429, "too_many_attempts", undefined]]
      )
      assertProblem(yield* post(ada, "email/verify", { code }), 429, "too_many_attempts")
      yield* advance("10 minutes")
      assertProblem(yield* post(ada, "email/verify", { code }), 400, "code_expired")
    })
  )

  it.effect("keeps counting wrong guesses that carry an Idempotency-Key, and answers a right one again", () =>
    Effect.gen(function* () {
      const email = address()
      const ada = yield* newAda({ email })
      const first = yield* post(ada, "email/send", {}, { "idempotency-key": "send" })
      const again = yield* post(ada, "email/send", {}, { "idempotency-key": "send" })
      const code = yield* codeTo(email)

      const wrong = yield* Effect.forEach([1, 2, 3], (n) =>
        post(ada, "email/verify", { code: other(code) }, { "idempotency-key": n === 3 ? "another" : "one" })
      )
      const right = yield* post(ada, "email/verify", { code }, { "idempotency-key": "right" })
      const replayed = yield* post(ada, "email/verify", { code }, { "idempotency-key": "right" })

      assert.strictEqual(again.text, first.text)
      assert.strictEqual(again.headers["idempotency-replayed"], "true")
      assert.deepStrictEqual(
        wrong.map(({ json }) => json.attemptsLeft),
        [4, 3, 2]
      )
      assert.deepStrictEqual([right.status, replayed.status, replayed.text], [200, 200, right.text])
    })
  )

  it.effect("of a number that the token brought is the same as of any other", () =>
    Effect.gen(function* () {
      const orgId = yield* makeOrg("acme")
      const phone = "+447400123456"
      const ada = newcomer(orgId, "ada", { email: address(), emailVerified: true, phoneNumber: phone })

      const before = yield* status(ada)
      const sent = yield* post(ada, "phone/send", {})
      const proven = yield* post(ada, "phone/verify", { code: yield* codeTo(phone) })

      assert.deepInclude(before.json.email, { verified: true, verifiedAt: null })
      assert.deepInclude(before.json.phone, { value: phone, verified: false })
      assert.deepInclude(sent.json, { channel: "phone", to: "+44********56" })
      assert.deepInclude(proven.json.phone, { value: phone, verified: true })
    })
  )

  it.effect("is each customer's own: nobody else's code, nor a code of the other channel, proves anything", () =>
    Effect.gen(function* () {
      const { ada, eve, mallory, namesake } = yield* people
      const [hers, phone] = [address(), "+447400123457"]
      yield* post(ada, "email/send", { email: hers })
      const code = yield* codeTo(hers)
      yield* post(ada, "phone/send", { phone })
      const bySms = yield* codeTo(phone)

      for (const stranger of [eve, mallory, namesake]) {
        const foreign = yield* post(stranger, "email/verify", { code })
        const missing = yield* post(stranger, "email/verify", { code: other(code) })
        assertProblem(foreign, 400, "code_expired")
        assert.deepStrictEqual({ ...foreign.json, requestId: "" }, { ...missing.json, requestId: "" })
      }
      if (code !== bySms) assertProblem(yield* post(ada, "phone/verify", { code }), 400, "invalid_code")
      for (const text of [
        ` ${code}`,
        `${code} `,
        [...code].map((d) => String.fromCodePoint(0xff10 + Number(d))).join("")
      ]) {
        assertProblem(yield* post(ada, "email/verify", { code: text }), 400, "invalid_code")
      }
      assert.strictEqual((yield* post(ada, "email/verify", { code })).status, 200)
      assertProblem(yield* post(ada, "email/verify", { code }), 400, "code_expired")
    })
  )

  it.effect("answers alike for an address that somebody has proven and one that nobody has", () =>
    Effect.gen(function* () {
      const { acme, ada, eve } = yield* people
      const taken = address()
      yield* makeCustomer(acme, "owner", { email: taken, emailVerified: true })

      const toTaken = yield* post(ada, "email/send", { email: taken })
      const toFree = yield* post(eve, "email/send", { email: address() })

      const shape = ({ headers, json, status }: typeof toTaken) => [
        status,
        { ...json, expiresAt: "", resendAt: "" },
        Object.keys(headers).sort()
      ]
      assert.deepStrictEqual(shape(toTaken), shape(toFree))
    })
  )

  it.effect("leaves its codes in no log line, no answer and no row", () =>
    Effect.gen(function* () {
      const { logs } = yield* App
      const email = address()
      const ada = yield* newAda({ email })

      const sent = yield* post(ada, "email/send", {}, { "idempotency-key": "send" })
      const code = yield* codeTo(email)
      const wrong = yield* post(ada, "email/verify", { code: `${code} ` }, { "idempotency-key": "wrong" })
      const proven = yield* post(ada, "email/verify", { code }, { "idempotency-key": "right" })

      const found = (text: string) => new RegExp(`(?<![\\d.])${code}(?!\\d)`).test(text)
      for (const { text } of [sent, wrong, proven]) assert.isFalse(found(text))
      for (const { text } of logs) assert.isFalse(found(text), text)
      const sql = yield* SqlClient.SqlClient
      const tables = yield* sql<{ readonly name: string }>`
        SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`
      for (const { name } of tables) {
        const rows = yield* sql`SELECT row_to_json(t)::text AS row FROM ${sql.literal(name)} AS t`
        assert.isFalse(found(JSON.stringify(rows)), name)
      }
    })
  )

  it.effect("shows an operator how much waits and what was sent, and nothing about whom", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { react } = yield* Channels
      const email = address()
      react(email, () => Effect.void)
      const ada = yield* newAda({ email })
      yield* post(ada, "email/send", {})
      yield* codeTo(email)

      const metrics = yield* call(undefined, "GET", "/metrics").pipe(
        Effect.repeat({ until: ({ text }) => /portico_deliveries_total/.test(text), schedule: Schedule.spaced(50) })
      )

      assert.match(metrics.text, /portico_deliveries_total\{channel="email",state="sent"\} \d+/)
      assert.match(metrics.text, /portico_deliveries_waiting \d+/)
      assert.match(metrics.text, /portico_deliveries_oldest_seconds \d+/)
      assert.notInclude(metrics.text, "acme.example")
    })
  )
})

layer(TestApp.layerWith({}, off), { excludeTestServices: true })("Without channels, verification", (it) => {
  it.effect("says that it is not set up, and shows what is verified all the same", () =>
    Effect.gen(function* () {
      const ada = yield* newAda({ email: address(), phone: "+14155552671" })

      assertProblem(yield* post(ada, "email/send", {}), 503, "integration_not_configured")
      assertProblem(yield* post(ada, "phone/send", {}), 503, "integration_not_configured")
      assert.strictEqual((yield* status(ada)).status, 200)
    })
  )
})

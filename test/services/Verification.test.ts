import { assert, describe, layer } from "@effect/vitest"
import { type Duration, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import type { VerificationChannel } from "../../src/domain/Verification.ts"
import { Codes } from "../../src/services/Codes.ts"
import { Deliveries, labelOf } from "../../src/services/Deliveries.ts"
import { DeliveryQueue } from "../../src/services/DeliveryQueue.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { SharedLimits } from "../../src/services/SharedLimits.ts"
import { SmsBudget } from "../../src/services/SmsBudget.ts"
import { Verification } from "../../src/services/Verification.ts"
import { layer as channels } from "../support/Channels.ts"
import { as, type Customer, makeCustomer, makeOrg, nextNumber } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestServices from "../support/TestServices.ts"
import { later } from "../support/Time.ts"

const services = Layer.mergeAll(
  Verification.layer.pipe(Layer.provide([Deliveries.layer, SharedLimits.layer])),
  Profiles.layer
).pipe(
  Layer.provide(DeliveryQueue.layer),
  Layer.provideMerge(channels),
  Layer.provide(Layer.succeed(SmsBudget, { dailyLimit: 12, countries: new Set(["US", "GB", "DE"]) })),
  Layer.provideMerge(TestDatabase.layer)
)

const parallel = { concurrency: "unbounded" } as const

const send = (customer: Customer, channel: VerificationChannel, to?: string, after: Duration.Input = 0) =>
  Verification.use((verification) => verification.send(channel, to)).pipe(as(customer), later(after))
const verify = (customer: Customer, channel: VerificationChannel, code: string, after: Duration.Input = 0) =>
  Verification.use((verification) => verification.verify(channel, code)).pipe(as(customer), later(after))
const status = (customer: Customer) => Verification.use(({ status }) => status).pipe(as(customer))
const profile = (customer: Customer) => Profiles.use(({ get }) => get).pipe(as(customer))

/** The codes that were sent to an address or number, oldest first. */
const codesTo = Effect.fnUntraced(function* (customer: Customer, to: string) {
  const sql = yield* SqlClient.SqlClient
  const codes = yield* Codes
  const rows = yield* sql<{ readonly id: string; readonly sealedCode: string }>`
    SELECT id, sealed_code FROM deliveries
    WHERE org_id = ${customer.orgId} AND customer_id = ${customer.customerId} AND target = ${to}
      AND sealed_code IS NOT NULL
    ORDER BY id`
  return rows.map(({ id, sealedCode }) => Redacted.value(codes.open(sealedCode, labelOf(customer.orgId, id))))
})

const codeTo = (customer: Customer, to: string) => Effect.map(codesTo(customer, to), (codes) => codes.at(-1)!)

/** Six digits that no code to the address is. */
const wrongFor = (customer: Customer, to: string) =>
  Effect.map(codesTo(customer, to), (codes) => ["000000", "111111", "222222"].find((code) => !codes.includes(code))!)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onSuccess: () => "done", onFailure: ({ _tag }) => _tag })

const email = "ada@acme.example"
const newAda = (columns: Readonly<Record<string, unknown>> = {}) =>
  Effect.flatMap(makeOrg("acme"), (orgId) => makeCustomer(orgId, "ada", { name: "Ada", email, ...columns }))
/** A mobile number of the calling test's own. */
const mobile = () => `+4474001${String(10_000 + nextNumber())}`

layer(services, { excludeTestServices: true })((it) => {
  describe("A code", () => {
    it.effect("proves the profile's own address, once", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()

        const sent = yield* send(ada, "email")
        const code = yield* codeTo(ada, email)
        const proven = yield* verify(ada, "email", code)
        const again = yield* tagOf(verify(ada, "email", code))

        assert.deepInclude(sent, { channel: "email", to: "a***@acme.example", attemptsLeft: 5 })
        assert.strictEqual(sent.expiresAt.getTime() - sent.resendAt.getTime(), 540_000)
        assert.match(code, /^\d{6}$/)
        assert.deepInclude(proven.email, { value: email, verified: true, pending: null })
        assert.isNotNull(proven.email.verifiedAt)
        assert.strictEqual(again, "CodeExpired")
        const { emailVerified, version } = yield* profile(ada)
        assert.deepStrictEqual([emailVerified, version], [true, 2])
        assert.strictEqual(yield* tagOf(send(ada, "email")), "AlreadyVerified")
      })
    )

    it.effect("proves a phone number, and the number that follows is not proven with it", () =>
      Effect.gen(function* () {
        const phone = mobile()
        const ada = yield* newAda({ phone })

        const sent = yield* send(ada, "phone")
        const proven = yield* verify(ada, "phone", yield* codeTo(ada, phone))
        const next = mobile()
        yield* Profiles.use((profiles) => profiles.change({ phone: next })).pipe(as(ada))
        const changed = yield* status(ada)

        assert.strictEqual(sent.to, `+44********${phone.slice(-2)}`)
        assert.deepInclude(proven.phone, { value: phone, verified: true, pending: null })
        assert.deepStrictEqual(changed.phone, { value: next, verified: false, verifiedAt: null, pending: null })
      })
    )

    for (const [ends, seconds, outcome] of [
      ["is good until 10 minutes are over", 599, "done"],
      ["is worth nothing when 10 minutes are over", 600, "CodeExpired"]
    ] as const) {
      it.effect(ends, () =>
        Effect.gen(function* () {
          const ada = yield* newAda()
          yield* send(ada, "email")
          const code = yield* codeTo(ada, email)

          assert.strictEqual(yield* tagOf(verify(ada, "email", code, `${seconds} seconds`)), outcome)
        })
      )
    }

    it.effect("already under way stays good until its own end when another is sent", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        yield* send(ada, "email")
        yield* send(ada, "email", undefined, "5 minutes")
        const [first, second] = yield* codesTo(ada, email)
        const eve = yield* newAda()
        yield* send(eve, "email")
        yield* send(eve, "email", undefined, "5 minutes")
        const [old, fresh] = yield* codesTo(eve, email)

        assert.strictEqual(yield* tagOf(verify(ada, "email", first!, "9 minutes")), "done")
        assert.strictEqual(yield* tagOf(verify(ada, "email", second!, "9 minutes")), "CodeExpired")
        assert.strictEqual(yield* tagOf(verify(eve, "email", old!, "11 minutes")), "InvalidCode")
        assert.strictEqual(yield* tagOf(verify(eve, "email", fresh!, "11 minutes")), "done")
      })
    )

    it.effect("is six digits that anything may begin with, each as often as another", () =>
      Effect.gen(function* () {
        const codes = new Array<string>()
        for (let n = 0; n < 30; n++) {
          const ada = yield* newAda()
          yield* send(ada, "email")
          codes.push(yield* codeTo(ada, email))
        }

        assert.isTrue(codes.every((code) => /^\d{6}$/.test(code)))
        assert.isAbove(new Set(codes).size, 28)
        assert.isAbove(new Set(codes.map((code) => code[0])).size, 4)
      })
    )
  })

  describe("A new address", () => {
    it.effect("waits beside the old one until it is proven, and the old one is told", () =>
      Effect.gen(function* () {
        const ada = yield* newAda({ emailVerified: true, language: "de-AT" })
        const next = "ada@lovelace.example"

        yield* send(ada, "email", next)
        const waiting = yield* status(ada)
        const before = yield* profile(ada)
        const proven = yield* verify(ada, "email", yield* codeTo(ada, next))
        const after = yield* profile(ada)

        assert.deepInclude(waiting.email, { value: email, verified: true, pending: next })
        assert.deepStrictEqual([before.email, before.version], [email, 1])
        assert.deepInclude(proven.email, { value: next, verified: true, pending: null })
        assert.deepStrictEqual([after.email, after.emailVerified, after.version], [next, true, 2])
        const sql = yield* SqlClient.SqlClient
        const [notice] = yield* sql<{ readonly message: { readonly subject: string; readonly text: string } }>`
          SELECT message FROM deliveries WHERE org_id = ${ada.orgId} AND target = ${email}`
        assert.strictEqual(notice!.message.subject, "Ihre E-Mail-Adresse wurde geändert")
        assert.include(notice!.message.text, "a***@lovelace.example")
      })
    )

    it.effect("that was typed wrong gives way to the next, whose code alone counts", () =>
      Effect.gen(function* () {
        const ada = yield* newAda({ emailVerified: true })

        yield* send(ada, "email", "ada@lovelcae.example")
        yield* send(ada, "email", "ada@lovelace.example")
        const mistyped = yield* codeTo(ada, "ada@lovelcae.example")
        const right = yield* codeTo(ada, "ada@lovelace.example")

        assert.strictEqual(yield* tagOf(verify(ada, "email", mistyped)), mistyped === right ? "done" : "InvalidCode")
        assert.strictEqual((yield* verify(ada, "email", right)).email.value, "ada@lovelace.example")
      })
    )

    it.effect("is forgotten when the profile gets another in the meantime: no code of before brings it back", () =>
      Effect.gen(function* () {
        const [first, second, third] = [mobile(), mobile(), mobile()]
        const ada = yield* newAda({ phone: first })
        yield* send(ada, "phone")
        const code = yield* codeTo(ada, first)

        yield* Profiles.use((profiles) => profiles.change({ phone: second })).pipe(as(ada))
        const toFirst = yield* tagOf(verify(ada, "phone", code))
        yield* send(ada, "phone", third)
        yield* Profiles.use((profiles) => profiles.change({ phone: null })).pipe(as(ada))
        const toThird = yield* tagOf(verify(ada, "phone", yield* codeTo(ada, third)))

        assert.deepStrictEqual([toFirst, toThird], ["CodeExpired", "CodeExpired"])
        assert.deepInclude((yield* status(ada)).phone, { value: null, pending: null })
      })
    )

    it.effect("may be somebody else's already, which nobody is told", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const taken = "taken@acme.example"
        yield* makeCustomer(orgId, "eve", { email: taken, emailVerified: true })
        const ada = yield* makeCustomer(orgId, "ada", { email })

        const toTaken = yield* send(ada, "email", taken)
        const toFree = yield* send(ada, "email", "tfree@acme.example")

        const known = ({ attemptsLeft, channel, to }: typeof toTaken) => ({ attemptsLeft, channel, to })
        assert.deepStrictEqual(known(toTaken), known(toFree))
        assert.strictEqual((yield* codesTo(ada, taken)).length, 1)
      })
    )
  })

  describe("Wrong codes", () => {
    it.effect("leave four more tries, three, two, one, and then the code is dead", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        yield* send(ada, "email")
        const [right, wrong] = [yield* codeTo(ada, email), yield* wrongFor(ada, email)]

        const left = new Array<number>()
        for (let n = 0; n < 4; n++) {
          const error = yield* Effect.flip(verify(ada, "email", wrong))
          assert.strictEqual(error._tag, "InvalidCode")
          if (error._tag === "InvalidCode") left.push(error.attemptsLeft)
        }
        const fifth = yield* Effect.flip(verify(ada, "email", wrong))
        const late = yield* Effect.flip(verify(ada, "email", right))
        const afterwards = yield* tagOf(verify(ada, "email", right, "10 minutes"))

        assert.deepStrictEqual(left, [4, 3, 2, 1])
        assert.deepStrictEqual(
          [fifth._tag, late._tag, afterwards],
          ["TooManyAttempts", "TooManyAttempts", "CodeExpired"]
        )
        assert.isFalse((yield* status(ada)).email.verified)
      })
    )

    it.effect("count for all codes under way together, and a code sent afterwards begins anew", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        yield* send(ada, "email")
        for (let n = 0; n < 4; n++) yield* Effect.flip(verify(ada, "email", "no code"))

        const resent = yield* send(ada, "email", undefined, "61 seconds")
        const fifth = yield* tagOf(verify(ada, "email", "no code", "62 seconds"))
        const dead = yield* tagOf(verify(ada, "email", yield* codeTo(ada, email), "63 seconds"))
        const anew = yield* send(ada, "email", undefined, "122 seconds")
        const right = yield* tagOf(verify(ada, "email", yield* codeTo(ada, email), "123 seconds"))

        assert.deepStrictEqual([resent.attemptsLeft, anew.attemptsLeft], [1, 5])
        assert.deepStrictEqual([fifth, dead, right], ["TooManyAttempts", "TooManyAttempts", "done"])
      })
    )

    it.effect("are 50 a day at most for one address, however many codes are sent", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        let evaluated = 0
        for (let hour = 0; hour < 23; hour++) {
          for (let minutes = 0; minutes < 5; minutes++) {
            const at = hour * 3_600_000 + minutes * 61_000 + hour * 1000
            yield* Effect.exit(send(ada, "email", undefined, at))
            for (let n = 0; n < 5; n++) {
              const before = yield* guesses(ada)
              yield* Effect.exit(verify(ada, "email", "no code", at + 1000))
              evaluated += (yield* guesses(ada)) - before
            }
          }
        }
        const last = 22 * 3_600_000 + 4 * 61_000 + 22_000
        const right = yield* tagOf(verify(ada, "email", yield* codeTo(ada, email), last + 2000))

        assert.strictEqual(evaluated, 50)
        assert.strictEqual(right, "TooManyAttempts")
      })
    )

    it.effect("200 of them at once are looked at 5 times, and the right one comes too late", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        yield* send(ada, "email")
        const right = yield* codeTo(ada, email)
        const wrong = Array.from({ length: 200 }, (_, n) => String(100_000 + n)).map((code) =>
          code === right ? "999999" : code
        )

        const tags = yield* Effect.forEach(wrong, (code) => tagOf(verify(ada, "email", code)), parallel)

        assert.strictEqual(tags.filter((tag) => tag === "InvalidCode").length, 4)
        assert.strictEqual(tags.filter((tag) => tag === "TooManyAttempts").length, 196)
        assert.strictEqual(yield* guesses(ada), 5)
        assert.strictEqual(yield* tagOf(verify(ada, "email", right)), "TooManyAttempts")
      })
    )

    it.effect("64 right ones at once succeed once", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        yield* send(ada, "email", "ada@lovelace.example")
        const right = yield* codeTo(ada, "ada@lovelace.example")

        const tags = yield* Effect.forEach(
          Array.from({ length: 64 }),
          () => tagOf(verify(ada, "email", right)),
          parallel
        )

        assert.strictEqual(tags.filter((tag) => tag === "done").length, 1)
        assert.strictEqual(tags.filter((tag) => tag === "CodeExpired").length, 63)
        assert.strictEqual((yield* profile(ada)).version, 2)
      })
    )

    it.effect("are another's, another channel's, the right one with spaces, in other digits, or cut", () =>
      Effect.gen(function* () {
        const phone = mobile()
        const ada = yield* newAda({ phone })
        const eve = yield* makeCustomer(ada.orgId, "eve", { email: "eve@acme.example" })
        yield* send(eve, "email")
        const hers = yield* codeTo(eve, "eve@acme.example")
        yield* send(ada, "email")
        yield* send(ada, "phone")
        const [byMail, bySms] = [yield* codeTo(ada, email), yield* codeTo(ada, phone)]
        const arabic = byMail.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)))
        if (hers === byMail || byMail === bySms) return

        const onPhone = yield* tagOf(verify(ada, "phone", byMail))
        const others = [hers, ` ${byMail}`, arabic, byMail.slice(0, 5)]
        const tags = yield* Effect.forEach(others, (code) => tagOf(verify(ada, "email", code)))

        assert.deepStrictEqual(
          [onPhone, ...tags],
          Array.from({ length: 5 }, () => "InvalidCode")
        )
        assert.strictEqual(yield* tagOf(verify(ada, "email", byMail)), "done")
      })
    )
  })

  describe("Sending", () => {
    it.effect("goes by the pace: a minute apart, five an hour, and says when the next may be", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        const soon = yield* Effect.andThen(send(ada, "email"), Effect.flip(send(ada, "email", undefined, "20 seconds")))
        for (const minutes of [1, 2, 3]) yield* send(ada, "email", undefined, minutes * 60_100)
        const fifth = yield* send(ada, "email", undefined, 4 * 60_100)
        const sixth = yield* Effect.flip(send(ada, "email", undefined, "10 minutes"))
        const hourLater = yield* tagOf(send(ada, "email", undefined, "61 minutes"))

        assert.strictEqual(soon._tag, "ResendTooSoon")
        if (soon._tag === "ResendTooSoon") assert.approximately(soon.retryAfter, 40, 2)
        assert.approximately(fifth.resendAt.getTime() - Date.now(), 3_600_000, 5000)
        assert.strictEqual(sixth._tag, "ResendTooSoon")
        if (sixth._tag === "ResendTooSoon") assert.approximately(sixth.retryAfter, 3000, 5)
        assert.strictEqual(hourLater, "done")
      })
    )

    it.effect("20 times at once happens once", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()

        const tags = yield* Effect.forEach(Array.from({ length: 20 }), () => tagOf(send(ada, "email")), parallel)

        assert.strictEqual(tags.filter((tag) => tag === "done").length, 1)
        assert.strictEqual(tags.filter((tag) => tag === "ResendTooSoon").length, 19)
        assert.strictEqual((yield* codesTo(ada, email)).length, 1)
      })
    )

    it.effect("by SMS spares numbers that earn somebody something, and countries that are not served", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()

        for (const phone of ["+19005550100", "+18005550100", "+448000111222", "+447012345678", "+33612345678"]) {
          assert.strictEqual(yield* tagOf(send(ada, "phone", phone)), "InvalidRequest", phone)
        }
        assert.strictEqual(yield* tagOf(send(ada, "phone", "+14155552671")), "done")
      })
    )

    it.effect("by SMS to ever new numbers ends with the customer's hour, and then with the org's day", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        const eve = yield* makeCustomer(ada.orgId, "eve")

        const hers = yield* Effect.forEach(Array.from({ length: 11 }), () => tagOf(send(ada, "phone", mobile())))
        const others = yield* Effect.forEach(Array.from({ length: 3 }), () => tagOf(send(eve, "phone", mobile())))

        assert.deepStrictEqual(hers, [...Array.from({ length: 10 }, () => "done"), "ResendTooSoon"])
        assert.deepStrictEqual(others, ["done", "done", "RateLimited"])
      })
    )

    it.effect("to one address in the name of ever new customers ends without a word", () =>
      Effect.gen(function* () {
        const orgId = yield* makeOrg("acme")
        const victim = "victim@acme.example"

        for (let n = 0; n < 25; n++) {
          const customer = yield* makeCustomer(orgId, `customer-${n}`)
          assert.strictEqual((yield* send(customer, "email", victim)).attemptsLeft, 5)
        }

        const sql = yield* SqlClient.SqlClient
        const sent = yield* sql`SELECT 1 FROM deliveries WHERE org_id = ${orgId} AND target = ${victim}`
        assert.strictEqual(sent.length, 20)
      })
    )

    it.effect("is for what there is to prove", () =>
      Effect.gen(function* () {
        const ada = yield* newAda({ emailVerified: true })

        assert.strictEqual(yield* tagOf(send(ada, "phone")), "NothingToVerify")
        assert.strictEqual(yield* tagOf(send(ada, "email")), "AlreadyVerified")
        assert.strictEqual(yield* tagOf(send(ada, "email", email)), "AlreadyVerified")
        assert.strictEqual(yield* tagOf(verify(ada, "email", "123456")), "CodeExpired")
      })
    )

    it.effect("speaks the profile's language, and English where it has no words", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const subjects = new Array<string>()
        for (const language of ["de", "fr-CA", "es-419", "pt-BR", "en-GB", "ja", null]) {
          const ada = yield* newAda({ language })
          yield* send(ada, "email")
          const [row] = yield* sql<{ readonly message: { readonly subject: string; readonly html: string } }>`
            SELECT message FROM deliveries WHERE org_id = ${ada.orgId}`
          subjects.push(row!.message.subject)
          assert.include(row!.message.html, "<strong>{code}</strong>")
        }

        assert.deepStrictEqual(subjects, [
          "Ihr Bestätigungscode",
          "Votre code de vérification",
          "Su código de verificación",
          "O seu código de verificação",
          "Your verification code",
          "Your verification code",
          "Your verification code"
        ])
      })
    )
  })

  describe("Strangers", () => {
    for (const [guard, set] of TestServices.guards) {
      it.effect(`neither see nor use nor spoil each other's codes, by ${guard}`, () =>
        Effect.gen(function* () {
          yield* set
          const ada = yield* newAda()
          const eve = yield* makeCustomer(ada.orgId, "eve", { email })
          const namesake = yield* makeCustomer(yield* makeOrg("other"), "ada", { email })
          yield* send(ada, "email")
          const code = yield* codeTo(ada, email)

          for (const stranger of [eve, namesake]) {
            assert.strictEqual(yield* tagOf(verify(stranger, "email", code)), "CodeExpired")
            assert.deepInclude((yield* status(stranger)).email, { verified: false, pending: null })
            yield* send(stranger, "email")
            for (let n = 0; n < 5; n++) yield* Effect.exit(verify(stranger, "email", "no code"))
          }

          assert.strictEqual(yield* tagOf(verify(ada, "email", code)), "done")
          assert.deepStrictEqual([(yield* profile(eve)).version, (yield* profile(namesake)).version], [1, 1])
        })
      )
    }

    it.effect("get nowhere with a code copied from another customer's row", () =>
      Effect.gen(function* () {
        const ada = yield* newAda()
        const eve = yield* makeCustomer(ada.orgId, "eve", { email })
        const namesake = yield* makeCustomer(yield* makeOrg("other"), "ada", { email })
        yield* Effect.forEach([ada, eve, namesake], (customer) => send(customer, "email"))
        const code = yield* codeTo(ada, email)
        const sql = yield* SqlClient.SqlClient
        yield* sql`
          UPDATE verification_codes SET hash = hers.hash FROM verification_codes AS hers
          WHERE hers.org_id = ${ada.orgId} AND hers.customer_id = ${ada.customerId}`

        assert.strictEqual(yield* tagOf(verify(eve, "email", code)), "InvalidCode")
        assert.strictEqual(yield* tagOf(verify(namesake, "email", code)), "InvalidCode")
        assert.strictEqual(yield* tagOf(verify(ada, "email", code)), "done")
      })
    )
  })

  it.effect("A code is nowhere in the database while it waits, but sealed and hashed", () =>
    Effect.gen(function* () {
      const ada = yield* newAda()
      yield* send(ada, "email")
      const code = yield* codeTo(ada, email)
      yield* Effect.exit(verify(ada, "email", "no code"))

      const sql = yield* SqlClient.SqlClient
      const tables = yield* sql<{ readonly name: string }>`
        SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`
      for (const { name } of tables) {
        const rows = yield* sql`SELECT row_to_json(t)::text AS row FROM ${sql.literal(name)} AS t`
        // Timestamps have fractions of six digits.
        const text = JSON.stringify(rows).replace(/\d\d:\d\d:\d\d\.\d+/g, "")
        assert.isFalse(new RegExp(`(?<!\\d)${code}(?!\\d)`).test(text), name)
      }
    })
  )
})

/** How many guesses of a customer's were looked at. */
function guesses(customer: Customer) {
  return SqlClient.SqlClient.use(
    (sql) => sql<{ readonly guesses: number }>`
      SELECT coalesce(sum(guesses), 0)::int AS guesses FROM verification_codes
      WHERE org_id = ${customer.orgId} AND customer_id = ${customer.customerId}`
  ).pipe(Effect.map(([row]) => row!.guesses))
}

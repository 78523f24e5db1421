import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App, type Options } from "../support/App.ts"
import { operations } from "../support/OpenApiDocument.ts"
import { people } from "../support/People.ts"

const path = "/client-data/payment-methods"
// Of Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay and Maestro: https://docs.stripe.com/testing
const numbers = [
  "4242424242424242",
  "4000056655665556",
  "5555555555554444",
  "2223003122003222",
  "378282246310005",
  "30569309025904",
  "6011111111111117",
  "3566002020360505",
  "6200000000000005",
  "6304000000000000000",
  "630490017740"
]
const number = numbers[0]!
const grouped = (separator: string) => number.replace(/(\d{4})(?=\d)/g, `$1${separator}`)
const wide = number.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))
const escaped = number.replace(/\d/g, (digit) => `\\u003${digit}`)

/** Everything that is in the database, as text. */
const everything = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ readonly name: string }>`
    SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`
  const texts = yield* Effect.forEach(tables, ({ name }) =>
    Effect.map(
      sql<{
        readonly text: string | null
      }>`SELECT string_agg(all_of::text, ' ') AS text FROM ${sql.literal(name)} AS all_of`,
      ([row]) => row?.text ?? ""
    )
  )
  const [answers] = yield* sql<{ readonly text: string | null }>`
    SELECT string_agg(encode(body, 'escape'), ' ') AS text FROM idempotency_keys`
  return `${texts.join("\n")}\n${answers?.text ?? ""}`
})

/** Groups of digits without what stands between them, so that none hides. */
const digitsIn = (text: string) => text.normalize("NFKC").replace(/(?<=\d)[\s.\-–\\u003]+(?=\d)/g, "")

layer(TestApp.layer, { excludeTestServices: true })("A card number", (it) => {
  describe("is refused", () => {
    const places: ReadonlyArray<readonly [string, "POST" | "PUT" | "DELETE", string, Options]> = [
      ...numbers.map(
        (number) => [`as the id, ${number.length} digits`, "POST", path, { body: { paymentMethodId: number } }] as const
      ),
      ["in groups", "POST", path, { body: { paymentMethodId: grouped(" ") } }],
      ["with dashes", "POST", path, { body: { paymentMethodId: grouped("-") } }],
      ["with other dashes", "POST", path, { body: { paymentMethodId: grouped("–") } }],
      ["with dots", "POST", path, { body: { paymentMethodId: grouped(".") } }],
      ["in wide digits", "POST", path, { body: { paymentMethodId: wide } }],
      ["in escapes", "POST", path, { body: `{"paymentMethodId":"${escaped}"}` }],
      ["after pm_", "POST", path, { body: { paymentMethodId: `pm_${number}` } }],
      ["with what is on the card besides", "POST", path, { body: { paymentMethodId: `${grouped(" ")} 12/27 123` } }],
      ["as a number", "POST", path, { body: { paymentMethodId: Number(number) } }],
      ["under a key that is not known", "POST", path, { body: { card: { number, cvc: "123" } } }],
      ["as a key", "POST", path, { body: { [number]: true } }],
      ["deep inside", "POST", path, { body: { a: [[{ b: [number] }]] } }],
      ["in what is no JSON", "POST", path, { body: `{"number": ${number}` }],
      ["as text/plain", "POST", path, { body: { number }, headers: { "content-type": "text/plain" } }],
      ["with an Idempotency-Key", "POST", path, { body: { number }, headers: { "idempotency-key": "a-key" } }],
      ["as the Idempotency-Key", "POST", path, { body: {}, headers: { "idempotency-key": number } }],
      ["as a setup token", "POST", path, { body: { type: "paypal", setupToken: number } }],
      ["in a setup", "POST", `${path}/setup`, { body: { type: number } }],
      ["in the path of a removal", "DELETE", `${path}/${number}`, { headers: { "idempotency-key": "a-key" } }],
      ["in the path, encoded", "PUT", `${path}/${encodeURIComponent(grouped(" "))}/default`, {}],
      ["in a body that nobody asked for", "PUT", `${path}/pm_any/default`, { body: { number } }]
    ]

    for (const [name, method, at, options] of places) {
      it.effect(name, () =>
        Effect.gen(function* () {
          const { call, logs } = yield* App
          const { ada } = yield* people
          const logged = logs.length

          const answer = yield* call(ada, method, at, options)

          assertProblem(answer, 400, "card_number_refused")
          const said = [JSON.stringify(answer.headers), answer.text, ...logs.slice(logged).map(({ text }) => text)]
          for (const number of numbers) assert.notInclude(digitsIn(said.join(" ")), number)
        })
      )
    }
  })

  it.effect("has left no trace in any log line or row after all that", () =>
    Effect.gen(function* () {
      const { call, logs } = yield* App
      const { ada } = yield* people
      yield* call(ada, "POST", path, { body: { number, type: number, more: grouped(" ") } })
      const kept = yield* everything

      assert.isAbove(logs.length, 30)
      for (const number of numbers) {
        assert.notInclude(digitsIn(kept), number)
        assert.notInclude(digitsIn(logs.map(({ text }) => text).join("\n")), number)
      }
      const keys = yield* SqlClient.SqlClient.use((sql) => sql`SELECT 1 FROM idempotency_keys`)
      assert.isEmpty(keys)
    })
  )

  it.effect("or a secret that is posted anywhere else is in no log line, and where it is refused in no row", () =>
    Effect.gen(function* () {
      const { call, logs, platformOf, tokenOf } = yield* App
      const { acme, ada } = yield* people
      const platform = yield* platformOf(acme)
      const [cvc, secret] = ["cvc-737", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"]
      const logged = logs.length

      const answers = yield* Effect.forEach(operations, ({ method, path }) => {
        if (method === "get" || path.startsWith("/client-data/payment-methods")) return Effect.succeed(undefined)
        const at = `${path.replaceAll(/\{\w+\}/g, "none")}?card=${number}&secret=${secret}`
        return call(path.startsWith("/platform") ? platform : ada, method.toUpperCase(), at, {
          body: { number, card: { number: grouped(" "), cvc, secret }, [number]: secret }
        })
      })

      const refused = answers.filter((answer) => answer !== undefined)
      assert.isAbove(refused.length, 20)
      for (const { status, text } of refused) {
        assert.isTrue(status < 500 || status === 503)
        for (const word of [cvc, secret]) assert.notInclude(text, word)
      }
      const written = logs.slice(logged).map(({ text }) => text)
      assert.isAtLeast(written.length, refused.length)
      const words = [cvc, secret, platform.key, yield* tokenOf(ada)]
      const kept = `${written.join("\n")}\n${yield* everything}`
      for (const word of words) assert.notInclude(kept, word)
      assert.notInclude(digitsIn(kept), number)
    })
  )

  it.effect("is not seen in what only looks a little like one", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people

      const answers = yield* Effect.forEach(
        [
          [{ paymentMethodId: "pm_card_visa" }, String(1_732_360_000_123)],
          [{ paymentMethodId: "pm_4242424242424243" }, "20261123103000"],
          [{ paymentMethodId: "pm_1QRsT2LkdIwHu7ix0123bVwX" }, "00000000-0000-0000-0000-000000000000"]
        ] as const,
        ([body, key]) => call(ada, "POST", path, { body, headers: { "idempotency-key": key } })
      )

      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [201, 404, 404]
      )
    })
  )
})

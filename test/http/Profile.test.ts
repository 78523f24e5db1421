import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { makeCustomer, makeOrg, people, type Person } from "../support/People.ts"

const put = (who: Person, body: unknown) => App.use(({ call }) => call(who, "PUT", "/client-data/profile", { body }))

const messages = (json: any): ReadonlyArray<string> =>
  json.errors.map(({ message }: { readonly message: string }) => message)

layer(TestApp.layer, { excludeTestServices: true })("A profile's", (it) => {
  it.effect("phone is a number in E.164 that can exist, or the answer says what is wrong with it", () =>
    Effect.gen(function* () {
      const { ada } = yield* people

      for (const phone of ["+14155552671", "+442079460958", "+4930123456", "+5511987654321", null]) {
        const { json, status } = yield* put(ada, { phone })
        assert.deepStrictEqual([status, json.phone], [200, phone])
      }
      for (const [phone, why] of [
        ["4155552671", /E\.164.*plus sign/],
        ["+1 415 555 2671", /E\.164.*digits only/],
        ["+0155552671", /E\.164/],
        ["+1415555267\u0661", /E\.164/],
        ["", /E\.164/],
        ["+1", /E\.164/],
        ["+1".padEnd(17, "2"), /E\.164/],
        ["+15555555", /numbering plan/],
        ["+999123456789", /numbering plan/]
      ] as const) {
        const answer = yield* put(ada, { phone })
        assertInvalid(answer, "/body/phone")
        assert.match(messages(answer.json).join(), why)
      }
    })
  )

  it.effect("phone is no longer verified once it is another", () =>
    Effect.gen(function* () {
      const phone = "+442079460958"
      const ada = yield* makeCustomer(yield* makeOrg("acme"), "ada", { phone, phoneVerified: true })

      const same = yield* put(ada, { phone, name: "Ada" })
      const changed = yield* put(ada, { phone: "+442079460959" })

      assert.deepStrictEqual([same.json.phoneVerified, changed.json.phoneVerified], [true, false])
    })
  )

  it.effect("email changes by proving it, which the answer says", () =>
    Effect.gen(function* () {
      const { ada } = yield* people

      for (const email of ["new@acme.example", null, "ada@acme.example"]) {
        const answer = yield* put(ada, { email, name: "Changed as well?" })
        assertInvalid(answer, "/body/email")
        assert.match(messages(answer.json).join(), /\/client-data\/verification\/email\/send/)
      }
    })
  )

  it.effect("text may be as long as is said, counted in characters and not in bytes", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const one = "\u{1f9f5}"

      for (const [field, most] of [
        ["name", 120],
        ["about", 2000]
      ] as const) {
        const longest = yield* put(ada, { [field]: one.repeat(most) })
        assert.deepStrictEqual([longest.status, longest.json[field]], [200, one.repeat(most)])
        const tooLong = yield* put(ada, { [field]: one.repeat(most + 1) })
        assertInvalid(tooLong, `/body/${field}`)
        assert.match(messages(tooLong.json).join(), new RegExp(`at most ${most} characters`))
      }
      assertInvalid(yield* put(ada, { name: "" }), "/body/name")
      assert.strictEqual((yield* put(ada, { about: "" })).json.about, "")
    })
  )

  it.effect("language is a BCP 47 tag", () =>
    Effect.gen(function* () {
      const { ada } = yield* people

      for (const language of ["en", "pt-BR", "zh-Hant-TW", "sr-Latn-RS", "de-1996"]) {
        assert.strictEqual((yield* put(ada, { language })).json.language, language)
      }
      for (const language of ["", "english", "e", "en_GB", "en-", "-en", "en-a", "x", "en-US-u", "12"]) {
        assertInvalid(yield* put(ada, { language }), "/body/language")
      }
    })
  )

  it.effect("time zone is one of the IANA's, which an order's days can be counted in", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people

      for (const timezone of [
        "Europe/Berlin",
        "UTC",
        "America/Argentina/Buenos_Aires",
        "Asia/Kolkata",
        "Etc/GMT+12",
        "EST5EDT"
      ]) {
        assert.strictEqual((yield* put(ada, { timezone })).json.timezone, timezone)
        assert.strictEqual((yield* call(ada, "GET", "/client-data/orders?from=2026-03-29&to=2026-03-29")).status, 200)
      }
      for (const timezone of [
        "",
        "Berlin",
        "Europe/Atlantis",
        "+01:00",
        "GMT+25",
        "CAT",
        "IST",
        "pst",
        "Mars/Olympus",
        "../etc"
      ]) {
        assertInvalid(yield* put(ada, { timezone }), "/body/timezone")
      }
    })
  )

  it.effect("id in the platform's paths is one of up to 128 plain characters", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const acme = yield* makeOrg("acme")
      const platform = yield* platformOf(acme)

      for (const id of ["a", "crm:4711", "A.b_c-D", "x".repeat(128)]) {
        const answer = yield* call(platform, "PUT", `/platform/customers/${id}`, { body: {} })
        assert.deepStrictEqual([answer.status, answer.json.id], [200, id])
      }
      for (const id of ["x".repeat(129), "a%20b", "a%2Fb", "%2A", "%C3%A9", "a;b", "%2E%2E%2F"]) {
        assertInvalid(yield* call(platform, "PUT", `/platform/customers/${id}`, { body: {} }), "/path/customerId")
      }
    })
  )
})

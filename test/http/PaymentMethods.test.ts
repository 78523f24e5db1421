import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { atLocalStripe } from "../support/Payments.ts"
import { as, type Customer, people } from "../support/People.ts"

const path = "/client-data/payment-methods"
const post = (who: Customer, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  App.use(({ call }) => call(who, "POST", path, { body, headers }))
const list = (who: Customer) => App.use(({ call }) => Effect.map(call(who, "GET", path), ({ json }) => json.data))

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A payment method", () => {
    it.effect("is added, listed, preferred and removed", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        const visa = yield* post(ada, { paymentMethodId: "pm_card_visa" })
        const amex = yield* post(ada, { type: "card", paymentMethodId: "pm_card_amex", setAsDefault: false })
        const again = yield* post(ada, { paymentMethodId: visa.json.id })
        const preferred = yield* call(ada, "PUT", `${path}/${amex.json.id}/default`)
        const listed = yield* call(ada, "GET", path)
        const removed = yield* call(ada, "DELETE", `${path}/${amex.json.id}`)
        const repeated = yield* call(ada, "DELETE", `${path}/${amex.json.id}`)

        assert.deepStrictEqual([visa.status, visa.headers["location"]], [201, `${path}/${visa.json.id}`])
        const { createdAt, id, ...rest } = visa.json
        assert.match(id, /^pm_\w+$/)
        assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        assert.deepStrictEqual(rest, {
          type: "card",
          brand: "visa",
          last4: "4242",
          expMonth: 12,
          expYear: rest.expYear,
          email: null,
          isDefault: true,
          status: "active"
        })
        assert.deepStrictEqual([again.status, again.json, again.headers["location"]], [200, visa.json, undefined])
        assert.deepStrictEqual([preferred.status, preferred.json], [200, { ...amex.json, isDefault: true }])
        assert.deepStrictEqual(listed.json.data, [preferred.json, { ...visa.json, isDefault: false }])
        assert.deepInclude(listed.json, { total: 2, hasNext: false, page: 1, nextCursor: null })
        assert.deepStrictEqual([removed.status, removed.text], [204, ""])
        assertProblem(repeated, 404, "payment_method_not_found")
        assert.deepStrictEqual(yield* list(ada), [visa.json])
      })
    )

    it.effect("is added by what fetch() sends when nobody says that it is JSON, here and nowhere else", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const plain = { "content-type": "text/plain;charset=UTF-8" }

        const added = yield* post(ada, { paymentMethodId: "pm_card_visa", setAsDefault: true }, plain)
        const invalid = yield* post(ada, { paymentMethodId: "visa" }, plain)
        const setup = yield* call(ada, "POST", `${path}/setup`, { body: { type: "card" }, headers: plain })
        const xml = yield* post(ada, "<card/>", { "content-type": "application/xml" })

        assert.strictEqual(added.status, 201)
        assertInvalid(invalid, "/body/paymentMethodId")
        for (const answer of [setup, xml]) assertProblem(answer, 415, "unsupported_media_type")
      })
    )

    it.effect("is begun with what the browser needs", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const setup = (type: string) => call(ada, "POST", `${path}/setup`, { body: { type } })

        const card = yield* setup("card")
        const payPal = yield* setup("paypal")
        const added = yield* post(ada, { type: "paypal", setupToken: payPal.json.setupToken })

        assert.deepStrictEqual([card.status, card.json.provider], [200, "stripe"])
        assert.match(card.json.clientSecret, /^seti_\w+_secret_\w+$/)
        assert.deepStrictEqual([payPal.status, payPal.json.provider], [200, "paypal"])
        assert.match(payPal.json.approvalUrl, /^https:\/\//)
        assert.deepInclude(added.json, { type: "paypal", brand: null, last4: null, isDefault: true, status: "active" })
        assertInvalid(yield* setup("gold"), "/body/type")
      })
    )

    it.effect("that is refused says why", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        const hers = yield* post(eve, { paymentMethodId: "pm_card_visa" })

        const declined = yield* post(ada, { paymentMethodId: "pm_card_visa_chargeDeclinedInsufficientFunds" })
        const taken = yield* post(ada, { paymentMethodId: hers.json.id })
        const unknown = yield* post(ada, { paymentMethodId: "pm_unknown" })

        assertProblem(declined, 402, "card_declined")
        assert.strictEqual(declined.json.detail, "Your card has insufficient funds.")
        assertProblem(taken, 409, "payment_method_in_use")
        assertProblem(unknown, 404, "payment_method_not_found")
        assertInvalid(yield* post(ada, {}), "/body/paymentMethodId")
        assertInvalid(yield* post(ada, { paymentMethodId: "pm_card_visa", cvc: "123" }), "/body/cvc")
        assertInvalid(yield* post(ada, { paymentMethodId: "pm_card_visa", setAsDefault: "yes" }), "/body/setAsDefault")
        assert.deepStrictEqual(yield* list(ada), [])
      })
    )

    it.effect("of somebody else answers as one that does not exist", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada, eve, namesake } = yield* people
        const { json } = yield* post(ada, { paymentMethodId: "pm_card_visa" })
        const nobodys = "pm_ABCDEFGHIJKLMNOPQRSTUVWX"

        for (const stranger of [eve, namesake]) {
          for (const [method, of] of [
            ["DELETE", (id: string) => `${path}/${id}`],
            ["PUT", (id: string) => `${path}/${id}/default`]
          ] as const) {
            const [foreign, missing] = [
              yield* call(stranger, method, of(json.id)),
              yield* call(stranger, method, of(nobodys))
            ]
            assertProblem(foreign, 404, "payment_method_not_found")
            assert.deepStrictEqual(traits(foreign, of(json.id)), traits(missing, of(nobodys)))
          }
        }
        assert.deepStrictEqual(yield* list(ada), [json])
      })
    )
  })

  describe("With an Idempotency-Key", () => {
    it.effect("a card is added once, and a decline stays a decline", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const key = { "idempotency-key": "one" }

        const first = yield* post(ada, { paymentMethodId: "pm_card_visa", setAsDefault: true }, key)
        const again = yield* post(ada, ` {"setAsDefault":true,"paymentMethodId":"pm_card_visa"}`, key)
        const other = yield* post(ada, { paymentMethodId: "pm_card_amex" }, key)
        const declines = yield* Effect.replicateEffect(
          post(ada, { paymentMethodId: "pm_card_chargeDeclined" }, { "idempotency-key": "two" }),
          2
        )

        assert.deepStrictEqual([again.status, again.text], [201, first.text])
        assert.strictEqual(again.headers["idempotency-replayed"], "true")
        assert.strictEqual(again.headers["location"], first.headers["location"])
        assertProblem(other, 422, "idempotency_key_reused")
        assert.deepStrictEqual(
          declines.map(({ headers, status }) => [status, headers["idempotency-replayed"]]),
          [
            [402, undefined],
            [402, "true"]
          ]
        )
        assert.strictEqual((yield* atLocalStripe.pipe(as(ada))).length, 1)
      })
    )

    it.effect("and a hundred of the same at once, one is added, the others hear that it runs or what came of it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const answers = yield* Effect.all(
          Array.from({ length: 100 }, () =>
            post(ada, { paymentMethodId: "pm_card_visa" }, { "idempotency-key": "same" })
          ),
          { concurrency: "unbounded" }
        )

        assert.isTrue(answers.every(({ status }) => status === 201 || status === 409))
        assert.strictEqual(
          answers.filter(({ headers, status }) => status === 201 && headers["idempotency-replayed"] === undefined)
            .length,
          1
        )
        assert.strictEqual((yield* list(ada)).length, 1)
      })
    )
  })
})

import { assert, layer } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer, Redacted, References } from "effect"
import * as CardVaultStripe from "../../src/layers/CardVaultStripe.ts"
import { randomId } from "../../src/layers/LocalVault.ts"
import * as PayPalVaultLocal from "../../src/layers/PayPalVaultLocal.ts"
import * as StripeEventsSigned from "../../src/layers/StripeEventsSigned.ts"
import { PaymentEvents } from "../../src/services/PaymentEvents.ts"
import { PaymentMethods } from "../../src/services/PaymentMethods.ts"
import { PaymentSettlement } from "../../src/services/PaymentSettlement.ts"
import { SharedLimits } from "../../src/services/SharedLimits.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { add, openChecks, patienceEnds, settled, shown } from "../support/Payments.ts"
import { as, type Customer, people } from "../support/People.ts"
import { answering } from "../support/StandIn.ts"
import * as StripeStandIn from "../support/StripeStandIn.ts"
import { signed } from "../support/StripeStandIn.ts"

const secret = "whsec_of_this_endpoint"
const elsewhere = "whsec_of_another_org"

class AtStripe extends Context.Service<AtStripe, StripeStandIn.StripeStandIn>()("AtStripe") {}

/** Payment methods at a Stripe that reports what happens there. */
const atStripe = Layer.unwrap(
  Effect.map(StripeStandIn.listen(), (site) => {
    const secretKey = Redacted.make(StripeStandIn.key)
    const providers = Layer.mergeAll(
      CardVaultStripe.layer({ secretKey, baseUrl: new URL(site.baseUrl) }),
      PayPalVaultLocal.layer,
      StripeEventsSigned.layer,
      SharedLimits.layer
    )
    return Layer.mergeAll(PaymentMethods.layer, PaymentEvents.layer).pipe(
      Layer.provideMerge(PaymentSettlement.layer),
      Layer.provide(providers),
      Layer.provideMerge(Layer.succeed(AtStripe, site)),
      Layer.provide(
        ConfigProvider.layer(
          ConfigProvider.fromEnv({ env: { STRIPE_WEBHOOK_SECRET: `${secret}, another-org:${elsewhere}` } })
        )
      ),
      Layer.fresh
    )
  })
)

const event = (type: string, object: object, more: object = {}) => ({
  id: randomId("evt_"),
  object: "event",
  type,
  created: Math.floor(Date.now() / 1000),
  data: { object, ...more }
})

const send = Effect.fnUntraced(function* (
  orgId: string,
  { body, headers }: { readonly body: string; readonly headers: Readonly<Record<string, string>> }
) {
  const { call } = yield* App
  return yield* call(undefined, "POST", `/webhooks/stripe/${orgId}`, { body, headers })
})

/** A customer with a visa, the default, and an amex. */
const withCards = (customer: Customer) =>
  Effect.gen(function* () {
    const site = yield* AtStripe
    const [visa, amex] = [site.mint(), site.mint("amex")]
    yield* add(visa.id)
    yield* add(amex.id)
    return { site, visa, amex, reads: () => site.count(/^GET .*\/payment_methods$/) }
  }).pipe(as(customer))

const quietly = Effect.provideService(References.MinimumLogLevel, "None")

layer(TestApp.layerWith({}, atStripe as never as Layer.Layer<AtStripe | PaymentMethods | PaymentSettlement>), {
  excludeTestServices: true
})("What Stripe reports", (it) => {
  it.effect("is taken in: a card that was detached is gone, one that was renewed is good for longer", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { amex, visa } = yield* withCards(ada)

      const customer = visa.customer
      visa.customer = null
      visa.used = true
      const detached = event("payment_method.detached", visa, { previous_attributes: { customer } })
      const first = yield* send(ada.orgId, signed(detached, secret))
      Object.assign(amex.card, { exp_year: 2040, last4: "1234" })
      const second = yield* send(ada.orgId, signed(event("payment_method.automatically_updated", amex), secret))

      assert.deepStrictEqual([first.status, first.json, second.status], [200, { received: true }, 200])
      const { data } = yield* PaymentMethods.use((methods) => methods.list({})).pipe(as(ada))
      assert.deepStrictEqual(
        data.map(({ expYear, id, isDefault, last4 }) => [id, last4, expYear, isDefault]),
        [[amex.id, "1234", 2040, true]]
      )
    })
  )

  it.effect("is followed when another card was made the default there", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { amex, site } = yield* withCards(ada)
      const customer = site.customers.get(amex.customer!)!
      customer.default = amex.id

      yield* send(ada.orgId, signed(event("customer.updated", { id: customer.id, object: "customer" }), secret))

      assert.deepStrictEqual(yield* shown.pipe(as(ada)), ["amex*", "visa"])
    })
  )

  it.effect("counts once, however often and at once it is sent", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { amex, reads } = yield* withCards(ada)
      const message = signed(event("payment_method.updated", amex), secret)
      const before = reads()

      const answers = yield* Effect.all(
        Array.from({ length: 10 }, () => send(ada.orgId, message)),
        { concurrency: "unbounded" }
      )
      const later = yield* send(ada.orgId, message)

      assert.deepStrictEqual(new Set([...answers, later].map(({ status }) => status)), new Set([200]))
      assert.strictEqual(reads() - before, 1)
    })
  )

  it.effect("may come in any order: what is true at Stripe now counts, not what an event says", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { amex } = yield* withCards(ada)
      const older = { ...amex, card: { ...amex.card, exp_year: 2028 } }
      Object.assign(amex.card, { exp_year: 2033 })

      yield* send(ada.orgId, signed(event("payment_method.updated", amex), secret))
      yield* send(ada.orgId, signed(event("payment_method.updated", older), secret))
      yield* send(ada.orgId, signed(event("payment_method.detached", { ...older, customer: null }), secret))

      const { data } = yield* PaymentMethods.use((methods) => methods.list({})).pipe(as(ada))
      assert.strictEqual(data.find(({ id }) => id === amex.id)?.expYear, 2033)
    })
  )

  it.effect("is refused when it is forged, altered, old, for another org, or for none", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { reads, visa } = yield* withCards(ada)
      const real = event("payment_method.detached", { ...visa, customer: null })
      const good = signed(real, secret)
      const before = reads()

      const wrong = [
        { ...good, headers: {} },
        { ...good, headers: { "stripe-signature": "" } },
        { ...good, headers: { "stripe-signature": "t=1,v1=" } },
        { ...good, headers: { "stripe-signature": "nonsense" } },
        { ...good, body: good.body.replace("detached", "detachee") },
        { ...good, body: "" },
        { ...good, body: "{" },
        signed(real, "whsec_of_a_stranger"),
        signed(real, elsewhere),
        signed(real, secret, Math.floor(Date.now() / 1000) - 301)
      ]
      const answers = yield* Effect.forEach(wrong, (message) => send(ada.orgId, message))
      const nowhere = yield* send("no-such-org", good)

      for (const answer of [...answers, nowhere]) assertProblem(answer, 400, "invalid_signature")
      const [{ instance: _, requestId: __, ...first }, { instance: ___, requestId: ____, ...last }] = [
        answers[0]!.json,
        nowhere.json
      ]
      assert.deepStrictEqual(last, first)
      assert.strictEqual(reads(), before)
      assert.deepStrictEqual(yield* shown.pipe(as(ada)), ["visa*", "amex"])
    })
  )

  it.effect("says nothing about customers of another org, and nothing that we do not follow", () =>
    Effect.gen(function* () {
      const { ada, other } = yield* people
      const { amex, reads } = yield* withCards(ada)
      const before = reads()

      const statuses = yield* Effect.forEach(
        [
          [other, event("payment_method.updated", amex)],
          [ada.orgId, event("payment_method.updated", { id: "pm_unknown", customer: "cus_unknown" })],
          [ada.orgId, event("charge.succeeded", { id: "ch_1", customer: amex.customer, card: 7 })],
          [ada.orgId, { id: "evt_", object: "something else" }]
        ] as const,
        ([orgId, event]) => Effect.map(send(orgId, signed(event, secret)), ({ status }) => status)
      )

      assert.deepStrictEqual([statuses, reads()], [[200, 200, 200, 200], before])
    })
  )

  it.effect("is taken in while Stripe itself is down, and followed later", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { amex, site } = yield* withCards(ada)
      amex.customer = null
      site.instead(/^GET /, answering(500, { error: {} }, { "stripe-should-retry": "false" }), 9)

      const { status } = yield* send(ada.orgId, signed(event("payment_method.detached", amex), secret))
      const meanwhile = [yield* shown.pipe(as(ada)), yield* openChecks(ada)]
      site.forget()
      yield* patienceEnds(ada)
      yield* settled(ada).pipe(as(ada))

      assert.deepStrictEqual([status, meanwhile], [200, [["visa*", "amex"], 1]])
      assert.deepStrictEqual(yield* shown.pipe(as(ada)), ["visa*"])
    }).pipe(quietly)
  )
})

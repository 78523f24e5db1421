import { assert, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted, References } from "effect"
import * as CardVaultOff from "../../src/layers/CardVaultOff.ts"
import * as CardVaultStripe from "../../src/layers/CardVaultStripe.ts"
import { PaymentMethods } from "../../src/services/PaymentMethods.ts"
import { PaymentSettlement } from "../../src/services/PaymentSettlement.ts"
import {
  add,
  addPayPal,
  idsOf,
  openChecks,
  patienceEnds,
  paymentsAt,
  remove,
  setDefault,
  settled,
  shown
} from "../support/Payments.ts"
import { as, type Customer, people } from "../support/People.ts"
import { answering, hanging } from "../support/StandIn.ts"
import * as StripeStandIn from "../support/StripeStandIn.ts"
import type { StripeStandIn as Site } from "../support/StripeStandIn.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const parallel = { concurrency: "unbounded" } as const

/** Stripe, and two processes of ours that share it and the database. */
const twoProcesses = Effect.gen(function* () {
  const site = yield* StripeStandIn.listen()
  const secretKey = Redacted.make(StripeStandIn.key)
  const process = Layer.build(paymentsAt(CardVaultStripe.layer({ secretKey, baseUrl: new URL(site.baseUrl) })))
  const [one, two] = [yield* process, yield* process]
  return { site, one, two }
})

type Process = Context.Context<PaymentMethods | PaymentSettlement>

const on =
  (process: Process, customer: Customer) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideContext(effect, process).pipe(as(customer))

/** What our rows say is what Stripe says: the cards, and the default one. */
const agree = Effect.fnUntraced(function* (site: Site, process: Process, customer: Customer) {
  const { data } = yield* PaymentMethods.use((methods) => methods.list({})).pipe(on(process, customer))
  const ofCustomer = [...site.customers.values()].filter(
    ({ metadata }) => metadata["customer_id"] === customer.customerId
  )
  assert.isAtMost(ofCustomer.length, 1)
  const held = ofCustomer[0] === undefined ? { ids: [], default: null } : site.of(ofCustomer[0].id)
  assert.sameMembers(
    held.ids,
    data.map(({ id }) => id)
  )
  assert.strictEqual(held.default, data.find(({ isDefault }) => isDefault)?.id ?? null)
  assert.isAtMost(data.filter(({ isDefault }) => isDefault).length, 1)
})

const quietly = Effect.provideService(References.MinimumLogLevel, "None")
const down = answering(500, { error: { type: "api_error" } }, { "stripe-should-retry": "false" })

layer(TestDatabase.layer, { excludeTestServices: true })("Payment methods at Stripe", (it) => {
  it.effect("have one customer there, however many first calls come at once in two processes", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site, two } = yield* twoProcesses
      const cards = Array.from({ length: 50 }, () => site.mint().id)

      const added = yield* Effect.forEach(cards, (id, index) => add(id).pipe(on(index % 2 ? one : two, ada)), parallel)

      assert.strictEqual(added.filter(({ added }) => added).length, 50)
      assert.strictEqual(site.customers.size, 1)
      assert.sameMembers([...(yield* idsOf.pipe(on(one, ada)))], cards)
      yield* agree(site, one, ada)
      assert.strictEqual(yield* openChecks(ada), 0)
    })
  )

  it.effect("have one default, here and there, after flips, removals and additions in two processes", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site, two } = yield* twoProcesses
      const cards = Array.from({ length: 5 }, () => site.mint().id)
      yield* Effect.forEach(cards, (id) => add(id).pipe(on(one, ada)))

      // So that what is asked first may well arrive last.
      site.latency = () => (site.asked.length * 7) % 20
      const flips = Array.from({ length: 50 }, (_, index) => Effect.ignore(setDefault(cards[index % 5]!)))
      const others = [remove(cards[0]!), add(site.mint().id, true), remove(cards[1]!), add(site.mint().id, true)]
      yield* Effect.forEach(
        [...flips, ...others],
        (doing, index) => doing.pipe(on(index % 2 ? one : two, ada)),
        parallel
      )

      yield* agree(site, two, ada)
      assert.strictEqual((yield* idsOf.pipe(on(one, ada))).length, 5)
    })
  )

  it.effect("have one owner when two customers add the same card at once", () =>
    Effect.gen(function* () {
      const { ada, eve } = yield* people
      const { one, site, two } = yield* twoProcesses
      const card = site.mint().id

      const outcomes = yield* Effect.all(
        [add(card).pipe(on(one, ada)), add(card).pipe(on(two, eve))].map((adding) =>
          Effect.match(adding, { onSuccess: ({ method }) => method.id, onFailure: ({ _tag }) => _tag })
        ),
        parallel
      )

      assert.sameMembers(outcomes, [card, "PaymentMethodInUse"])
      for (const customer of [ada, eve]) yield* agree(site, one, customer)
    })
  )

  it.effect("stay readable and as they were while Stripe is down", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site } = yield* twoProcesses
      const [visa, amex] = [site.mint().id, site.mint("amex").id]
      yield* Effect.forEach([visa, amex], (id) => add(id).pipe(on(one, ada)))
      site.instead(/./, down, 99)

      const failures = yield* Effect.forEach(
        [add(site.mint().id), remove(visa), setDefault(amex), PaymentMethods.use(({ setup }) => setup("card"))],
        (doing) => Effect.map(Effect.flip(doing.pipe(on(one, ada))), ({ _tag }) => _tag)
      )

      assert.deepStrictEqual(new Set(failures), new Set(["ProviderUnavailable"]))
      assert.deepStrictEqual(yield* shown.pipe(on(one, ada)), ["visa*", "amex"])
      site.forget()
      yield* agree(site, one, ada)
    }).pipe(quietly)
  )

  it.effect("are healed when Stripe did it and we heard nothing of it", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site, two } = yield* twoProcesses
      const visa = site.mint().id
      site.afterwards(/\/attach$/, down, 9)

      const failure = yield* Effect.flip(add(visa).pipe(on(one, ada)))
      const meanwhile = yield* shown.pipe(on(one, ada))
      site.forget()
      yield* patienceEnds(ada)
      yield* settled(ada).pipe(on(two, ada))

      assert.deepStrictEqual([failure._tag, meanwhile], ["ProviderUnavailable", []])
      assert.deepStrictEqual(yield* shown.pipe(on(one, ada)), ["visa*"])
      yield* agree(site, one, ada)
    }).pipe(quietly)
  )

  for (const [doing, of, what] of [
    ["added", /\/attach$/, (_: string, free: string) => add(free)],
    ["removed", /\/detach$/, (held: string) => remove(held)],
    ["made the default", /^POST \/v1\/customers\/cus_/, (held: string) => setDefault(held)]
  ] as const) {
    it.effect(`are healed when we die after Stripe has ${doing} one`, () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { one, site, two } = yield* twoProcesses
        const [visa, amex, jcb] = [site.mint(), site.mint("amex"), site.mint("jcb")].map(({ id }) => id)
        yield* Effect.forEach([visa!, amex!], (id) => add(id).pipe(on(one, ada)))
        const before = yield* shown.pipe(on(one, ada))

        // Stripe says yes, and nobody is there any more to hear it.
        site.afterwards(of, hanging)
        const dying = yield* Effect.forkChild(what(amex!, jcb!).pipe(on(one, ada)))
        yield* Effect.repeat(Effect.sync(() => site.count(of)).pipe(Effect.delay("5 millis")), {
          until: (count) => count > (doing === "made the default" ? 1 : doing === "added" ? 2 : 0)
        })
        yield* Fiber.interrupt(dying)
        const after = yield* shown.pipe(on(two, ada))
        assert.deepStrictEqual([after, yield* openChecks(ada)], [before, 1])

        yield* patienceEnds(ada)
        yield* settled(ada).pipe(on(two, ada))

        assert.deepStrictEqual(
          yield* shown.pipe(on(two, ada)),
          {
            added: ["visa*", "jcb", "amex"],
            removed: ["visa*"],
            "made the default": ["amex*", "visa"]
          }[doing]
        )
        yield* agree(site, two, ada)
      })
    )
  }

  it.effect("are healed by a second try as well", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site } = yield* twoProcesses
      const visa = site.mint().id
      site.afterwards(/\/attach$/, down, 9)
      yield* Effect.flip(add(visa).pipe(on(one, ada)))
      site.forget()

      const { added, method } = yield* add(visa).pipe(on(one, ada))

      assert.deepStrictEqual([added, method.id, site.count(/\/attach$/)], [true, visa, 0])
      yield* agree(site, one, ada)
    }).pipe(quietly)
  )

  it.effect("tell Stripe the default later if it could not be told at once", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site, two } = yield* twoProcesses
      site.instead(/^POST \/v1\/customers\/cus_/, down, 9)

      const { method } = yield* add(site.mint().id).pipe(on(one, ada))
      const [customer] = site.customers.values()
      const before = customer!.default
      site.forget()
      yield* patienceEnds(ada)
      yield* settled(ada).pipe(on(two, ada))

      assert.deepStrictEqual([method.isDefault, before], [true, null])
      yield* agree(site, one, ada)
    }).pipe(quietly)
  )

  it.effect("follow what was done at Stripe itself, a deleted customer included", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site } = yield* twoProcesses
      const [visa, amex] = [site.mint(), site.mint("amex")]
      yield* Effect.forEach([visa, amex], ({ id }) => add(id).pipe(on(one, ada)))
      const [customer] = site.customers.values()
      const settle = PaymentSettlement.use(({ settle }) => settle("stripe", [])).pipe(on(one, ada))

      visa.customer = null
      customer!.default = amex.id
      yield* settle
      const withoutVisa = yield* shown.pipe(on(one, ada))
      yield* agree(site, one, ada)

      site.customers.delete(customer!.id)
      amex.customer = null
      amex.used = true
      const jcb = yield* add(site.mint("jcb").id).pipe(on(one, ada))

      assert.deepStrictEqual([withoutVisa, jcb.method.isDefault], [["amex*"], true])
      assert.deepStrictEqual(yield* shown.pipe(on(one, ada)), ["jcb*"])
      yield* agree(site, one, ada)
    })
  )

  it.effect("say so where Stripe is switched off, and PayPal goes on", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const process = yield* Layer.build(paymentsAt(CardVaultOff.layer))

      const errors = [
        yield* Effect.flip(add("pm_card_visa").pipe(on(process, ada))),
        yield* Effect.flip(PaymentMethods.use(({ setup }) => setup("card")).pipe(on(process, ada)))
      ].map(({ _tag }) => _tag)
      const account = yield* addPayPal.pipe(on(process, ada))

      assert.deepStrictEqual(errors, ["IntegrationNotConfigured", "IntegrationNotConfigured"])
      assert.isTrue(account.method.isDefault)
      assert.strictEqual(yield* openChecks(ada), 0)
    })
  )

  it.effect("are removed only where they are the customer's own at Stripe too", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { one, site } = yield* twoProcesses
      const card = site.mint()
      yield* add(card.id).pipe(on(one, ada))
      card.customer = "cus_somebody"

      yield* remove(card.id).pipe(on(one, ada))

      assert.strictEqual(site.count(/\/detach$/), 0)
      assert.deepStrictEqual(yield* shown.pipe(on(one, ada)), [])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted, References } from "effect"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as CardVaultStripe from "../../src/layers/CardVaultStripe.ts"
import { CardVault } from "../../src/services/CardVault.ts"
import { answering, breakingOff, hanging, hangingUp, type Reply } from "../support/StandIn.ts"
import * as StripeStandIn from "../support/StripeStandIn.ts"
import { threeSeconds } from "../support/Time.ts"

const owner = { orgId: OrgId.make("acme"), customerId: CustomerId.make("ada"), email: "ada@acme.example", gone: null }

/** A Stripe that is asked through our adapter, with a customer and a card that is nobody's yet. */
const atStripe = Effect.fnUntraced(function* (
  baseUrl: (real: string) => string = (real) => real,
  key = StripeStandIn.key
) {
  const site = yield* StripeStandIn.listen()
  const secretKey = Redacted.make(key)
  const cards = yield* Effect.provide(
    CardVault,
    CardVaultStripe.layer({ secretKey, baseUrl: new URL(baseUrl(site.baseUrl)) })
  )
  const vaultId = key === StripeStandIn.key && baseUrl("") === "" ? yield* cards.open(owner) : "cus_any"
  return { site, cards, vaultId, card: site.mint() }
})

const asked = /^POST .*\/attach$/
const error = (status: number, more: object = {}, headers: Readonly<Record<string, string>> = {}) =>
  answering(status, { error: { type: "api_error", message: "No.", ...more } }, headers)
const times = (count: number, reply: Reply) => Array.from({ length: count }, () => reply)
const shape = (more: object) =>
  answering(200, {
    id: "pm_x",
    type: "card",
    customer: null,
    card: { brand: "visa", last4: "4242", exp_month: 12, exp_year: 2030 },
    ...more
  })

/** What Stripe does each time it is asked to attach a card, what becomes of it, and how often it was asked. */
const cases: ReadonlyArray<
  readonly [
    name: string,
    replies: ReadonlyArray<Reply>,
    outcome: "attached" | readonly [number, string],
    requests: number
  ]
> = [
  ["is well", [], "attached", 1],
  ["declines", [error(402, { type: "card_error", code: "card_declined" })], [402, "card_declined"], 1],
  ["is busy once", [error(429)], "attached", 2],
  ["is busy, for a second", [error(429, {}, { "retry-after": "1" })], "attached", 2],
  ["is busy, for half a minute", times(3, error(429, {}, { "retry-after": "30" })), [503, "provider_unavailable"], 1],
  ["stays busy", times(9, error(429)), [503, "provider_unavailable"], 3],
  ["fails once", [error(500)], "attached", 2],
  [
    "fails, and says not to repeat it",
    times(9, error(500, {}, { "stripe-should-retry": "false" })),
    [503, "provider_unavailable"],
    1
  ],
  ["stays broken", times(9, error(503)), [503, "provider_unavailable"], 3],
  ["still runs the same request", [error(409, { code: "idempotency_key_in_use" })], "attached", 2],
  ["hangs up once", [hangingUp], "attached", 2],
  ["hangs up always", times(9, hangingUp), [503, "provider_unavailable"], 2],
  ["breaks off in the middle of an answer", times(9, breakingOff), [503, "provider_unavailable"], 3],
  ["sends a proxy's page", times(9, answering(502, "<html>Bad gateway</html>")), [502, "provider_error"], 3],
  ["answers no JSON", times(9, answering(200, "all is well")), [502, "provider_error"], 3],
  ["answers something else", [answering(200, { object: "list", data: [] })], [502, "provider_error"], 1],
  [
    "answers an impossible card",
    [shape({ card: { brand: "visa", last4: "4242424242424242", exp_month: 12, exp_year: 2030 } })],
    [502, "provider_error"],
    1
  ],
  ["says that it is another customer's now", [shape({ customer: "cus_other" })], [502, "provider_error"], 1],
  [
    "finds the request unusable",
    [error(400, { type: "invalid_request_error", code: "parameter_unknown" })],
    [404, "payment_method_not_found"],
    1
  ],
  ["knows the idempotency key from elsewhere", [error(400, { type: "idempotency_error" })], [502, "provider_error"], 1],
  ["does not know our key", [error(401)], [503, "integration_not_configured"], 1],
  ["does not permit it", [error(403)], [503, "integration_not_configured"], 1]
]

const quietly = Effect.provideService(References.MinimumLogLevel, "None")

const outcomeOf = <E extends { readonly _tag: string }>(effect: Effect.Effect<unknown, E>) =>
  Effect.match(effect, {
    onSuccess: () => "attached" as const,
    onFailure: (error) => [(error as never)["status"], (error as never)["code"]] as readonly [number, string]
  })

describe("Adding a card when Stripe", () => {
  for (const [name, replies, outcome, requests] of cases) {
    it.live(`${name}: ${String(outcome)} after ${requests} request${requests === 1 ? "" : "s"}`, () =>
      Effect.gen(function* () {
        const { card, cards, site, vaultId } = yield* atStripe()
        for (const reply of replies) site.instead(asked, reply)

        const began = performance.now()
        const seen = yield* outcomeOf(cards.attach(vaultId, card.id))

        assert.deepStrictEqual(seen, outcome)
        assert.strictEqual(site.count(asked), requests)
        const keys = site.asked
          .filter(({ path }) => path.endsWith("/attach"))
          .map(({ headers }) => headers["idempotency-key"])
        assert.strictEqual(new Set(keys).size, 1)
        assert.deepStrictEqual(site.of(vaultId).ids, outcome === "attached" ? [card.id] : [])
        assert.isBelow(performance.now() - began, 3_000)
      }).pipe(quietly)
    )
  }

  it.live("hangs, nowhere or somewhere: unavailable after three seconds, and nobody asks again", () =>
    Effect.gen(function* () {
      const { card, cards, site, vaultId } = yield* atStripe()
      const other = site.mint()
      site.instead(/^GET /, hanging)
      site.afterwards(asked, hanging)

      const [[firstTook, first], [secondTook, second], took] = yield* Effect.all(
        [
          Effect.timed(outcomeOf(cards.attach(vaultId, card.id))),
          Effect.delay(Effect.timed(outcomeOf(cards.attach(vaultId, other.id))), 50),
          threeSeconds
        ],
        { concurrency: 3 }
      )
      const requests = site.asked.length
      yield* Effect.sleep(600)

      assert.deepStrictEqual(
        [first, second],
        [
          [503, "provider_unavailable"],
          [503, "provider_unavailable"]
        ]
      )
      for (const waited of [firstTook, secondTook]) {
        assert.approximately(Duration.toMillis(waited), took, 400)
      }
      assert.strictEqual(site.asked.length, requests)
    }).pipe(quietly)
  )

  it.live("does it and loses the answer: it is found to be done, once", () =>
    Effect.gen(function* () {
      const { card, cards, site, vaultId } = yield* atStripe()
      site.afterwards(asked, hangingUp)

      const attached = yield* cards.attach(vaultId, card.id)

      assert.strictEqual(attached.id, card.id)
      assert.deepStrictEqual(site.of(vaultId).ids, [card.id])
    }).pipe(quietly)
  )

  it.live("makes a customer and loses the answer: there is one all the same", () =>
    Effect.gen(function* () {
      const { cards, site } = yield* atStripe()
      const grace = { ...owner, customerId: CustomerId.make("grace") }
      site.afterwards(/^POST \/v1\/customers$/, error(500), 2)

      const ids = [yield* cards.open(grace), yield* cards.open(grace)]

      assert.strictEqual(new Set(ids).size, 1)
      assert.deepStrictEqual(
        [...site.customers.values()].map(({ metadata }) => metadata),
        [
          { org_id: "acme", customer_id: "ada" },
          { org_id: "acme", customer_id: "grace" }
        ]
      )
    }).pipe(quietly)
  )

  it.live("is not there, or not over TLS: unavailable", () =>
    Effect.gen(function* () {
      const gone = yield* atStripe(() => "http://127.0.0.1:9")
      const plain = yield* atStripe((real) => real.replace("http:", "https:") || "https:")

      for (const { card, cards } of [gone, plain]) {
        assert.deepStrictEqual(yield* outcomeOf(cards.attach("cus_any", card.id)), [503, "provider_unavailable"])
      }
    }).pipe(quietly)
  )

  it.live("has been failing for a while: it is left alone, and asked again a little later", () =>
    Effect.gen(function* () {
      const { card, cards, site, vaultId } = yield* atStripe()
      const reads = /^GET /
      // What Stripe refuses, it has answered: that is no reason to leave it alone.
      for (let count = 0; count < 10; count++) yield* Effect.flip(cards.attach(vaultId, "pm_never"))
      site.instead(reads, error(500, {}, { "stripe-should-retry": "false" }), 99)
      for (let count = 0; count < 12; count++) yield* Effect.flip(cards.attach(vaultId, card.id))

      const before = site.count(reads)
      const refused = yield* Effect.flip(cards.attach(vaultId, card.id))

      assert.strictEqual(site.count(reads), before)
      assert.deepInclude(refused, { _tag: "ProviderUnavailable" })
      assert.isTrue("retryAfter" in refused && refused.retryAfter >= 10 && refused.retryAfter <= 15)
    }).pipe(quietly)
  )
})

describe("What Stripe is sent", () => {
  it.live("says who we are and whose it is, and nothing about this machine", () =>
    Effect.gen(function* () {
      const { card, cards, site, vaultId } = yield* atStripe()
      yield* cards.attach(vaultId, card.id)
      yield* cards.setup(vaultId)

      const [customer] = site.asked
      const client = JSON.parse(String(customer!.headers["x-stripe-client-user-agent"]))
      assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(customer!.text)), {
        email: "ada@acme.example",
        "metadata[org_id]": "acme",
        "metadata[customer_id]": "ada"
      })
      assert.deepStrictEqual(client.application, { name: "portico" })
      assert.notProperty(client, "platform")
      assert.isUndefined(site.asked.at(-1)!.headers["x-stripe-client-telemetry"])
      assert.include(site.asked.at(-1)!.text, "usage=off_session")
      for (const { headers, method } of site.asked) {
        if (method === "POST") assert.match(String(headers["idempotency-key"]), /^[\w-]{20,}$/)
      }
    }).pipe(quietly)
  )
})

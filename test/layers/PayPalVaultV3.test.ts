import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Redacted, References } from "effect"
import { FetchHttpClient } from "effect/http"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import * as PayPalVaultV3 from "../../src/layers/PayPalVaultV3.ts"
import { PayPalVault } from "../../src/services/PayPalVault.ts"
import * as PayPalStandIn from "../support/PayPalStandIn.ts"
import { answering, breakingOff, hanging, hangingUp, type Reply } from "../support/StandIn.ts"
import { threeSeconds } from "../support/Time.ts"

const owner = { orgId: OrgId.make("acme"), customerId: CustomerId.make("ada"), vaultId: null }
const quietly = Effect.provideService(References.MinimumLogLevel, "None")

/** A PayPal that is asked through our adapter, and an approval that the payer has given. */
const atPayPal = Effect.fnUntraced(function* (secret = PayPalStandIn.clientSecret, elsewhere?: string) {
  const site = yield* PayPalStandIn.listen()
  const payPal = yield* Effect.provide(
    PayPalVault,
    PayPalVaultV3.layer({
      clientId: Redacted.make(PayPalStandIn.clientId),
      clientSecret: Redacted.make(secret),
      baseUrl: new URL(elsewhere ?? site.baseUrl),
      returnUrl: "https://portal.example.com/"
    }).pipe(Layer.provide(FetchHttpClient.layer))
  )
  return { site, payPal }
})

const approved = Effect.fnUntraced(function* () {
  const at = yield* atPayPal()
  const setup = yield* at.payPal.setup(owner)
  at.site.approve(setup.setupToken)
  return { ...at, setup }
})

const asked = /^POST .*\/payment-tokens$/
const error = (status: number, issue = "", headers: Readonly<Record<string, string>> = {}) =>
  answering(status, { name: "NO", debug_id: "x", details: [{ issue }] }, headers)
const times = (count: number, reply: Reply) => Array.from({ length: count }, () => reply)
const token = (more: object) =>
  answering(201, { id: "8kk", customer: { id: "another" }, payment_source: { paypal: {} }, ...more })

/** What PayPal does each time it is asked for an account, what becomes of it, and how often it was asked. */
const cases: ReadonlyArray<
  readonly [name: string, replies: ReadonlyArray<Reply>, outcome: "added" | readonly [number, string], requests: number]
> = [
  ["is well", [], "added", 1],
  ["has no approval yet", [error(422, "PAYER_ACTION_REQUIRED")], [422, "approval_required"], 1],
  ["has used the approval up", [error(422, "SETUP_TOKEN_ALREADY_TOKENIZED")], [409, "payment_method_in_use"], 1],
  ["does not know the approval", [error(404)], [404, "payment_method_not_found"], 1],
  ["refuses for a reason of its own", [error(422, "SOMETHING_ELSE")], [502, "provider_error"], 1],
  ["is busy once", [error(429)], "added", 2],
  ["is busy, for half a minute", times(3, error(429, "", { "retry-after": "30" })), [503, "provider_unavailable"], 1],
  ["stays busy", times(9, error(429)), [503, "provider_unavailable"], 3],
  ["fails once", [error(500)], "added", 2],
  ["stays broken", times(9, error(503)), [503, "provider_unavailable"], 3],
  ["hangs up once", [hangingUp], "added", 2],
  ["hangs up always", times(9, hangingUp), [503, "provider_unavailable"], 3],
  ["breaks off in the middle of an answer", times(9, breakingOff), [503, "provider_unavailable"], 3],
  ["sends a proxy's page", times(9, answering(502, "<html>Bad gateway</html>")), [503, "provider_unavailable"], 3],
  ["answers no JSON", times(9, answering(200, "all is well")), [502, "provider_error"], 1],
  ["answers something else", [answering(200, { links: [] })], [502, "provider_error"], 1],
  ["says that it is another customer's", [token({})], [502, "provider_error"], 1],
  ["has taken our bearer back", [error(401)], "added", 2],
  ["does not take our bearers", times(9, error(401)), [503, "integration_not_configured"], 3],
  ["does not permit it", [error(403)], [503, "integration_not_configured"], 1]
]

const outcomeOf = <E extends { readonly _tag: string }>(effect: Effect.Effect<unknown, E>) =>
  Effect.match(effect, {
    onSuccess: () => "added" as const,
    onFailure: (error) => [(error as never)["status"], (error as never)["code"]] as readonly [number, string]
  })

describe("Adding an account when PayPal", () => {
  for (const [name, replies, outcome, requests] of cases) {
    it.live(`${name}: ${String(outcome)} after ${requests} request${requests === 1 ? "" : "s"}`, () =>
      Effect.gen(function* () {
        const { payPal, setup, site } = yield* approved()
        for (const reply of replies) site.instead(asked, reply)

        const seen = yield* outcomeOf(payPal.redeem(setup.vaultId, setup.setupToken))

        assert.deepStrictEqual(seen, outcome)
        assert.strictEqual(site.count(asked), requests)
        const names = site.asked
          .filter(({ method, path }) => asked.test(`${method} ${path}`))
          .map(({ headers }) => headers["paypal-request-id"])
        assert.strictEqual(new Set(names).size, 1)
        assert.match(String(names[0]), /^[0-9a-f]{64}$/)
      }).pipe(quietly)
    )
  }

  it.live("hangs: unavailable after three seconds, and nobody asks again", () =>
    Effect.gen(function* () {
      const { payPal, setup, site } = yield* approved()
      site.instead(asked, hanging)

      const [[waited, seen], took] = yield* Effect.all(
        [Effect.timed(outcomeOf(payPal.redeem(setup.vaultId, setup.setupToken))), threeSeconds],
        { concurrency: 2 }
      )
      yield* Effect.sleep(300)

      assert.deepStrictEqual(seen, [503, "provider_unavailable"])
      assert.approximately(Duration.toMillis(waited), took, 400)
      assert.strictEqual(site.count(asked), 1)
    }).pipe(quietly)
  )

  it.live("does it and loses the answer: it is the same account when it is asked again", () =>
    Effect.gen(function* () {
      const { payPal, setup, site } = yield* approved()
      site.afterwards(asked, hangingUp)

      const account = yield* payPal.redeem(setup.vaultId, setup.setupToken)

      assert.deepStrictEqual([...site.tokens.keys()], [account.id])
    }).pipe(quietly)
  )

  it.live("is not there, or knows nothing of us: unavailable, or not configured", () =>
    Effect.gen(function* () {
      const gone = yield* atPayPal(PayPalStandIn.clientSecret, "http://127.0.0.1:9")
      const unknown = yield* atPayPal("another secret")

      assert.deepStrictEqual(yield* outcomeOf(gone.payPal.setup(owner)), [503, "provider_unavailable"])
      assert.deepStrictEqual(yield* outcomeOf(unknown.payPal.setup(owner)), [503, "integration_not_configured"])
      assert.strictEqual(unknown.site.asked.length, 1)
    }).pipe(quietly)
  )

  it.live("gives out bearers: one is asked for, by however many at once, until it is taken back", () =>
    Effect.gen(function* () {
      const { payPal, site } = yield* atPayPal()
      const bearers = /oauth2/
      site.instead(bearers, error(500))

      const all = yield* Effect.all(
        Array.from({ length: 10 }, () => payPal.setup(owner)),
        { concurrency: "unbounded" }
      )
      const first = site.count(bearers)
      site.revokeBearers()
      yield* payPal.list(all[0]!.vaultId)

      assert.deepStrictEqual([first, site.count(bearers)], [2, 3])
    }).pipe(quietly)
  )

  it.live("has a vault of local mode's named: it is gone, and nobody is asked", () =>
    Effect.gen(function* () {
      const { payPal, site } = yield* atPayPal()

      const errors = [
        yield* Effect.flip(payPal.setup({ ...owner, vaultId: "localAbc" })),
        yield* Effect.flip(payPal.list("localAbc"))
      ]

      assert.deepStrictEqual(
        errors.map(({ _tag }) => _tag),
        ["VaultGone", "VaultGone"]
      )
      assert.isEmpty(site.asked)
    }).pipe(quietly)
  )
})

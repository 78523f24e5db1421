import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../../src/domain/Integration.ts"
import { AddressLookup } from "../../src/services/AddressLookup.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { people } from "../support/People.ts"

const path = "/client-data/addresses"
const home = { street1: "12 St James's Square", city: "London", zip: "SW1Y 4JH", country: "GB" }

const failures = [
  [new IntegrationNotConfigured(), 503, "integration_not_configured"],
  [new ProviderError(), 502, "provider_error"],
  [new ProviderUnavailable({ retryAfter: 7 }), 503, "provider_unavailable"]
] as const
let current: (typeof failures)[number][0] = failures[0][0]
const failing = Layer.succeed(
  AddressLookup,
  AddressLookup.of({
    predict: () => Effect.suspend(() => Effect.fail(current)),
    find: () => Effect.suspend(() => Effect.fail(current))
  })
)

layer(TestApp.layerWith({}, failing), { excludeTestServices: true })("Without its provider", (it) => {
  it.effect("a look-up says so at once, and addresses work as ever", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      for (const [failure, status, code] of failures) {
        current = failure
        const guess = yield* call(ada, "POST", `${path}/autocomplete`, { body: { input: "baker" } })
        const place = yield* call(ada, "GET", `${path}/place/gb-london-baker-street`)

        for (const answer of [guess, place]) {
          assertProblem(answer, status, code)
          assert.strictEqual(answer.headers["retry-after"], code === "provider_unavailable" ? "7" : undefined)
        }
      }

      const made = yield* call(ada, "POST", path, { body: home })
      const deleted = yield* call(ada, "DELETE", `${path}/${made.json.id}`)
      assert.deepStrictEqual([made.status, deleted.status], [201, 204])
    })
  )
})

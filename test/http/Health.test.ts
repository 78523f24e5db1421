import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Readiness } from "../../src/services/Readiness.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { people } from "../support/People.ts"

layer(TestApp.layer, { excludeTestServices: true })("An operator", (it) => {
  it.effect("learns that the process is alive and ready, and its figures, without a token", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      yield* call(ada, "GET", "/client-data/profile")

      const alive = yield* call(undefined, "GET", "/livez")
      const ready = yield* call(undefined, "GET", "/readyz")
      const metrics = yield* call(undefined, "GET", "/metrics")

      assert.deepStrictEqual([alive.status, alive.json], [200, { status: "alive" }])
      assert.deepStrictEqual([ready.status, ready.json], [200, { status: "ready" }])
      assert.match(metrics.headers["content-type"]!, /^text\/plain/)
      assert.match(metrics.text, /http_requests_total\{method="GET",route="\/client-data\/profile",status="200"\} \d+/)
      assert.notMatch(metrics.text, /ada|acme-\d/)
    })
  )

  it.effect("learns that the process will go, and clients are told to connect elsewhere, from then on", () =>
    Effect.gen(function* () {
      const { close } = yield* Readiness
      const { call } = yield* App
      const { ada } = yield* people

      yield* close
      const ready = yield* call(undefined, "GET", "/readyz")
      const alive = yield* call(undefined, "GET", "/livez")
      const profile = yield* call(ada, "GET", "/client-data/profile")

      assertProblem(ready, 503, "service_unavailable")
      assert.deepStrictEqual([alive.status, profile.status], [200, 200])
      for (const { headers } of [ready, alive, profile]) assert.strictEqual(headers["connection"], "close")
    })
  )
})

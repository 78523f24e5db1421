import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { tmpdir } from "node:os"
import * as Settings from "../../src/layers/Settings.ts"
import * as Telemetry from "../../src/layers/Telemetry.ts"

it.live("Without a collector nobody who is asked for something is told of a trace that there is not", () =>
  Effect.gen(function* () {
    const sent: Array<Record<string, string>> = []
    const fetch: typeof globalThis.fetch = async (_, request) => {
      sent.push(Object.fromEntries(new Headers(request?.headers)))
      return new Response()
    }
    const env = { DATA_DIR: tmpdir(), AUTH_JWT_SECRET: "a secret that is longer than 32 bytes" }
    const settings = yield* Settings.load.pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
    )

    yield* HttpClient.get("https://issuer.example/keys").pipe(
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.provide(Telemetry.layer(settings))
    )

    assert.lengthOf(sent, 1)
    assert.doesNotHaveAnyKeys(sent[0], ["traceparent", "b3"])
  })
)

import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { Readiness } from "../services/Readiness.ts"

const status = (status: number, word: string) => HttpServerResponse.jsonUnsafe({ status: word }, { status })

/** `/livez`: the process answers. `/readyz`: send requests here. `/metrics`: Prometheus text. */
export const Health = Layer.mergeAll(
  HttpRouter.add("GET", "/livez", status(200, "alive")),
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const readiness = yield* Readiness
      yield* router.add(
        "GET",
        "/readyz",
        Effect.map(readiness.ready, (ready) =>
          ready ? status(200, "ready") : HttpServerResponse.empty({ status: 503 })
        )
      )
    })
  ),
  PrometheusMetrics.layerHttp({ path: "/metrics" })
)

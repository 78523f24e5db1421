import { ByteSize, Effect, Layer } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { Api } from "./Api.ts"
import { Authentication, PlatformAuthentication } from "./Authentication.ts"
import { Edge } from "./Edge.ts"
import { OrdersHandlers, PlatformOrdersHandlers } from "./handlers/Orders.ts"
import { PlatformCustomersHandlers, ProfileHandlers } from "./handlers/Profile.ts"
import { Health } from "./Health.ts"
import { IdempotencyKeys } from "./IdempotencyKeys.ts"
import { RateLimits } from "./RateLimits.ts"
import { Validation } from "./Validation.ts"

/** Everything that answers: the API, its document, and what operators ask. */
export const Routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([ProfileHandlers, PlatformCustomersHandlers, OrdersHandlers, PlatformOrdersHandlers])
  ),
  HttpApiScalar.layer(Api, { path: "/docs", scalar: { withDefaultFonts: false } }),
  HttpRouter.add("GET", "/", Effect.succeed(HttpServerResponse.redirect("/docs"))),
  Health,
  Edge
).pipe(
  Layer.provide([
    Authentication.layer,
    PlatformAuthentication.layer,
    RateLimits.layer,
    IdempotencyKeys.layer,
    Validation.layer
  ]),
  Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.mebibytes(1)))
)

import { HttpApi, OpenApi } from "effect/http-api"
import { OrdersApi, PlatformOrdersApi } from "./api/Orders.ts"
import { PlatformCustomersApi, ProfileApi } from "./api/Profile.ts"
import { Authentication, PlatformAuthentication } from "./Authentication.ts"
import { document } from "./Document.ts"
import { IdempotencyKeys } from "./IdempotencyKeys.ts"
import { RateLimits } from "./RateLimits.ts"
import { Validation } from "./Validation.ts"

// The middleware added last runs first.
const clientData = HttpApi.make("portico")
  .add(ProfileApi, OrdersApi)
  .prefix("/client-data")
  .middleware(Validation)
  .middleware(IdempotencyKeys)
  .middleware(RateLimits)
  .middleware(Authentication)

const platform = HttpApi.make("portico")
  .add(PlatformCustomersApi, PlatformOrdersApi)
  .prefix("/platform")
  .middleware(Validation)
  .middleware(IdempotencyKeys)
  .middleware(PlatformAuthentication)

export class Api extends HttpApi.make("portico")
  .addHttpApi(clientData)
  .addHttpApi(platform)
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { errors: "all" })
  .annotate(HttpApi.SuccessParseOptions, { disableChecks: true })
  .annotateMerge(
    OpenApi.annotations({
      title: "Portico",
      version: "0.1.0",
      description: "The customer account API behind a customer portal.",
      transform: document
    })
  ) {}

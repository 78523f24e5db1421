import { Context, Effect, Layer } from "effect"
import { type Headers, HttpServerRequest } from "effect/http"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import {
  ExpiredToken,
  InvalidApiKey,
  InvalidToken,
  MissingAuthorization,
  MissingOrgid,
  NoCustomerRecord,
  OrgMismatch
} from "../domain/Identity.ts"
import { OrgId } from "../domain/Ids.ts"
import { ProviderUnavailable } from "../domain/Integration.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { TokenClaims } from "../domain/TokenClaims.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import { Identities } from "../services/Identities.ts"
import { Tokens } from "../services/Tokens.ts"
import { CurrentRequest } from "./CurrentRequest.ts"

/** Lets a customer's request through: a verified token, of the org that the header names, of a customer who exists. */
export class Authentication extends HttpApiMiddleware.Service<Authentication, { provides: CurrentCustomer }>()(
  "portico/http/Authentication",
  {
    security: { bearer: HttpApiSecurity.bearer },
    requiredForClient: true,
    error: [
      MissingAuthorization,
      InvalidToken,
      ExpiredToken,
      ProviderUnavailable,
      MissingOrgid,
      InvalidRequest,
      OrgMismatch,
      NoCustomerRecord
    ]
  }
) {
  static readonly layer = Layer.effect(
    Authentication,
    Effect.gen(function* () {
      const tokens = yield* Tokens
      const identities = yield* Identities

      return Authentication.of({
        bearer: (httpEffect, { endpoint }) =>
          Effect.withFiber(({ context }) => {
            const { headers } = Context.getUnsafe(context, HttpServerRequest.HttpServerRequest)
            const request = Context.get(context, CurrentRequest)
            request.route = endpoint.path
            const customer = Effect.flatMapEager(verifyBearer(tokens, headers), (claims) => {
              request.tokenExpiresAt = claims.exp * 1000
              return Effect.flatMapEager(orgOf(headers), (orgId) =>
                claims.org === orgId ? identities.customerOf(claims) : Effect.fail(new OrgMismatch())
              )
            })
            return Effect.flatMapEager(customer, (current) => {
              request.orgId = current.orgId
              request.customerId = current.customerId
              return Effect.provideService(httpEffect, CurrentCustomer, current)
            })
          })
      })
    })
  )
}

/** Lets a platform's request through: a live API key of the org that the header names. */
export class PlatformAuthentication extends HttpApiMiddleware.Service<
  PlatformAuthentication,
  { provides: CurrentPlatform }
>()("portico/http/PlatformAuthentication", {
  security: { apiKey: HttpApiSecurity.apiKey({ key: "x-api-key", in: "header" }) },
  requiredForClient: true,
  error: [InvalidApiKey, MissingOrgid, InvalidRequest]
}) {
  static readonly layer = Layer.effect(
    PlatformAuthentication,
    Effect.gen(function* () {
      const apiKeys = yield* ApiKeys

      return PlatformAuthentication.of({
        apiKey: Effect.fnUntraced(function* (httpEffect, { endpoint }) {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const request = yield* CurrentRequest
          request.route = endpoint.path
          const platform = yield* verifyApiKey(apiKeys, headers)
          request.orgId = platform.orgId
          return yield* Effect.provideService(httpEffect, CurrentPlatform, platform)
        })
      })
    })
  )
}

export const verifyBearer = (
  tokens: Tokens["Service"],
  headers: Headers.Headers
): Effect.Effect<TokenClaims, MissingAuthorization | InvalidToken | ExpiredToken | ProviderUnavailable> => {
  const authorization = headers["authorization"]
  if (authorization === undefined) return Effect.fail(new MissingAuthorization())
  const token = /^bearer +(\S+)$/i.exec(authorization)?.[1]
  if (token === undefined) return Effect.fail(new InvalidToken())
  return tokens.verify(token).pipe(
    Effect.catchTags({
      TokenInvalid: () => Effect.fail(new InvalidToken()),
      TokenExpired: () => Effect.fail(new ExpiredToken()),
      TokensUnavailable: () =>
        Effect.fail(
          new ProviderUnavailable({
            retryAfter: 5,
            detail: "The identity provider does not answer; try again shortly."
          })
        )
    })
  )
}

export const verifyApiKey = (apiKeys: ApiKeys["Service"], headers: Headers.Headers) => {
  const key = headers["x-api-key"]
  return key === undefined
    ? Effect.fail(new InvalidApiKey())
    : Effect.flatMap(orgOf(headers), (orgId) => apiKeys.verify(orgId, key))
}

const orgOf = (headers: Headers.Headers): Effect.Effect<OrgId, MissingOrgid | InvalidRequest> => {
  const orgid = headers["orgid"]
  if (orgid === undefined || orgid === "") return Effect.fail(new MissingOrgid())
  // A header that is sent twice arrives joined by a comma.
  if (orgid.includes(",")) return Effect.fail(sentTwice)
  return Effect.succeed(orgid as OrgId)
}

const sentTwice = new InvalidRequest({ errors: [{ pointer: "/header/orgid", message: "Expected the header once" }] })

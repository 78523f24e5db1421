import { Context, Effect, Layer } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { AccountTags } from "../services/AccountTags.ts"
import * as RecentlyUsed from "../services/RecentlyUsed.ts"

/** Annotates a read whose answer changes with the customer's account and with nothing else: no clock, no signed link. */
export const FollowsAccount = Context.Reference<boolean>("portico/http/FollowsAccount", { defaultValue: () => false })

const most = 500
const mostBytes = 128 * 1024

/**
 * Gives the answers of reads that follow the account its entity tag, and the same answer again while it stays the same.
 *
 * The tag is read from Postgres each time, and before the rest is: what is remembered may be newer than its tag, never
 * older. Two locks keep it each customer's own: the place it is kept in is named by org and customer, and the tag it has
 * to match is sealed with the customer's own secret.
 */
export class Remembered extends HttpApiMiddleware.Service<Remembered, { requires: CurrentCustomer }>()(
  "portico/http/Remembered"
) {
  static readonly layer = Layer.effect(
    Remembered,
    Effect.gen(function* () {
      const tags = yield* AccountTags
      const remembered = RecentlyUsed.make<HttpServerResponse.HttpServerResponse>(most)

      return (httpEffect, { endpoint }) =>
        !Context.get(endpoint.annotations, FollowsAccount)
          ? httpEffect
          : Effect.flatMap(tags.current, ({ tag }) =>
              Effect.withFiber(({ context }): ReturnType<Remembered["Service"]> => {
                const { customerId, orgId } = Context.getUnsafe(context, CurrentCustomer)
                const { url } = Context.getUnsafe(context, HttpServerRequest.HttpServerRequest)
                const place = JSON.stringify([orgId, customerId, url])
                const etag = `"${tag}"`
                const known = remembered.get(place)
                if (known?.headers["etag"] === etag) return Effect.succeed(known)
                return Effect.map(httpEffect, (response) => {
                  if (response.status !== 200) return response
                  const tagged = HttpServerResponse.setHeader(response, "etag", etag)
                  const { body } = tagged
                  if (body._tag === "Uint8Array" && body.contentLength <= mostBytes) remembered.set(place, tagged)
                  return tagged
                })
              })
            )
    })
  )
}

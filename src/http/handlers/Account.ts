import { Clock, Effect, Stream } from "effect"
import { HttpMiddleware, HttpPlatform, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { Change } from "../../domain/Change.ts"
import { AccountExports } from "../../services/AccountExports.ts"
import { Accounts } from "../../services/Accounts.ts"
import { ChangeFeed } from "../../services/ChangeFeed.ts"
import { Changes } from "../../services/Changes.ts"
import { Dashboards } from "../../services/Dashboards.ts"
import { Erasures } from "../../services/Erasures.ts"
import { Readiness } from "../../services/Readiness.ts"
import { Api } from "../Api.ts"
import { CurrentRequest } from "../CurrentRequest.ts"
import { accepted } from "../Records.ts"

const compressed = HttpMiddleware.compression({ algorithms: ["gzip"], levels: { gzip: 4 } })

export const AccountHandlers = HttpApiBuilder.group(
  Api,
  "account",
  Effect.fn(function* (handlers) {
    const accounts = yield* Accounts
    const erasures = yield* Erasures
    const exports = yield* AccountExports
    const changes = yield* Changes
    const dashboards = yield* Dashboards
    const feed = yield* ChangeFeed
    const readiness = yield* Readiness
    const platform = yield* HttpPlatform.HttpPlatform

    return handlers.handleAll({
      dashboard: () =>
        Effect.gen(function* () {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const { json, tag } = yield* dashboards.read(headers["if-none-match"])
          const etag = `"${tag}"`
          return json === null
            ? HttpServerResponse.empty({ status: 304, headers: { etag } })
            : HttpServerResponse.text(json, { contentType: "application/json", headers: { etag } })
        }),
      all: () =>
        Effect.gen(function* () {
          const { headers: asked, method } = yield* HttpServerRequest.HttpServerRequest
          const { json, tag } = yield* accounts.read(asked["if-none-match"])
          const headers = { etag: `"${tag}"`, "content-type": "application/json" }
          if (json === null) return HttpServerResponse.empty({ status: 304, headers: { etag: `"${tag}"` } })
          if (method === "HEAD") return HttpServerResponse.empty({ status: 200, headers })
          return yield* compressed(
            Effect.succeed(
              HttpServerResponse.stream(Stream.encodeText(json), { contentType: "application/json", headers })
            )
          ).pipe(Effect.provideService(HttpPlatform.HttpPlatform, platform))
        }),
      export: () => Effect.map(exports.request, (made) => accepted(made, `/client-data/account/exports/${made.id}`)),
      erasure: () => erasures.state,
      erase: ({ payload: { code } }) => (code === undefined ? erasures.ask : erasures.schedule(code)),
      keep: () => erasures.cancel,
      exported: ({ params }) => exports.get(params.exportId),
      changes: ({ query }) => changes.since(query),
      events: ({ headers: { "last-event-id": lastEventId }, query }) =>
        Effect.gen(function* () {
          const { method } = yield* HttpServerRequest.HttpServerRequest
          const { tokenExpiresAt } = yield* CurrentRequest
          const headers = { "cache-control": "private, no-store", "x-accel-buffering": "no" }
          const contentType = "text/event-stream; charset=utf-8"
          const from = yield* lastEventId === undefined
            ? changes.positionOf(query.since)
            : changes.positionOf(lastEventId, "/header/last-event-id")
          if (method === "HEAD") {
            return HttpServerResponse.empty({ status: 200, headers: { ...headers, "content-type": contentType } })
          }
          const expired = yield* isOver(tokenExpiresAt)
          const followed = yield* feed.follow(from, () => expired() || readiness.closing())
          const events = Stream.map(followed, eventsOf)
          const begun = Stream.concat(Stream.succeed(`: connected\nretry: 2000\nid: ${from.cursor}\n\n`), events)
          return HttpServerResponse.stream(Stream.encodeText(begun), { contentType, headers })
        })
    })
  })
)

/** A comment keeps proxies from taking a silent connection for a dead one. */
const eventsOf = (found: ReadonlyArray<Change & { readonly cursor: string }>) =>
  found.length === 0
    ? ": nothing new\n\n"
    : found.map(({ cursor, ...change }) => `id: ${cursor}\ndata: ${JSON.stringify(change)}\n\n`).join("")

/** Whether a moment is over, for who asks often. */
const isOver = (moment: number | undefined): Effect.Effect<() => boolean> =>
  Clock.clockWith((clock) => Effect.succeed(() => moment !== undefined && clock.currentTimeMillisUnsafe() >= moment))

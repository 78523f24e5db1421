import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Broadcasts } from "../../services/Broadcasts.ts"
import { Notifications } from "../../services/Notifications.ts"
import { Preferences } from "../../services/Preferences.ts"
import { PushTokens } from "../../services/PushTokens.ts"
import { Api } from "../Api.ts"
import { Created, versioned } from "../Records.ts"

export const NotificationsHandlers = HttpApiBuilder.group(
  Api,
  "notifications",
  Effect.fn(function* (handlers) {
    const notifications = yield* Notifications
    const preferences = yield* Preferences

    return handlers.handleAll({
      list: ({ query }) => notifications.list(query),
      readAll: () => notifications.readAll,
      read: ({ params }) => notifications.read(params.notificationId),
      preferences: () => Effect.map(preferences.get, versioned),
      changePreferences: ({ headers, payload }) =>
        Effect.map(preferences.change(payload, headers["if-match"]), versioned)
    })
  })
)

export const PushTokensHandlers = HttpApiBuilder.group(
  Api,
  "pushTokens",
  Effect.fn(function* (handlers) {
    const tokens = yield* PushTokens

    return handlers.handleAll({
      register: ({ payload }) =>
        Effect.map(tokens.register(payload), ({ added, token }) =>
          added ? new Created(token, `/client-data/notifications/push-tokens/${token.id}`) : token
        ),
      list: ({ query }) => tokens.list(query),
      remove: ({ params }) => tokens.remove(params.pushTokenId)
    })
  })
)

export const PlatformNotificationsHandlers = HttpApiBuilder.group(
  Api,
  "platformNotifications",
  Effect.fn(function* (handlers) {
    const broadcasts = yield* Broadcasts

    return handlers.handleAll({
      broadcast: ({ payload }) => broadcasts.accept(payload),
      get: ({ params, query }) => broadcasts.find(params.notificationId, query)
    })
  })
)

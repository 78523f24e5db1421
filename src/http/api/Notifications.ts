import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Broadcast, BroadcastAccepted, BroadcastQuery, NewBroadcast } from "../../domain/Broadcast.ts"
import { CustomerNotFound } from "../../domain/Customer.ts"
import {
  Notification,
  NotificationId,
  NotificationNotFound,
  NotificationsPage,
  NotificationsQuery,
  UnreadNotifications
} from "../../domain/Notification.ts"
import { NotificationPreferences, PreferenceChanges } from "../../domain/NotificationPreferences.ts"
import {
  NewPushToken,
  PushToken,
  PushTokenId,
  PushTokenNotFound,
  PushTokensPage,
  PushTokensQuery
} from "../../domain/PushToken.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { changeHeaders, createdOf, recordOf, writeHeaders } from "../Records.ts"

export class NotificationsApi extends HttpApiGroup.make("notifications")
  .add(
    HttpApiEndpoint.get("list", "/", { query: NotificationsQuery, success: NotificationsPage }).annotateMerge(
      OpenApi.annotations({
        summary: "List the notifications",
        description: "With the number of unread ones beside, whatever the filter."
      })
    ),
    HttpApiEndpoint.put("readAll", "/read-all", { headers: writeHeaders, success: UnreadNotifications }).annotateMerge(
      OpenApi.annotations({
        summary: "Mark all notifications as read",
        description: "Answers how many are unread now: those that came meanwhile."
      })
    ),
    HttpApiEndpoint.put("read", "/:notificationId/read", {
      params: { notificationId: NotificationId },
      headers: writeHeaders,
      success: Notification,
      error: NotificationNotFound
    }).annotateMerge(
      OpenApi.annotations({ summary: "Mark a notification as read", description: "The same again changes nothing." })
    ),
    HttpApiEndpoint.get("preferences", "/preferences", { success: recordOf(NotificationPreferences) }).annotate(
      OpenApi.Summary,
      "Read the notification preferences"
    ),
    HttpApiEndpoint.put("changePreferences", "/preferences", {
      headers: changeHeaders,
      payload: PreferenceChanges,
      success: recordOf(NotificationPreferences),
      error: VersionMismatch
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Change the notification preferences",
        description:
          "Channel by channel; what the body leaves out stays. What concerns `security` goes in the app, by push and by email in any case."
      })
    )
  )
  .prefix("/notifications")
  .annotateMerge(
    OpenApi.annotations({
      title: "Notifications",
      description: "What the customer should know, and how they hear of it."
    })
  ) {}

export class PushTokensApi extends HttpApiGroup.make("pushTokens")
  .add(
    HttpApiEndpoint.post("register", "/push-token", {
      headers: writeHeaders,
      payload: NewPushToken,
      success: [createdOf(PushToken), PushToken],
      error: []
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Register a device for push messages",
        description:
          "200 when it is registered already. A token has one owner in an org, whoever registered it last; of a device, the last token counts. Beyond 50 devices the one that was not seen for the longest time goes. `/client-account/notifications/push-token` answers the same."
      })
    ),
    HttpApiEndpoint.get("list", "/push-tokens", { query: PushTokensQuery, success: PushTokensPage }).annotate(
      OpenApi.Summary,
      "List the devices"
    ),
    HttpApiEndpoint.delete("remove", "/push-tokens/:pushTokenId", {
      params: { pushTokenId: PushTokenId },
      headers: writeHeaders,
      success: HttpApiSchema.NoContent,
      error: PushTokenNotFound
    }).annotate(OpenApi.Summary, "Remove a device")
  )
  .prefix("/notifications")
  .annotateMerge(
    OpenApi.annotations({ title: "Push tokens", description: "The devices that get the customer's push messages." })
  ) {}

export class PlatformNotificationsApi extends HttpApiGroup.make("platformNotifications")
  .add(
    HttpApiEndpoint.post("broadcast", "/", {
      headers: writeHeaders,
      payload: NewBroadcast,
      success: BroadcastAccepted.pipe(HttpApiSchema.status(202)),
      error: CustomerNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Notify customers",
        description:
          "Of the channels that each customer's preferences allow for this type. It is recorded, and goes out in the background. One customer among those named that does not exist refuses the whole."
      })
    ),
    HttpApiEndpoint.get("get", "/:notificationId", {
      params: { notificationId: NotificationId },
      query: BroadcastQuery,
      success: Broadcast,
      error: NotificationNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Read what has become of a notification",
        description: "How far it has got, how many deliveries are in which state, and one page of them, oldest first."
      })
    )
  )
  .prefix("/notifications")
  .annotateMerge(
    OpenApi.annotations({ title: "Platform: notifications", description: "What the org tells its customers." })
  ) {}

import { Schema } from "effect"
import { example } from "./Example.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const PushPlatform = Schema.Literals(["ios", "android", "web"]).annotate({ identifier: "PushPlatform" })
export const PushProvider = Schema.Literals(["fcm", "apns"]).annotate({ identifier: "PushProvider" })
export type PushProvider = typeof PushProvider.Type

export const PushTokenId = Text(1, 128, "The device's id in the list")

export const PushToken = Schema.Struct({
  id: Schema.String.annotate({ description: "Another one when the device's token changes" }),
  token: Schema.String.annotate({ description: "Masked but for its end" }),
  platform: PushPlatform,
  provider: PushProvider,
  deviceId: Schema.NullOr(Schema.String),
  appVersion: Schema.NullOr(Schema.String),
  lastSeenAt: Timestamp.annotate({ description: "When it was last registered" })
}).annotate({
  identifier: "PushToken",
  examples: [
    example({
      id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
      token: "••••x7Qk",
      platform: "android" as const,
      provider: "fcm" as const,
      deviceId: "pixel-9",
      appVersion: "3.2.0",
      lastSeenAt: new Date("2026-11-20T17:31:02.118Z")
    })
  ]
})
export type PushToken = typeof PushToken.Type

/** Fields that a list of devices sorts by. */
export const pushTokenSorts = { lastSeenAt: "instant", platform: "text", id: "text" } as const

export const PushTokensQuery = Schema.Struct(listQuery(pushTokenSorts, "lastSeenAt"))
export type PushTokensQuery = typeof PushTokensQuery.Type

export const PushTokensPage = pageOf("PushTokensPage", PushToken)

export const NewPushToken = Schema.Struct({
  token: Schema.String.annotate({ description: "As Firebase or Apple gave it to the app" }).check(
    Schema.isPattern(/^[\x21-\x7e]{1,4096}$/u, { message: "Expected 1 to 4096 visible ASCII characters" })
  ),
  platform: PushPlatform,
  provider: Schema.optionalKey(PushProvider).annotateKey({
    description: "If absent: `fcm`, but `apns` on ios where the token is not one of Firebase's, which hold a colon"
  }),
  deviceId: Schema.optionalKey(
    Text(1, 255, "The app's own name for the device: a new token of the same device takes the old one's place")
  ),
  appVersion: Schema.optionalKey(Text(1, 64))
})
  .annotate({ examples: [{ token: "cUv7:APA91bHPRgkF3JUikC4ENAHEeMrd41Zxv3hVZjC9KtT8OvPVGJ", platform: "android" }] })
  .check(
    Schema.makeFilter(
      ({ platform, provider }) =>
        provider !== "apns" ||
        platform === "ios" || { path: ["provider"], issue: "Expected fcm: apns reaches ios alone" }
    )
  )
  .annotate({ identifier: "NewPushToken" })
export type NewPushToken = typeof NewPushToken.Type

export const providerOf = ({ platform, provider, token }: NewPushToken): PushProvider =>
  provider ?? (platform === "ios" && !token.includes(":") ? "apns" : "fcm")

/** The most devices that a customer has: the one that was not seen for the longest time makes room. */
export const mostDevices = 50

/** Also the answer for a device of somebody else: a stranger must not learn that it exists. */
export class PushTokenNotFound extends Problem<PushTokenNotFound>()("PushTokenNotFound", {
  code: "push_token_not_found",
  status: 404,
  title: "Push token not found",
  detail: "There is no such push token."
}) {}

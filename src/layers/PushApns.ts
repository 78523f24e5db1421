import { Clock, type Duration, Effect, Redacted, Schema } from "effect"
import { importPKCS8, SignJWT } from "jose"
import { constants, type IncomingHttpHeaders } from "node:http2"
import type { Push } from "../services/Push.ts"
import { ApnsConnection } from "./ApnsConnection.ts"
import { coded, type Failed, failed, retryAfterOf, sender } from "./ChannelCalls.ts"
import type { AppleKey } from "./PushSettings.ts"

export interface Options extends AppleKey {
  readonly baseUrl: URL
  readonly deadline?: Duration.Input
  /** Whose certificates are believed, instead of the world's. */
  readonly ca?: string
}

type OutgoingPush = Parameters<Push["Service"]["send"]>[0]

const Refusal = Schema.fromJsonString(
  Schema.Struct({ reason: Schema.optionalKey(Schema.String), timestamp: Schema.optionalKey(Schema.Finite) })
)
const decode = Schema.decodeUnknownEffect(Refusal)

const gone = ["Unregistered", "ExpiredToken", "BadDeviceToken", "DeviceTokenNotForTopic"]
const ours = ["MissingProviderToken", "InvalidProviderToken", "ExpiredProviderToken", "UnrelatedKeyIdInToken"]
const setUp = ["BadCertificate", "BadCertificateEnvironment", "BadEnvironmentKeyInToken", "BadTopic", "MissingTopic"]

/** Apple's push service: developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns */
export const make = Effect.fnUntraced(function* ({ baseUrl, ca, deadline, key, keyId, teamId, topic }: Options) {
  const send = yield* sender("APNs", deadline)
  const connection = yield* Effect.acquireRelease(
    Effect.sync(() => new ApnsConnection(baseUrl, ca)),
    (connection) => Effect.sync(() => connection.close())
  )
  const signingKey = yield* Effect.promise(() => importPKCS8(Redacted.value(key), "ES256"))

  // Apple takes one for an hour, and minds more than one in 20 minutes.
  const [bearer, invalidate] = yield* Effect.cachedInvalidateWithTTL(
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.promise(() =>
        new SignJWT({})
          .setProtectedHeader({ alg: "ES256", kid: keyId })
          .setIssuer(teamId)
          .setIssuedAt(Math.floor(now / 1000))
          .sign(signingKey)
      )
    ),
    "50 minutes"
  )

  const classify = Effect.fnUntraced(function* (headers: IncomingHttpHeaders, text: string, token: string) {
    const status = Number(headers[constants.HTTP2_HEADER_STATUS])
    const { reason = "", timestamp } = yield* Effect.orElseSucceed(decode(text), (): typeof Refusal.Type => ({}))
    const detail = coded(status, reason)
    if (gone.includes(reason) || status === 410) {
      const goneSince = new Date(timestamp ?? Number.NaN)
      return failed("gone", detail, Number.isNaN(goneSince.getTime()) ? {} : { goneSince })
    }
    if (reason === "ExpiredProviderToken") {
      // Once more with another one, unless somebody has made that already.
      if ((yield* bearer) === token) yield* invalidate
      return failed("misconfigured", detail, { again: true })
    }
    if (ours.includes(reason) || setUp.includes(reason) || status === 403) return failed("misconfigured", detail)
    if (status === 429) return failed("throttled", detail, { retryAfter: retryAfterOf(headers["retry-after"]) ?? 60 })
    if (status >= 500) return failed("unavailable", detail)
    return status >= 400 ? failed("refused", detail) : failed("unavailable", detail, { maybeSent: true })
  })

  const attempt = Effect.fnUntraced(function* (push: OutgoingPush): Effect.fn.Return<void, Failed> {
    if (!/^[0-9a-fA-F]{16,400}$/.test(push.token)) return yield* failed("gone", "not a device token")
    const token = yield* bearer
    const { headers, text } = yield* connection.post(
      {
        [constants.HTTP2_HEADER_PATH]: `/3/device/${push.token}`,
        authorization: `bearer ${token}`,
        "apns-topic": topic,
        "apns-push-type": "alert",
        "apns-priority": "10",
        // The same on every try: a second one takes the place of the first on the device.
        ...(isUuid(push.id) && { "apns-id": push.id }),
        "apns-collapse-id": push.id.slice(0, 64)
      },
      JSON.stringify({
        ...push.data,
        ...(push.link !== null && { link: push.link }),
        deliveryId: push.id,
        aps: { alert: { title: push.title, body: push.body }, sound: "default" }
      })
    )
    if (Number(headers[constants.HTTP2_HEADER_STATUS]) === 200) return
    return yield* yield* classify(headers, text, token)
  })

  return (push: OutgoingPush) => send(attempt(push))
})

const isUuid = (id: string) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)

import { type Duration, Effect, Schema } from "effect"
import type { HttpResponse } from "firebase-admin/app"
import type { Message } from "firebase-admin/messaging"
import { randomUUID } from "node:crypto"
import type { ConnectionOptions } from "node:tls"
import type { Push } from "../services/Push.ts"
import { broken, coded, type Failed, failed, retryAfterOf, sender } from "./ChannelCalls.ts"
import { FcmAgent, type Outcome } from "./FcmAgent.ts"
import { accessTokens } from "./GoogleAccessTokens.ts"
import type { ServiceAccount } from "./PushSettings.ts"

export interface Options extends ServiceAccount {
  readonly deadline?: Duration.Input
  /** Where fcm.googleapis.com is, and whose certificates are believed, instead of the world's. */
  readonly connection?: ConnectionOptions
}

type OutgoingPush = Parameters<Push["Service"]["send"]>[0]

const Refusal = Schema.Struct({
  error: Schema.Struct({
    status: Schema.optionalKey(Schema.String),
    message: Schema.optionalKey(Schema.String),
    details: Schema.optionalKey(Schema.Array(Schema.Struct({ errorCode: Schema.optionalKey(Schema.String) })))
  })
})
const decode = Schema.decodeUnknownEffect(Refusal)

/** Firebase Cloud Messaging, through its SDK: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode */
export const make = Effect.fnUntraced(function* ({ connection, deadline, ...account }: Options) {
  const [{ deleteApp, initializeApp }, { getMessaging }] = yield* Effect.promise(() =>
    Promise.all([import("firebase-admin/app"), import("firebase-admin/messaging")])
  )
  const send = yield* sender("FCM", deadline)
  const { bearer, invalidate } = yield* accessTokens(account)
  const agent = new FcmAgent(connection)

  // Read when a request is made; what has expired for the SDK it asks for each time, and the cache is ours.
  let current = ""
  const credential = { getAccessToken: () => Promise.resolve({ access_token: current, expires_in: 1 }) }
  const app = yield* Effect.acquireRelease(
    Effect.sync(() => initializeApp({ credential, projectId: account.projectId, httpAgent: agent }, randomUUID())),
    (app) => Effect.promise(() => deleteApp(app)).pipe(Effect.andThen(Effect.sync(() => agent.destroy())))
  )
  const messaging = getMessaging(app)

  const classify = Effect.fnUntraced(function* (outcome: Exclude<Outcome, { readonly _tag: "Answered" }>) {
    if (outcome._tag === "Busy") return failed("unavailable", "503", retryAfter(outcome.retryAfter))
    const { code, error } = outcome
    const answer = answerOf(error)
    // The SDK found something wrong with the message before anybody was asked.
    if (answer === undefined && isUnsendable(error)) return failed("refused", coded(error.code.split("/")[1]))
    if (answer === undefined) return broken(code)
    return yield* refusalOf(answer)
  })

  const refusalOf = Effect.fnUntraced(function* ({ data, headers, status }: HttpResponse) {
    const { error } = yield* Effect.orElseSucceed(decode(data), (): typeof Refusal.Type => ({ error: {} }))
    const word = error.details?.find(({ errorCode }) => errorCode !== undefined)?.errorCode ?? error.status
    const detail = coded(status, word)
    switch (word) {
      case "UNREGISTERED":
      case "SENDER_ID_MISMATCH":
        return failed("gone", detail)
      case "INVALID_ARGUMENT":
        // Also of a message that it does not like: only what is said of the token ends the token.
        return failed(/registration token|message\.token/i.test(error.message ?? "") ? "gone" : "refused", detail)
      case "UNAUTHENTICATED":
        yield* invalidate
        return failed("misconfigured", detail, { again: true })
    }
    if (status === 429) return failed("throttled", detail, { retryAfter: retryAfterOf(headers["retry-after"]) ?? 60 })
    if (status === 401 || status === 403) return failed("misconfigured", detail)
    // An answer that cannot be read is an answer: it may have been a yes.
    if (status < 400) return failed("unavailable", detail, { maybeSent: true })
    if (status >= 500) return failed("unavailable", detail, retryAfter(headers["retry-after"]))
    return failed(status === 404 ? "misconfigured" : "refused", detail)
  })

  const attempt = Effect.fnUntraced(function* (push: OutgoingPush): Effect.fn.Return<void, Failed> {
    const token = yield* bearer
    current = token
    const outcome = yield* agent.single(() => messaging.send(messageOf(push)))
    if (outcome._tag !== "Answered") return yield* yield* classify(outcome)
  })

  return (push: OutgoingPush) => send(attempt(push))
})

const retryAfter = (header: unknown) => {
  const seconds = retryAfterOf(header)
  return seconds === undefined ? {} : { retryAfter: seconds }
}

const answerOf = (error: unknown): HttpResponse | undefined =>
  error instanceof Error ? (error as { readonly httpResponse?: HttpResponse }).httpResponse : undefined

const isUnsendable = (error: unknown): error is { readonly code: string } =>
  error instanceof Error && String((error as { readonly code?: unknown }).code).startsWith("messaging/invalid-")

/** Words that Google keeps for itself in what a message carries. */
const reserved = /^(?:from|message_type|notification)$|^(?:google|gcm)\./

const messageOf = ({ body, data, id, link, platform, title, token }: OutgoingPush): Message => ({
  token,
  notification: { title, body },
  data: {
    ...Object.fromEntries(Object.entries(data).filter(([name]) => !reserved.test(name))),
    ...(link !== null && { link }),
    deliveryId: id
  },
  // The same on every try: a second one takes the place of the first on the device.
  ...(platform === "android" && { android: { priority: "high", notification: { tag: id } } }),
  ...(platform === "ios" && { apns: { headers: { "apns-collapse-id": id.slice(0, 64) } } }),
  ...(platform === "web" && {
    webpush: { notification: { tag: id }, ...(link?.startsWith("https://") === true && { fcmOptions: { link } }) }
  })
})

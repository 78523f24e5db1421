import { Duration, Effect, Layer, Redacted, Schema } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { Email } from "../domain/Profile.ts"
import { Mail, type OutgoingMail } from "../services/Mail.ts"
import { broken, coded, type Failed, failed, sender } from "./ChannelCalls.ts"
import type { Smtp } from "./MailSettings.ts"

export interface Options extends Smtp {
  /** For all that it takes to hand one mail over. */
  readonly deadline?: Duration.Input
  /** Whose certificates are believed, instead of the world's. */
  readonly ca?: string
}

const isEmail = Schema.is(Email)

/** Mail, handed to a server that delivers it (RFC 5321): one recipient a mail. */
export const layer = ({ account, ca, deadline = "10 seconds", from, host, port, requireTls, secure }: Options) =>
  Layer.effect(
    Mail,
    Effect.gen(function* () {
      const { createTransport } = yield* Effect.promise(() => import("nodemailer"))
      const send = yield* sender("SMTP", deadline)
      const milliseconds = Duration.toMillis(Duration.fromInputUnsafe(deadline))
      const transport = yield* Effect.acquireRelease(
        Effect.sync(() =>
          createTransport({
            host,
            port,
            secure,
            requireTLS: requireTls,
            pool: true,
            maxConnections: 5,
            // A mail whose connection closed may be on its way: whoever keeps it decides whether it is sent again.
            maxRequeues: 0,
            connectionTimeout: Math.min(5_000, milliseconds / 2),
            dnsTimeout: Math.min(5_000, milliseconds / 2),
            greetingTimeout: Math.min(5_000, milliseconds / 2),
            socketTimeout: milliseconds,
            disableFileAccess: true,
            disableUrlAccess: true,
            tls: { minVersion: "TLSv1.2", ...(ca !== undefined && { ca }) },
            ...(account !== undefined && { auth: { user: account.user, pass: Redacted.value(account.password) } })
          })
        ),
        (transport) => Effect.sync(() => transport.close())
      )

      const attempt = ({ html, id, language, subject, text, to }: OutgoingMail) =>
        Effect.tryPromise({
          try: (signal) =>
            transport.sendMail({
              from,
              to: { name: "", address: to },
              envelope: { from: from.address, to: [to] },
              messageId: `<${id}@${from.address.slice(from.address.lastIndexOf("@") + 1)}>`,
              subject,
              text,
              html,
              headers: { "Auto-Submitted": "auto-generated", "Content-Language": language },
              signal
            }),
          catch: classify
        })

      return Mail.of({
        configured: true,
        // nodemailer reads lists and line ends into addresses, even in an envelope.
        send: (mail) =>
          send(isEmail(mail.to) ? Effect.asVoid(attempt(mail)) : Effect.fail(failed("refused", "not an address")))
      })
    })
  ).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))

/** https://nodemailer.com/errors, and the replies of RFC 5321 and RFC 3463. */
const classify = (error: unknown): Failed => {
  const { code, command, originalCode, response, responseCode, timeoutType } = error as {
    readonly code?: string
    readonly command?: string
    /** The system's or OpenSSL's. */
    readonly originalCode?: string
    readonly response?: string
    readonly responseCode?: number
    readonly timeoutType?: string
  }
  if (code === "ETLS") return failed("misconfigured", code)
  if (responseCode !== undefined && responseCode >= 400) {
    const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})/.exec(response ?? "")?.[1]
    const detail = coded(command?.split(" ")[0], responseCode, status)
    if (responseCode < 500) {
      // Policies that let nobody send that much, or not yet (greylisting).
      return failed(status?.startsWith("4.7.") === true ? "throttled" : "unavailable", detail)
    }
    if (code === "EAUTH" || command === "MAIL FROM" || [530, 534, 535, 538].includes(responseCode)) {
      return failed("misconfigured", detail)
    }
    return failed(code === "EENVELOPE" || code === "EMESSAGE" ? "refused" : "unavailable", detail)
  }
  if (code === "EAUTH" || code === "ENOAUTH") return failed("misconfigured", code)
  if (code === "ETIMEDOUT" && timeoutType !== "SOCKET_TIMEOUT") return failed("unavailable", coded(timeoutType))
  if (code === "EDNS") return failed("unavailable", code, { again: true })
  if (code === "EENVELOPE" || code === "EMESSAGE") return failed("refused", code)
  return broken(originalCode ?? code)
}

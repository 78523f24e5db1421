import { Clock, Context, Effect, Layer, Redacted, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { randomInt, timingSafeEqual } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { IntegrationNotConfigured } from "../domain/Integration.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { RateLimited } from "../domain/RateLimited.ts"
import {
  AlreadyVerified,
  canBeTexted,
  CodeExpired,
  type CodeSent,
  InvalidCode,
  masked,
  NothingToVerify,
  ResendTooSoon,
  TooManyAttempts,
  type VerificationChannel,
  type VerificationStatus
} from "../domain/Verification.ts"
import { changedMail, codeMail, codeSms } from "./CodeTexts.ts"
import { Codes } from "./Codes.ts"
import { CustomerSql, transaction } from "./Database.ts"
import { Deliveries } from "./Deliveries.ts"
import { Mail } from "./Mail.ts"
import { SharedLimits } from "./SharedLimits.ts"
import { Sms } from "./Sms.ts"
import { SmsBudget } from "./SmsBudget.ts"
import {
  guessableAt,
  type Held,
  lifetime,
  pendingOf,
  sendableAt,
  targetOf,
  underWay,
  verificationRows
} from "./VerificationRows.ts"

type NotSendable =
  | NothingToVerify
  | AlreadyVerified
  | ResendTooSoon
  | InvalidRequest
  | RateLimited
  | IntegrationNotConfigured

/** How a customer proves an email address or a phone number: with a code that is sent there. */
export class Verification extends Context.Service<
  Verification,
  {
    readonly status: Effect.Effect<VerificationStatus, never, CurrentCustomer>
    /** To the profile's own, or to a new one, which takes its place once it is proven. */
    readonly send: (channel: VerificationChannel, to?: string) => Effect.Effect<CodeSent, NotSendable, CurrentCustomer>
    readonly verify: (
      channel: VerificationChannel,
      code: string
    ) => Effect.Effect<VerificationStatus, InvalidCode | CodeExpired | TooManyAttempts, CurrentCustomer>
  }
>()("portico/services/Verification") {
  static readonly layer = Layer.effect(
    Verification,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const owner = yield* SqlClient.SqlClient
      const codes = yield* Codes
      const deliveries = yield* Deliveries
      const limits = yield* SharedLimits
      const mail = yield* Mail
      const sms = yield* Sms
      const budget = yield* SmsBudget
      const random = yield* SecureRandom.SecureRandom
      const rows = verificationRows(sql)

      const hashOf = Effect.fnUntraced(function* (channel: VerificationChannel, destination: string, code: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        return codes.hash(orgId, customerId, channel, destination, code)
      })

      const proof = Effect.fnUntraced(function* (channel: VerificationChannel) {
        const held = yield* rows.select(channel, false)
        const sent = yield* rows.selectCodes(channel, yield* Clock.currentTimeMillis)
        const { value, verified } = held
        return { value, verified, verifiedAt: yield* rows.provenAt(channel, held), pending: pendingOf(sent, held) }
      })

      const status = Effect.all({ email: proof("email"), phone: proof("phone") }).pipe(
        Effect.catchTag("SqlError", Effect.die),
        Effect.withSpan("Verification.status")
      )

      /** What a code would be sent to, unless there is a reason not to. */
      const destinationOf = Effect.fnUntraced(function* (channel: VerificationChannel, held: Held, to?: string) {
        const destination = to ?? held.value
        if (destination === null) return yield* new NothingToVerify()
        if (destination === held.value && held.verified) return yield* new AlreadyVerified()
        if (channel === "phone" && !canBeTexted(destination, budget.countries)) {
          const message = "Expected a number that a text message may be sent to"
          return yield* new InvalidRequest({ errors: [{ pointer: "/body/phone", message }] })
        }
        return destination
      })

      const waitFor = (at: number, now: number) => Math.max(1, Math.ceil((at - now) / 1000))

      const checkPace = Effect.fnUntraced(function* (channel: VerificationChannel, destination: string) {
        const now = yield* Clock.currentTimeMillis
        const sent = yield* rows.selectCodes(channel, now)
        const at = sendableAt(channel, sent, destination, now)
        if (at > now) return yield* new ResendTooSoon({ retryAfter: waitFor(at, now) })
        return { now, sent }
      })

      /**
       * Whether one more may go there, whoever asks. Customers that have codes sent to somebody else together are not
       * told that there are others: what is too much is not sent.
       */
      const isWelcome = Effect.fnUntraced(function* (channel: VerificationChannel, destination: string) {
        const { orgId } = yield* CurrentCustomer
        const key = codes.hash(orgId, channel, destination.toLowerCase())
        return yield* limits.use({ orgId, name: "codes-to", key, limit: 20, seconds: 86_400 }).pipe(
          Effect.as(true),
          Effect.catchTag("RateLimited", () => Effect.succeed(false))
        )
      })

      const spend = Effect.fnUntraced(function* (channel: VerificationChannel) {
        const { orgId } = yield* CurrentCustomer
        if (channel === "email") return
        yield* limits.use({ orgId, name: "codes-by-sms", key: "*", limit: budget.dailyLimit, seconds: 86_400 })
      })

      const write = Effect.fnUntraced(
        function* (channel: VerificationChannel, to: string | undefined, isSent: boolean) {
          const { customerId } = yield* CurrentCustomer
          const held = yield* rows.select(channel, true)
          const destination = yield* destinationOf(channel, held, to)
          const { now, sent } = yield* checkPace(channel, destination)
          const code = Redacted.make(String(randomInt(1_000_000)).padStart(6, "0"))
          const fresh = {
            id: yield* random.uuidV7(),
            destination,
            beside: held.value,
            hash: yield* hashOf(channel, destination, Redacted.value(code)),
            guesses: 0,
            ended: null,
            sentAt: new Date(now),
            expiresAt: new Date(now + lifetime)
          }
          yield* rows.insertCode(channel, fresh)
          const message =
            channel === "email"
              ? { ...codeMail(held.language), to: destination }
              : { ...codeSms(held.language), to: destination }
          if (isSent) {
            yield* deliveries.record([{ customerId, notificationId: null, message, code, expiresAt: fresh.expiresAt }])
          }
          const known = [fresh, ...sent]
          return {
            channel,
            to: masked(channel, destination),
            expiresAt: fresh.expiresAt,
            resendAt: new Date(sendableAt(channel, known, destination, now)),
            attemptsLeft: underWay(known, held, destination, now).attemptsLeft
          }
        },
        transaction(sql),
        Effect.catchTag("SqlError", Effect.die)
      )

      const send = Effect.fn("Verification.send")(
        function* (channel: VerificationChannel, to?: string) {
          if (!(channel === "email" ? mail : sms).configured) return yield* new IntegrationNotConfigured()
          // Before anything is counted, and outside of the transaction that repeats it, where nothing can be.
          const destination = yield* destinationOf(channel, yield* rows.select(channel, false), to)
          yield* checkPace(channel, destination)
          yield* spend(channel)
          return yield* write(channel, to, yield* isWelcome(channel, destination))
        },
        Effect.catchTag("SqlError", Effect.die)
      )

      // Answers what has become of it instead of failing: what a wrong guess costs has to be committed.
      const guess = Effect.fnUntraced(
        function* (channel: VerificationChannel, code: string) {
          const { customerId } = yield* CurrentCustomer
          const now = yield* Clock.currentTimeMillis
          const held = yield* rows.select(channel, true)
          const sent = yield* rows.selectCodes(channel, now)
          const target = targetOf(sent, held)
          if (target === undefined) return new CodeExpired()
          const { alive, attemptsLeft, killed } = underWay(sent, held, target, now)
          const tooMany = (at: number) => new TooManyAttempts({ retryAfter: waitFor(at, now) })
          if (alive.length === 0) return killed ? tooMany(sendableAt(channel, sent, target, now)) : new CodeExpired()
          const guessable = guessableAt(sent, target, now)
          if (guessable > now) return tooMany(guessable)

          const hash = Buffer.from(yield* hashOf(channel, target, code))
          if (alive.some((one) => timingSafeEqual(Buffer.from(one.hash), hash))) {
            yield* rows.endCodes(channel, "used")
            yield* rows.prove(channel, target, new Date(now))
            const { language, value, verified } = held
            if (channel === "email" && value !== null && verified && value !== target) {
              const message = { ...changedMail(language, masked("email", target)), to: value }
              yield* deliveries.record([{ customerId, notificationId: null, message }])
            }
            return undefined
          }
          yield* rows.countGuess(alive[0]!)
          if (attemptsLeft > 1) return new InvalidCode({ attemptsLeft: attemptsLeft - 1 })
          yield* rows.endCodes(channel, "killed")
          return tooMany(sendableAt(channel, sent, target, now))
        },
        transaction(sql),
        Effect.catchTag("SqlError", Effect.die)
      )

      const verify = Effect.fn("Verification.verify")(function* (channel: VerificationChannel, code: string) {
        const refusal = yield* guess(channel, code)
        if (refusal !== undefined) return yield* Effect.fail(refusal)
        return yield* status
      })

      yield* owner`DELETE FROM verification_codes WHERE sent_at < now() - interval '2 days'`.pipe(
        Effect.ignore,
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )

      return Verification.of({ status, send, verify })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

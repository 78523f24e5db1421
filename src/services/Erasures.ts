import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { randomInt, timingSafeEqual } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import {
  type Erasure,
  ErasureBlocked,
  type ErasureCodeSent,
  ErasureNotFound,
  ErasureScheduled,
  NoVerifiedChannel
} from "../domain/Erasure.ts"
import type { CustomerId } from "../domain/Ids.ts"
import { IntegrationNotConfigured } from "../domain/Integration.ts"
import type { RateLimited } from "../domain/RateLimited.ts"
import { CodeExpired, InvalidCode, masked, ResendTooSoon, TooManyAttempts } from "../domain/Verification.ts"
import { Codes } from "./Codes.ts"
import { erasureMail, erasureSms } from "./CodeTexts.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import { Deliveries } from "./Deliveries.ts"
import { erasureRows } from "./ErasureRows.ts"
import { Mail } from "./Mail.ts"
import { SharedLimits } from "./SharedLimits.ts"
import { Sms } from "./Sms.ts"
import { SmsBudget } from "./SmsBudget.ts"
import { lifetime } from "./VerificationRows.ts"

const mostGuesses = 5
const pause = 60_000
const day = 86_400_000

type NotSendable = ErasureScheduled | NoVerifiedChannel | ResendTooSoon | RateLimited | IntegrationNotConfigured
type NotScheduled = ErasureScheduled | ErasureBlocked | InvalidCode | CodeExpired | TooManyAttempts

/** How customers have all of theirs erased, and how the org does it for them. `ErasureRuns` does what is scheduled here. */
export class Erasures extends Context.Service<
  Erasures,
  {
    readonly state: Effect.Effect<Erasure, never, CurrentCustomer>
    /** Sends a code to where the customer has proven to be: a stolen token alone erases nothing. */
    readonly ask: Effect.Effect<ErasureCodeSent, NotSendable, CurrentCustomer>
    /** Schedules it, unless something is still under way. */
    readonly schedule: (code: string) => Effect.Effect<Erasure, NotScheduled, CurrentCustomer>
    /** Calls off what the customer has asked for. */
    readonly cancel: Effect.Effect<void, ErasureNotFound, CurrentCustomer>
    /** At once and for good, whatever is under way: the org answers for that itself. The same again changes nothing. */
    readonly order: (id: CustomerId) => Effect.Effect<Erasure, CustomerNotFound, CurrentPlatform>
    /** Also of a customer who is erased: what is left of them. */
    readonly find: (id: CustomerId) => Effect.Effect<Erasure, CustomerNotFound | ErasureNotFound, CurrentPlatform>
  }
>()("portico/services/Erasures") {
  static readonly layerWith = (options: { readonly graceDays: number }) =>
    Layer.effect(
      Erasures,
      Effect.gen(function* () {
        const sql = yield* CustomerSql
        const platformSql = yield* PlatformSql
        const codes = yield* Codes
        const deliveries = yield* Deliveries
        const limits = yield* SharedLimits
        const mail = yield* Mail
        const sms = yield* Sms
        const budget = yield* SmsBudget
        const rows = erasureRows(sql)
        const platformRows = erasureRows(platformSql)

        const state = CurrentCustomer.use(({ customerId, orgId }) => rows.erasureOf(orgId, customerId)).pipe(
          Effect.withSpan("Erasures.state")
        )

        // A statement of its own: one that waits for the lock would read the other table as it was before.
        const lockOwn = CurrentCustomer.use(
          ({ customerId, orgId }) => sql`
            SELECT 1 FROM customers WHERE org_id = ${orgId} AND id = ${customerId} FOR NO KEY UPDATE`
        )

        const selectOwn = Effect.fnUntraced(function* () {
          const { customerId, orgId } = yield* CurrentCustomer
          const [row] = yield* sql<Own>`
            SELECT email, email_verified, phone, phone_verified, language, erases_at, code_hash, code_sent_at,
              code_expires_at, coalesce(guesses, 0) AS guesses
            FROM customers LEFT JOIN erasures ON erasures.org_id = customers.org_id AND customer_id = customers.id
            WHERE customers.org_id = ${orgId} AND customers.id = ${customerId}`
          return row!
        })

        const targetOf = (own: Own) => {
          const proven = [
            own.emailVerified && own.email !== null ? ({ channel: "email", to: own.email } as const) : undefined,
            own.phoneVerified && own.phone !== null ? ({ channel: "phone", to: own.phone } as const) : undefined
          ].filter((target) => target !== undefined)
          if (proven.length === 0) return Effect.fail(new NoVerifiedChannel())
          const reachable = proven.find(({ channel }) => (channel === "email" ? mail : sms).configured)
          return reachable === undefined ? Effect.fail(new IntegrationNotConfigured()) : Effect.succeed(reachable)
        }

        const checkPace = Effect.fnUntraced(function* (own: Own) {
          if (own.erasesAt !== null) return yield* new ErasureScheduled()
          const now = yield* Clock.currentTimeMillis
          const at = (own.codeSentAt?.getTime() ?? 0) + pause
          if (at > now) return yield* new ResendTooSoon({ retryAfter: Math.ceil((at - now) / 1000) })
          return now
        })

        const hashOf = Effect.fnUntraced(function* (code: string) {
          const { customerId, orgId } = yield* CurrentCustomer
          return codes.hash(orgId, customerId, "erasure", code)
        })

        // As with other codes: what is too much for one address is not sent, and nobody is told so.
        const isWelcome = Effect.fnUntraced(function* (channel: "email" | "phone", to: string) {
          const { orgId } = yield* CurrentCustomer
          if (channel === "phone") {
            yield* limits.use({ orgId, name: "codes-by-sms", key: "*", limit: budget.dailyLimit, seconds: 86_400 })
          }
          const key = codes.hash(orgId, channel, to.toLowerCase())
          return yield* limits.use({ orgId, name: "codes-to", key, limit: 20, seconds: 86_400 }).pipe(
            Effect.as(true),
            Effect.catchTag("RateLimited", () => Effect.succeed(false))
          )
        })

        const write = Effect.fnUntraced(
          function* (isSent: boolean) {
            const { customerId, orgId } = yield* CurrentCustomer
            yield* lockOwn
            const own = yield* selectOwn()
            const { channel, to } = yield* targetOf(own)
            const now = yield* checkPace(own)
            const code = Redacted.make(String(randomInt(1_000_000)).padStart(6, "0"))
            const [sentAt, expiresAt] = [new Date(now), new Date(now + lifetime)]
            const hash = yield* hashOf(Redacted.value(code))
            yield* sql`
              INSERT INTO erasures (org_id, customer_id, requested_by, requested_at, code_hash, code_sent_at, code_expires_at)
              VALUES (${orgId}, ${customerId}, 'customer', ${sentAt}, ${hash}, ${sentAt}, ${expiresAt})
              ON CONFLICT (org_id, customer_id) DO UPDATE SET requested_at = excluded.requested_at, guesses = 0,
                code_hash = excluded.code_hash, code_sent_at = excluded.code_sent_at,
                code_expires_at = excluded.code_expires_at`
            const message =
              channel === "email" ? { ...erasureMail(own.language), to } : { ...erasureSms(own.language), to }
            if (isSent) yield* deliveries.record([{ customerId, notificationId: null, message, code, expiresAt }])
            const codeSent = {
              channel,
              to: masked(channel, to),
              expiresAt,
              resendAt: new Date(now + pause),
              attemptsLeft: mostGuesses
            }
            return { status: "code_sent" as const, codeSent, blockers: yield* rows.blockersOf(orgId, customerId) }
          },
          transaction(sql),
          Effect.catchTag("SqlError", Effect.die)
        )

        const ask = Effect.gen(function* () {
          const own = yield* Effect.orDie(selectOwn())
          const { channel, to } = yield* targetOf(own)
          yield* checkPace(own)
          return yield* write(yield* isWelcome(channel, to))
        }).pipe(Effect.withSpan("Erasures.ask"))

        // Answers what is in the way instead of failing: what a wrong guess costs has to be committed.
        const guess = Effect.fnUntraced(
          function* (code: string) {
            const { customerId, orgId } = yield* CurrentCustomer
            const now = yield* Clock.currentTimeMillis
            yield* lockOwn
            const { codeExpiresAt, codeHash, erasesAt, guesses } = yield* selectOwn()
            if (erasesAt !== null) return new ErasureScheduled()
            if (codeHash === null || codeExpiresAt === null || codeExpiresAt.getTime() <= now) return new CodeExpired()
            const tooMany = new TooManyAttempts({ retryAfter: pause / 1000 })
            if (guesses >= mostGuesses) return tooMany
            if (!timingSafeEqual(Buffer.from(codeHash), Buffer.from(yield* hashOf(code)))) {
              yield* sql`
                UPDATE erasures SET guesses = guesses + 1 WHERE org_id = ${orgId} AND customer_id = ${customerId}`
              const attemptsLeft = mostGuesses - guesses - 1
              return attemptsLeft > 0 ? new InvalidCode({ attemptsLeft }) : tooMany
            }
            const blockers = yield* rows.blockersOf(orgId, customerId)
            if (blockers.length > 0) return new ErasureBlocked({ blockers })
            yield* sql`
              UPDATE erasures SET requested_at = ${new Date(now)}, erases_at = ${new Date(now + options.graceDays * day)},
                code_hash = NULL, code_sent_at = NULL, code_expires_at = NULL, guesses = 0
              WHERE org_id = ${orgId} AND customer_id = ${customerId}`
            return undefined
          },
          transaction(sql),
          Effect.catchTag("SqlError", Effect.die)
        )

        const schedule = Effect.fn("Erasures.schedule")(function* (code: string) {
          const refusal = yield* guess(code)
          if (refusal !== undefined) return yield* Effect.fail(refusal)
          return yield* state
        })

        const cancel = Effect.gen(function* () {
          const { customerId, orgId } = yield* CurrentCustomer
          const gone = yield* Effect.orDie(sql`
            DELETE FROM erasures
            WHERE org_id = ${orgId} AND customer_id = ${customerId}
              AND requested_by = 'customer' AND erases_at IS NOT NULL AND started_at IS NULL
            RETURNING 1 AS one`)
          if (gone.length === 0) return yield* new ErasureNotFound()
        }).pipe(Effect.withSpan("Erasures.cancel"))

        const exists = Effect.fnUntraced(
          function* (orgId: string, id: CustomerId) {
            const found = yield* platformSql`SELECT 1 FROM customers WHERE org_id = ${orgId} AND id = ${id}`
            if (found.length === 0) return yield* new CustomerNotFound()
          },
          Effect.catchTag("SqlError", Effect.die)
        )

        const order = Effect.fn("Erasures.order")(function* (id: CustomerId) {
          const { orgId } = yield* CurrentPlatform
          yield* exists(orgId, id)
          const now = new Date(yield* Clock.currentTimeMillis)
          yield* Effect.orDie(platformSql`
            INSERT INTO erasures AS held (org_id, customer_id, requested_by, requested_at, erases_at)
            VALUES (${orgId}, ${id}, 'platform', ${now}, ${now})
            ON CONFLICT (org_id, customer_id) DO UPDATE SET requested_by = 'platform',
              requested_at = excluded.requested_at, erases_at = excluded.erases_at, due_at = now()
            WHERE held.started_at IS NULL AND held.requested_by = 'customer'`)
          return yield* platformRows.erasureOf(orgId, id)
        })

        const find = Effect.fn("Erasures.find")(function* (id: CustomerId) {
          const { orgId } = yield* CurrentPlatform
          yield* exists(orgId, id)
          const found = yield* platformRows.erasureOf(orgId, id)
          return found.status === "none" ? yield* new ErasureNotFound() : found
        })

        return Erasures.of({ state, ask, schedule, cancel, order, find })
      })
    )
}

interface Own {
  readonly email: string | null
  readonly emailVerified: boolean
  readonly phone: string | null
  readonly phoneVerified: boolean
  readonly language: string | null
  readonly erasesAt: Date | null
  readonly codeHash: string | null
  readonly codeSentAt: Date | null
  readonly codeExpiresAt: Date | null
  readonly guesses: number
}

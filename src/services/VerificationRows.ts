import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { VerificationChannel } from "../domain/Verification.ts"

export const lifetime = 600_000
const minute = 60_000
const hour = 3_600_000
const day = 86_400_000

const mostAttempts = 5
const mostGuessesADay = 50

/** What the profile says now. */
export interface Held {
  readonly value: string | null
  readonly verified: boolean
  readonly language: string | null
}

/** A code that was sent within a day. */
export interface SentCode {
  readonly id: string
  readonly destination: string
  readonly beside: string | null
  readonly hash: string
  readonly guesses: number
  readonly ended: "used" | "killed" | null
  readonly sentAt: Date
  readonly expiresAt: Date
}

const proofNow = (channel: VerificationChannel) => `
  jsonb_build_object('value', ${channel}, 'verified', ${channel}_verified,
    'verifiedAt', (
      SELECT verified_at FROM verifications AS proven
      WHERE proven.org_id = customers.org_id AND customer_id = customers.id AND channel = '${channel}'
        AND value = ${channel} AND ${channel}_verified),
    'pending', (
      SELECT CASE WHEN ended IS DISTINCT FROM 'used' AND beside IS NOT DISTINCT FROM ${channel}
        AND destination IS DISTINCT FROM ${channel} THEN destination END
      FROM verification_codes AS sent
      WHERE sent.org_id = customers.org_id AND customer_id = customers.id AND channel = '${channel}'
        AND sent_at > now() - interval '1 day'
      ORDER BY sent_at DESC, sent.id DESC LIMIT 1)) AS ${channel}`

/** The status of a row of customers, as `pendingOf` and `provenAt` have it, by the database's clock. */
export const verificationColumns = `${proofNow("email")}, ${proofNow("phone")}`

/** The rows about what the current customer has been sent, newest first. */
export const verificationRows = (sql: SqlClient.SqlClient) => {
  const columns = {
    email: sql`email AS value, email_verified AS verified`,
    phone: sql`phone AS value, phone_verified AS verified`
  }

  const select = (channel: VerificationChannel, lock: boolean) =>
    CurrentCustomer.use(({ customerId, orgId }) =>
      Effect.map(
        sql<Held>`
          SELECT ${columns[channel]}, language FROM customers WHERE org_id = ${orgId} AND id = ${customerId}
          ${sql.literal(lock ? "FOR NO KEY UPDATE" : "")}`,
        ([row]) => row!
      )
    )

  const selectCodes = (channel: VerificationChannel, now: number) =>
    CurrentCustomer.use(
      ({ customerId, orgId }) => sql<SentCode>`
        SELECT id, destination, beside, hash, guesses, ended, sent_at, expires_at FROM verification_codes
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND channel = ${channel}
          AND sent_at > ${new Date(now - day)}
        ORDER BY sent_at DESC, id DESC`
    )

  const insertCode = (channel: VerificationChannel, code: SentCode) =>
    CurrentCustomer.use(
      ({ customerId, orgId }) => sql`
        INSERT INTO verification_codes (org_id, customer_id, id, channel, destination, beside, hash, sent_at, expires_at)
        VALUES (${orgId}, ${customerId}, ${code.id}, ${channel}, ${code.destination}, ${code.beside}, ${code.hash},
          ${code.sentAt}, ${code.expiresAt})`
    )

  /** A wrong guess stands at the newest of the codes that it may have been for. */
  const countGuess = ({ id }: SentCode) =>
    CurrentCustomer.use(
      ({ customerId, orgId }) => sql`
        UPDATE verification_codes SET guesses = guesses + 1
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
    )

  const endCodes = (channel: VerificationChannel, how: "used" | "killed") =>
    CurrentCustomer.use(
      ({ customerId, orgId }) => sql`
        UPDATE verification_codes SET ended = ${how}
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND channel = ${channel} AND ended IS NULL`
    )

  const prove = (channel: VerificationChannel, value: string, at: Date) =>
    CurrentCustomer.use(({ customerId, orgId }) =>
      Effect.andThen(
        channel === "email"
          ? sql`UPDATE customers SET email = ${value}, email_verified = true
              WHERE org_id = ${orgId} AND id = ${customerId}`
          : sql`UPDATE customers SET phone = ${value}, phone_verified = true
              WHERE org_id = ${orgId} AND id = ${customerId}`,
        sql`
          INSERT INTO verifications (org_id, customer_id, channel, value, verified_at)
          VALUES (${orgId}, ${customerId}, ${channel}, ${value}, ${at})
          ON CONFLICT (org_id, customer_id, channel) DO UPDATE
            SET value = excluded.value, verified_at = excluded.verified_at`
      )
    )

  const provenAt = (channel: VerificationChannel, { value, verified }: Held) =>
    CurrentCustomer.use(({ customerId, orgId }) =>
      Effect.map(
        sql<{ readonly verifiedAt: Date }>`
          SELECT verified_at FROM verifications
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND channel = ${channel} AND value = ${value}`,
        ([row]) => (verified ? (row?.verifiedAt ?? null) : null)
      )
    )

  return { select, selectCodes, insertCode, countGuess, endCodes, prove, provenAt }
}

/** What the newest code was for, as long as the profile still says what it said then. */
export const targetOf = ([newest]: ReadonlyArray<SentCode>, { value }: Held): string | undefined =>
  newest !== undefined && newest.ended !== "used" && newest.beside === value ? newest.destination : undefined

/** A new address or number that waits for its code. */
export const pendingOf = (codes: ReadonlyArray<SentCode>, held: Held): string | null => {
  const target = targetOf(codes, held)
  return target === undefined || target === held.value ? null : target
}

/** Codes for a target whose time is not over: those that still count, and whether too many guesses have ended others. */
export const underWay = (codes: ReadonlyArray<SentCode>, held: Held, target: string, now: number) => {
  const timely = codes.filter(
    ({ beside, destination, expiresAt }) => destination === target && beside === held.value && expiresAt.getTime() > now
  )
  const alive = timely.filter(({ ended }) => ended === null)
  const used = alive.reduce((sum, { guesses }) => sum + guesses, 0)
  return { alive, attemptsLeft: mostAttempts - used, killed: timely.some(({ ended }) => ended === "killed") }
}

/** When the guesses of the last day at one target are few enough again; now, when they are. */
export const guessableAt = (codes: ReadonlyArray<SentCode>, target: string, now: number): number => {
  const guessed = codes.filter(({ destination, guesses }) => destination === target && guesses > 0)
  const total = guessed.reduce((sum, { guesses }) => sum + guesses, 0)
  return total < mostGuessesADay ? now : guessed.at(-1)!.sentAt.getTime() + day
}

/** When the next code may be sent to a target. Each rule: so many codes within so long, to it or to whatever target. */
export const sendableAt = (
  channel: VerificationChannel,
  codes: ReadonlyArray<SentCode>,
  target: string,
  now: number
): number => {
  const toTarget = codes.filter(({ destination }) => destination === target)
  const rules: ReadonlyArray<readonly [ReadonlyArray<SentCode>, number, number]> = [
    [toTarget, 1, minute],
    [toTarget, 5, hour],
    [codes, 10, hour],
    // A message costs, so that many in a day are hardly a person's.
    [toTarget, channel === "phone" ? 10 : 24 * 5, day]
  ]
  return Math.max(
    now,
    ...rules.map(([sent, most, within]) => {
      const oldest = sent[most - 1]
      return oldest === undefined ? now : oldest.sentAt.getTime() + within
    })
  )
}

import { Context, Effect, Layer, Option, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { Codes } from "./Codes.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"
import { DeliveryQueue } from "./DeliveryQueue.ts"

/** One message that shall reach one customer in one way. */
export interface NewDelivery {
  readonly customerId: CustomerId
  /** What it belongs to; null for a code. */
  readonly notificationId: string | null
  readonly message:
    | {
        readonly channel: "email"
        readonly to: string
        readonly language: string
        readonly subject: string
        readonly text: string
        readonly html: string
      }
    | { readonly channel: "sms"; readonly to: string; readonly text: string }
    | {
        readonly channel: "push"
        readonly pushTokenId: string
        readonly title: string
        readonly body: string
        readonly link: string | null
        readonly data: Readonly<Record<string, string>>
      }
  /** Stands in the texts as `{code}`, is kept sealed until it is sent, and is nowhere afterwards. */
  readonly code?: Redacted.Redacted
  /** Quiet hours: not before. */
  readonly notBefore?: Date
  /** Of no use afterwards: `skipped` then. */
  readonly expiresAt?: Date
}

/** Messages on their way out, and what has become of each: `queued sent delivered failed skipped`. */
export class Deliveries extends Context.Service<
  Deliveries,
  {
    /**
     * Records messages in the transaction that the current customer or platform has open: they leave once it has
     * committed, and never if it has not. Answers their ids. Dies outside of a transaction.
     */
    readonly record: (deliveries: ReadonlyArray<NewDelivery>) => Effect.Effect<ReadonlyArray<string>>
  }
>()("portico/services/Deliveries") {
  static readonly layer = Layer.effect(
    Deliveries,
    Effect.gen(function* () {
      const customerSql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const queue = yield* DeliveryQueue
      const codes = yield* Codes
      const random = yield* SecureRandom.SecureRandom

      /** Whose transaction is open: the current customer's own, or that of an org's platform. */
      const writer: Effect.Effect<Writer> = Effect.contextWith((context: Context.Context<never>) => {
        const isOpen = (sql: SqlClient.SqlClient) => Option.isSome(Context.getOption(context, sql.transactionService))
        const customer = Context.getOrUndefined(context, CurrentCustomer)
        if (customer !== undefined && isOpen(customerSql)) return Effect.succeed({ sql: customerSql, ...customer })
        const platform = Context.getOrUndefined(context, CurrentPlatform)
        if (platform !== undefined && isOpen(platformSql)) return Effect.succeed({ sql: platformSql, ...platform })
        return Effect.die(new Error("Deliveries are recorded in an open transaction of a customer or a platform"))
      })

      const rowOf = ({ code, message, ...delivery }: NewDelivery, orgId: OrgId, id: string) => {
        const { channel, ...rest } = message
        return {
          customerId: delivery.customerId,
          id,
          notificationId: delivery.notificationId,
          channel,
          target: "to" in message ? message.to : message.pushTokenId,
          message: rest,
          sealedCode: code === undefined ? null : codes.seal(code, labelOf(orgId, id)),
          notBefore: delivery.notBefore ?? null,
          expiresAt: delivery.expiresAt ?? null
        }
      }

      const insert = ({ orgId, sql }: Writer, rows: ReadonlyArray<ReturnType<typeof rowOf>>) => sql`
        INSERT INTO deliveries (org_id, customer_id, id, notification_id, channel, target, message, sealed_code,
          not_before, next_try_at, expires_at)
        SELECT ${orgId}, "customerId", id, "notificationId", channel, target, message, "sealedCode", "notBefore",
          coalesce("notBefore", now()), "expiresAt"
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS delivery ("customerId" text, id text,
          "notificationId" text, channel text, target text, message jsonb, "sealedCode" text, "notBefore" timestamptz,
          "expiresAt" timestamptz)`

      const record = Effect.fn("Deliveries.record")(function* (deliveries: ReadonlyArray<NewDelivery>) {
        const from = yield* writer
        if (deliveries.some(({ customerId }) => from.customerId !== undefined && customerId !== from.customerId)) {
          return yield* Effect.die(new Error("A customer sends nothing to anybody else"))
        }
        if (deliveries.length === 0) return []
        const rows = yield* Effect.forEach(deliveries, (delivery) =>
          Effect.map(random.uuidV7(), (id) => rowOf(delivery, from.orgId, id))
        )
        yield* Effect.orDie(insert(from, rows))
        const now = Date.now()
        yield* queue.offerAll(
          from.sql,
          rows.map(({ customerId, id, notBefore }) => ({
            next: { orgId: from.orgId, customerId, id, finished: 0 },
            delay: notBefore === null ? 0 : Math.max(0, notBefore.getTime() - now)
          }))
        )
        return rows.map(({ id }) => id)
      })

      return Deliveries.of({ record })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

/** What a code is sealed beside: it opens in its own row and in no other. */
export const labelOf = (orgId: OrgId, id: string) => JSON.stringify([orgId, id])

type Writer = { readonly sql: SqlClient.SqlClient; readonly orgId: OrgId; readonly customerId?: CustomerId }

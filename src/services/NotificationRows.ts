import { Clock, Effect, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient, Statement } from "effect/sql"
import { CustomerId, type OrgId } from "../domain/Ids.ts"
import { QuietHours } from "../domain/QuietHours.ts"
import type { Deliveries } from "./Deliveries.ts"
import { type Content, type Plan, planFor, type Recipient } from "./NoticePlan.ts"

const Stored = Schema.Array(
  Schema.Struct({
    customerId: CustomerId,
    email: Schema.NullOr(Schema.String),
    phone: Schema.NullOr(Schema.String),
    phoneVerified: Schema.Boolean,
    language: Schema.NullOr(Schema.String),
    timezone: Schema.NullOr(Schema.String),
    types: Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Boolean)),
    quietHours: Schema.NullOr(QuietHours),
    pushTokenIds: Schema.Array(Schema.String)
  })
)
const decode = Schema.decodeUnknownEffect(Stored)

/** How customers can be reached, in the order of their ids: `which` goes on after the org. Nobody reaches an erased one. */
export const selectRecipients = (
  sql: SqlClient.SqlClient,
  orgId: OrgId,
  which: Statement.Fragment
): Effect.Effect<ReadonlyArray<Recipient>> =>
  sql`
    SELECT customers.id AS customer_id, email, phone, phone_verified, language, timezone,
      coalesce(types, '{}') AS types,
      CASE WHEN quiet_start IS NOT NULL THEN jsonb_build_object('start', quiet_start, 'end', quiet_end) END AS quiet_hours,
      coalesce((
        SELECT jsonb_agg(push_tokens.id ORDER BY push_tokens.id) FROM push_tokens
        WHERE push_tokens.org_id = ${orgId} AND push_tokens.customer_id = customers.id), '[]') AS push_token_ids
    FROM customers LEFT JOIN notification_preferences AS preferences
      ON preferences.org_id = ${orgId} AND preferences.customer_id = customers.id
    WHERE customers.org_id = ${orgId} AND erased_at IS NULL AND ${which}`.pipe(Effect.flatMap(decode), Effect.orDie)

/**
 * Writes notifications and puts what leaves the house on its way, in the transaction that `sql` has open. `contentFor`
 * says each in the customer's language. Whoever has got this broadcast already does not get it again.
 */
export const tellRecipients = Effect.fnUntraced(
  function* (
    sql: SqlClient.SqlClient,
    deliveries: Deliveries["Service"],
    orgId: OrgId,
    recipients: ReadonlyArray<Recipient>,
    contentFor: (recipient: Recipient) => Content,
    broadcastId: string | null
  ) {
    if (recipients.length === 0) return
    const random = yield* SecureRandom.SecureRandom
    const now = yield* Clock.currentTimeMillis
    const planned: Array<Planned> = []
    for (const recipient of recipients) {
      const id = yield* random.uuidV7()
      const content = contentFor(recipient)
      planned.push({ id, recipient, content, plan: planFor(recipient, id, content, now) })
    }
    const told = broadcastId === null ? planned.filter(({ plan }) => plan.inApp || plan.deliveries.length > 0) : planned
    const written = new Set((yield* insertNotifications(sql, orgId, told, broadcastId)).map(({ id }) => id))
    const leaving = told.filter(({ id }) => written.has(id)).flatMap(({ plan }) => plan.deliveries)
    if (leaving.length > 0) yield* deliveries.record(leaving)
  },
  Effect.provide(SecureRandom.layerWebCrypto),
  Effect.catchTag("SqlError", Effect.die)
)

interface Planned {
  readonly id: string
  readonly recipient: Recipient
  readonly content: Content
  readonly plan: Plan
}

const insertNotifications = (
  sql: SqlClient.SqlClient,
  orgId: OrgId,
  planned: ReadonlyArray<Planned>,
  broadcastId: string | null
) => {
  const rows = planned.map(({ content: { body, data, link, title, type }, id, plan, recipient }) => ({
    customer: recipient.customerId,
    id,
    type,
    title,
    body,
    data,
    link,
    shown: plan.inApp,
    withheld: plan.withheld
  }))
  return sql<{ readonly id: string }>`
    INSERT INTO notifications (org_id, customer_id, id, type, title, body, data, link, in_app, withheld, broadcast_id)
    SELECT ${orgId}, customer, id, type, title, body, data, link, shown, withheld, ${broadcastId}::text
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS told (
      customer text, id text, type text, title text, body text, data jsonb, link text, shown boolean, withheld jsonb)
    ON CONFLICT (org_id, broadcast_id, customer_id) WHERE broadcast_id IS NOT NULL DO NOTHING
    RETURNING id`
}

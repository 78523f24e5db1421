import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import type { System } from "../domain/Erasure.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { CardVault, ProviderFailure } from "./CardVault.ts"
import { transaction } from "./Database.ts"
import { erasedTables, keptTables, lastErasedTables } from "./ErasureTables.ts"
import type { PayPalVault } from "./PayPalVault.ts"
import type { Storage } from "./Storage.ts"

export interface Erased {
  readonly orgId: OrgId
  readonly customerId: CustomerId
}

/** An upload that was under way when its customer went has yet to end, or to be swept: an hour at most. */
export class StillArriving extends Schema.TaggedError<StillArriving>()("StillArriving", {}) {}

/** What is done in each system: each may be done again, and is then done again or not needed any more. */
export const erasureSteps = (
  sql: SqlClient.SqlClient,
  cards: CardVault["Service"],
  payPal: PayPalVault["Service"],
  storage: Storage["Service"]
) => {
  // What row security lets the owner see of this one customer, in one transaction, and held against whoever still writes.
  const within =
    ({ customerId, orgId }: Erased) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.gen(function* () {
        yield* sql`SELECT set_config('app.org_id', ${orgId}, true), set_config('app.customer_id', ${customerId}, true)`
        yield* sql`SELECT 1 FROM customers WHERE org_id = ${orgId} AND id = ${customerId} FOR UPDATE`
        return yield* effect
      }).pipe(transaction(sql))

  const deleteFrom = ({ customerId, orgId }: Erased, tables: ReadonlyArray<string>) =>
    Effect.forEach(
      tables,
      (table) => sql`DELETE FROM ${sql(table)} WHERE org_id = ${orgId} AND customer_id = ${customerId}`,
      { discard: true }
    )

  const closeAccess = (erased: Erased) =>
    sql`
      UPDATE customers SET erased_at = now()
      WHERE org_id = ${erased.orgId} AND id = ${erased.customerId} AND erased_at IS NULL`.pipe(within(erased))

  const forgetAt = Effect.fnUntraced(function* (
    provider: "stripe" | "paypal",
    forget: (vaultId: string) => Effect.Effect<void, ProviderFailure>,
    erased: Erased
  ) {
    const { customerId, orgId } = erased
    const vaults = yield* sql<{ readonly providerId: string }>`
      SELECT provider_id FROM payment_customers
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = ${provider}`.pipe(within(erased))
    for (const { providerId } of vaults) {
      yield* forget(providerId)
      yield* sql`
        DELETE FROM payment_customers
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = ${provider}
          AND provider_id = ${providerId}`.pipe(within(erased))
    }
  })

  const eraseFiles = Effect.fnUntraced(function* (erased: Erased) {
    const { customerId, orgId } = erased
    const objects = yield* Effect.gen(function* () {
      yield* deleteFrom(erased, ["enrollment_documents", "message_attachments", "ticket_attachments"])
      yield* sql`
        INSERT INTO file_leftovers (org_id, customer_id, id, due_at, tries)
        SELECT org_id, customer_id, id, now(), 1 FROM files WHERE org_id = ${orgId} AND customer_id = ${customerId}
        ON CONFLICT DO NOTHING`
      yield* deleteFrom(erased, ["files", "file_usage"])
      return yield* sql<{ readonly id: string; readonly arriving: boolean }>`
        SELECT id, due_at > now() AND tries = 0 AS arriving FROM file_leftovers
        WHERE org_id = ${orgId} AND customer_id = ${customerId}`
    }).pipe(within(erased))
    for (const { arriving, id } of objects) {
      if (arriving) continue
      yield* storage.remove(id)
      yield* sql`
        DELETE FROM file_leftovers WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`.pipe(
        within(erased)
      )
    }
    if (objects.some(({ arriving }) => arriving)) return yield* new StillArriving()
  })

  const eraseRecords = (erased: Erased) =>
    Effect.gen(function* () {
      const { customerId, orgId } = erased
      yield* sql`
        DELETE FROM delivery_queue WHERE split_part(id, '.', 1) IN (
          SELECT id FROM deliveries WHERE org_id = ${orgId} AND customer_id = ${customerId})`
      yield* deleteFrom(erased, erasedTables)
      // What one customer was told goes with them; what several were told, they alone are taken out of.
      yield* sql`
        UPDATE broadcasts SET audience = audience - ${customerId}::text,
          title = CASE WHEN jsonb_array_length(audience) = 1 THEN '' ELSE title END,
          body = CASE WHEN jsonb_array_length(audience) = 1 THEN '' ELSE body END,
          data = CASE WHEN jsonb_array_length(audience) = 1 THEN '{}' ELSE data END,
          link = CASE WHEN jsonb_array_length(audience) = 1 THEN NULL ELSE link END
        WHERE org_id = ${orgId} AND audience ? ${customerId}`
    }).pipe(within(erased))

  const pseudonymise = (erased: Erased) =>
    Effect.gen(function* () {
      const { customerId, orgId } = erased
      // A spot is taken and given back behind the lock of what it is a spot of.
      yield* sql`
        SELECT lock_definition(${orgId}, definition_id) FROM (
          SELECT DISTINCT definition_id FROM reservations
          WHERE org_id = ${orgId} AND customer_id = ${customerId} ORDER BY 1) AS booked`
      yield* sql`
        UPDATE reservations SET status = 'cancelled'
        WHERE org_id = ${orgId} AND customer_id = ${customerId}
          AND status IN ('pending', 'confirmed', 'rescheduled') AND ends_at > now()`
      for (const [table, changes] of Object.entries(keptTables)) {
        if (changes === "") continue
        yield* sql`
          UPDATE ${sql(table)} SET ${sql.literal(changes)} WHERE org_id = ${orgId} AND customer_id = ${customerId}`
      }
    }).pipe(within(erased))

  const eraseProfile = (erased: Erased) =>
    sql`
      UPDATE customers SET user_id = NULL, email = NULL, email_verified = false, name = NULL, phone = NULL,
        phone_verified = false, language = NULL, timezone = NULL, about = NULL
      WHERE org_id = ${erased.orgId} AND id = ${erased.customerId}`.pipe(within(erased))

  // The platform's own stored answers are anonymous to us, and gone within a day: those that name the customer go now.
  const eraseLog = (erased: Erased) =>
    Effect.andThen(
      deleteFrom(erased, lastErasedTables),
      sql`
        DELETE FROM idempotency_keys
        WHERE org_id = ${erased.orgId} AND customer_id = '*'
          AND (position(convert_to(${erased.customerId}, 'UTF8') in coalesce(body, '')) > 0
            OR position(${erased.customerId} in route) > 0)`
    ).pipe(within(erased))

  return {
    access: closeAccess,
    stripe: (erased) => forgetAt("stripe", cards.forget, erased),
    paypal: (erased) => forgetAt("paypal", payPal.forget, erased),
    files: eraseFiles,
    records: eraseRecords,
    books: pseudonymise,
    profile: eraseProfile,
    log: eraseLog
  } satisfies Record<System, (erased: Erased) => Effect.Effect<unknown, { readonly _tag: string }>>
}

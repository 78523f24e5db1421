import { Effect, Stream } from "effect"
import type { CustomerId } from "../../src/domain/Ids.ts"
import type { StoredFile } from "../../src/domain/StoredFile.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { SqlClient } from "effect/sql"
import { as, type Customer } from "./People.ts"

export const receive = (customer: Customer, name: string, content: string | Uint8Array = "hello") =>
  FileUploads.use((uploads) => uploads.receive(name, Stream.make(Buffer.from(content)))).pipe(as(customer))

/** A file of the customer's, as an upload leaves it. */
export const upload = Effect.fnUntraced(function* (
  customer: Customer,
  name: string,
  options: { readonly folder?: string; readonly content?: string | Uint8Array } = {}
) {
  const received = yield* receive(customer, name, options.content)
  const [file] = yield* FileUploads.use((uploads) => uploads.keep([received], options.folder ?? "")).pipe(as(customer))
  return file as StoredFile
}, Effect.scoped)

export const leftoversOf = ({ customerId, orgId }: { readonly orgId: string; readonly customerId: CustomerId }) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{ readonly id: string; readonly tries: number }>`
      SELECT id, tries FROM file_leftovers WHERE org_id = ${orgId} AND customer_id = ${customerId} ORDER BY id`
  )

/** As if so much time had gone by for what is left over. */
export const age = (customer: Customer, interval: string) =>
  SqlClient.SqlClient.use(
    (sql) => sql`
      UPDATE file_leftovers SET due_at = due_at - ${interval}::text::interval
      WHERE org_id = ${customer.orgId} AND customer_id = ${customer.customerId}`
  )

export const usedBy = (customer: Customer) =>
  SqlClient.SqlClient.use((sql) =>
    Effect.map(
      sql<{ readonly bytes: string }>`
        SELECT bytes::text FROM file_usage WHERE org_id = ${customer.orgId} AND customer_id = ${customer.customerId}`,
      ([row]) => Number(row?.bytes ?? 0)
    )
  )

/** As if the customer had stored this much before. */
export const use = (customer: Customer, bytes: number) =>
  SqlClient.SqlClient.use(
    (sql) => sql`
      INSERT INTO file_usage (org_id, customer_id, bytes) VALUES (${customer.orgId}, ${customer.customerId}, ${bytes}::bigint)
      ON CONFLICT (org_id, customer_id) DO UPDATE SET bytes = excluded.bytes`
  )

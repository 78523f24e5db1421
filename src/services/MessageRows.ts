import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { Attached } from "../domain/Attachment.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { messageSorts, PlatformMessage } from "../domain/Message.ts"
import type { SortType } from "../domain/Page.ts"
import type { StoredFile } from "../domain/StoredFile.ts"
import { attachedTo } from "./Attachments.ts"

/** A message as its row says, before its attachments have urls. */
export const StoredMessage = Schema.Struct({ ...PlatformMessage.fields, attachments: Schema.Array(Attached) })

/** Named as in JSON already, since a conversation holds its last message as one value. */
export const messageColumns = `
  messages.id, messages.conversation_id AS "conversationId", messages.sequence,
  jsonb_build_object('kind', messages.from_kind, 'name', messages.from_name) AS "from", messages.text,
  messages.client_message_id AS "clientMessageId", messages.status, messages.created_at AS "createdAt",
  messages.read_at AS "readAt", messages.customer_id AS "customerId",
  ${attachedTo("message_attachments", "messages", "message_id = messages.id")} AS attachments`

export const messageColumnsOfSorts: Readonly<
  Record<keyof typeof messageSorts, { readonly type: SortType; readonly column: `${string}.${string}` }>
> = {
  createdAt: { type: messageSorts.createdAt, column: "messages.created_at" },
  sequence: { type: messageSorts.sequence, column: "messages.sequence" },
  id: { type: messageSorts.id, column: "messages.id" }
}

/** Attaches files to a message that has just been written. */
export const insertAttachments = (
  sql: SqlClient.SqlClient,
  message: { readonly orgId: OrgId; readonly customerId: CustomerId; readonly id: string },
  files: ReadonlyArray<StoredFile>
) =>
  files.length === 0
    ? Effect.void
    : sql`
        INSERT INTO message_attachments (org_id, customer_id, message_id, position, file_id)
        SELECT ${message.orgId}, ${message.customerId}, ${message.id}, position, file_id
        FROM unnest(${`{${files.map(({ id }) => id).join()}}`}::text::text[])
          WITH ORDINALITY AS attached (file_id, position)`

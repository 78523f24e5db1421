import { Effect } from "effect"
import type { Attached } from "../domain/Attachment.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import type { FileLinks } from "./FileLinks.ts"

/** SQL for the files attached to a row of `owner`, in the order they were named in: a value to be read as `Attached`s. */
export const attachedTo = (attachments: string, owner: string, on: string): string => `
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', files.id, 'path', files.path, 'name', files.name,
    'size', files.size, 'contentType', files.content_type) ORDER BY position), '[]')
  FROM ${attachments} JOIN files USING (org_id, customer_id)
  WHERE org_id = ${owner}.org_id AND customer_id = ${owner}.customer_id AND ${on} AND files.id = file_id)`

interface Owner {
  readonly orgId: OrgId
  readonly customerId: CustomerId
}

/** Gives each attachment of a record its url. */
export const linked = <A extends { readonly attachments: ReadonlyArray<Attached> }>(
  links: FileLinks["Service"],
  { customerId, orgId }: Owner,
  record: A
) =>
  Effect.map(
    Effect.forEach(record.attachments, ({ contentType, id, name, path, size }) =>
      Effect.map(links.of({ orgId, customerId, id }), ({ url }) => ({ path, name, size, contentType, url }))
    ),
    (attachments) => ({ ...record, attachments })
  )

import { Schema } from "effect"
import { File, FileId, FilePath } from "./StoredFile.ts"
import { Url } from "./Url.ts"

const { contentType, name, path, size } = File.fields
const url = Url.annotateKey({
  description: "Downloads this file without a token, for 15 minutes; the file's `path` stays good"
})

/** A file of the customer's own, as it stands beside a ticket, comment or message. */
export const Attachment = Schema.Struct({ path, name, size, contentType, url }).annotate({
  identifier: "Attachment",
  examples: [
    {
      path: "receipts/invoice.pdf",
      name: "invoice.pdf",
      size: 48213,
      contentType: "application/pdf",
      url: "https://api.example.com/files/eyJvIjoiYWNtZSJ9.4Dk2"
    }
  ]
})
export type Attachment = typeof Attachment.Type

/** An attachment as it is read from its rows, before it has a url. */
export const Attached = Schema.Struct({ id: FileId, path, name, size, contentType })
export type Attached = typeof Attached.Type

export const AttachmentPaths = Schema.Array(FilePath)
  .annotate({ description: "Paths of the customer's own files; as long as they are attached they cannot be deleted" })
  .check(Schema.isMaxLength(10))

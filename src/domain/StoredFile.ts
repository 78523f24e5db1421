import { Schema } from "effect"
import { example } from "./Example.ts"
import { listQuery, pageOf } from "./Page.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"
import { Url } from "./Url.ts"

export const FileId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("FileId"))
export type FileId = typeof FileId.Type

const mebibyte = 1024 * 1024

/** How much there may be of what. */
export const fileLimits = {
  fileBytes: 25 * mebibyte,
  quotaBytes: 1024 * mebibyte,
  filesPerUpload: 10,
  nameBytes: 200,
  folderBytes: 400
} as const

const facts = {
  path: Schema.String.annotate({ description: "Within the customer's own files: `folder/name`" }),
  name: Schema.String,
  size: Schema.Int.annotate({ description: "Bytes" }),
  contentType: Schema.String.annotate({ description: "By the file's content, whatever it was sent as" }),
  sha256: Schema.String.annotate({ description: "Of the content, in hexadecimal digits" }),
  createdAt: Timestamp
}

/** A file as its row says; the id is nobody's business but ours. */
export const StoredFile = Schema.Struct({ id: FileId, ...facts })
export type StoredFile = typeof StoredFile.Type

/** A file as the customer sees it. */
export const File = Schema.Struct({
  ...facts,
  url: Url.annotateKey({ description: "Downloads this file without a token, until `urlExpiresAt`" }),
  urlExpiresAt: Timestamp
}).annotate({
  identifier: "File",
  examples: [
    example({
      path: "receipts/invoice.pdf",
      name: "invoice.pdf",
      size: 48213,
      contentType: "application/pdf",
      sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      createdAt: new Date("2026-11-02T17:31:02.118Z"),
      url: "https://api.example.com/files/eyJvIjoiYWNtZSJ9.4Dk2",
      urlExpiresAt: new Date("2026-11-02T17:46:02.118Z")
    })
  ]
})
export type File = typeof File.Type

export const Files = Schema.Array(File).annotate({ identifier: "Files" })

/** Fields that a list of files sorts by. */
export const fileSorts = {
  createdAt: "instant",
  path: "text",
  name: "text",
  size: "integer",
  contentType: "text"
} as const

export const FilePath = Text(1, 1000, "The file's path: `folder/name`, its slashes as they are or percent-encoded")

export const FilesQuery = Schema.Struct({
  ...listQuery(fileSorts, "createdAt"),
  prefix: Schema.optionalKey(Text(0, 1000, "Only paths that begin so, such as `receipts/`"))
})
export type FilesQuery = typeof FilesQuery.Type

export const FilesPage = pageOf("FilesPage", File)

/** Also the answer for a file of somebody else: a stranger must not learn that it exists. */
export class FileNotFound extends Problem<FileNotFound>()("FileNotFound", {
  code: "file_not_found",
  status: 404,
  title: "File not found",
  detail: "There is no such file."
}) {}

export class FileTypeNotAllowed extends Problem<FileTypeNotAllowed>()("FileTypeNotAllowed", {
  code: "file_type_not_allowed",
  status: 415,
  title: "File type not allowed",
  detail: "Send images, PDFs, plain text, office documents or zip archives; what counts is the file's content."
}) {}

export class FileTooLarge extends Problem<FileTooLarge>()("FileTooLarge", {
  code: "file_too_large",
  status: 413,
  title: "File too large",
  detail: "A file may hold 25 MiB at most."
}) {}

export class QuotaExceeded extends Problem<QuotaExceeded>()("QuotaExceeded", {
  code: "quota_exceeded",
  status: 413,
  title: "No space left",
  detail: "Your files may take 1 GiB together; delete some to make room."
}) {}

export class FileInUse extends Problem<FileInUse>()("FileInUse", {
  code: "action_not_allowed",
  status: 409,
  title: "File in use",
  detail: "This file is attached to a ticket, a message or an enrollment, so it cannot be deleted."
}) {}

import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Folder } from "../../domain/FileName.ts"
import { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../../domain/Integration.ts"
import {
  FileInUse,
  FileNotFound,
  FilePath,
  Files,
  FilesPage,
  FilesQuery,
  FileTooLarge,
  FileTypeNotAllowed,
  QuotaExceeded
} from "../../domain/StoredFile.ts"
import { Text } from "../../domain/Text.ts"
import { RangeNotSatisfiable } from "../Downloads.ts"
import { writeHeaders } from "../Records.ts"
import { FileParts, formOf, TakesFiles } from "../Uploads.ts"

/** What can go wrong with files that come in. */
export const uploadErrors = [
  FileTooLarge,
  FileTypeNotAllowed,
  QuotaExceeded,
  IntegrationNotConfigured,
  ProviderError,
  ProviderUnavailable
] as const

const downloadErrors = [
  FileNotFound,
  RangeNotSatisfiable,
  IntegrationNotConfigured,
  ProviderError,
  ProviderUnavailable
] as const

export const UploadFields = Schema.Struct({ folder: Schema.optionalKey(Folder) })

const params = { path: FilePath }
const text = (description: string) => ({ description, schema: { type: "string", maxLength: 1024 } })

/** What the document would not know of a download: that it may come in part, and under which tag. */
const inPart = (operation: Readonly<Record<string, unknown>>) => {
  const { parameters, responses } = operation as {
    readonly parameters: ReadonlyArray<unknown>
    readonly responses: Readonly<Record<number, { readonly headers?: Readonly<Record<string, unknown>> }>>
  }
  const { 200: whole, ...others } = responses
  const headers = { ...whole?.headers, etag: text("Changes with the content"), "accept-ranges": text("`bytes`") }
  return {
    ...operation,
    parameters: [
      ...parameters,
      { name: "range", in: "header", required: false, ...text("One range of bytes, such as `bytes=0-499`") },
      { name: "if-range", in: "header", required: false, ...text("The `ETag` that the range is of") }
    ],
    responses: {
      200: { ...whole, description: "The whole file", headers },
      206: {
        ...whole,
        description: "The range that was asked for",
        headers: { ...headers, "content-range": text("Which bytes of how many: `bytes 0-499/1234`") }
      },
      ...others
    }
  }
}

const bytes = HttpApiSchema.StreamUint8Array({ contentType: "application/octet-stream" })

export class FilesApi extends HttpApiGroup.make("files")
  .add(
    HttpApiEndpoint.get("list", "/", { query: FilesQuery, success: FilesPage }).annotate(
      OpenApi.Summary,
      "List the files"
    ),
    HttpApiEndpoint.post("upload", "/upload", {
      headers: writeHeaders,
      payload: formOf("FileUpload", { file: FileParts, ...UploadFields.fields }),
      success: Files.pipe(HttpApiSchema.status(201)),
      error: [...uploadErrors]
    })
      .annotate(TakesFiles, { part: "file", least: 1 })
      .annotateMerge(
        OpenApi.annotations({
          summary: "Upload files",
          description:
            "All of them or none. Images (PNG, JPEG, GIF, WebP, HEIC, AVIF), PDFs, text, office documents without macros and zip archives, told by their content. A name that is taken gets a suffix: `name (1).ext`. With an `Idempotency-Key`, the same files again are not stored twice."
        })
      ),
    HttpApiEndpoint.get("download", "/:path", { params, success: bytes, error: [...downloadErrors] }).annotateMerge(
      OpenApi.annotations({
        summary: "Download a file",
        transform: inPart,
        description:
          "Always as an attachment. Answers `Range` (one range) and `If-Range`; the `ETag` changes with the content."
      })
    ),
    HttpApiEndpoint.delete("remove", "/:path", {
      params,
      headers: writeHeaders,
      success: HttpApiSchema.NoContent,
      error: [FileNotFound, FileInUse]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Delete a file",
        description: "A file that is attached to a ticket, a message or an enrollment stays: 409 `action_not_allowed`."
      })
    )
  )
  .prefix("/files")
  .annotateMerge(OpenApi.annotations({ title: "Files", description: "What the customer keeps here or has sent." })) {}

export class FileLinksApi extends HttpApiGroup.make("fileLinks")
  .add(
    HttpApiEndpoint.get("download", "/:link", {
      params: { link: Text(1, 1000, "The last segment of a file's `url`") },
      success: bytes,
      error: [...downloadErrors]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Download by a signed link",
        transform: inPart,
        description: "Needs no token. A link that has expired, or was changed in any way, is a 404."
      })
    )
  )
  .prefix("/files")
  .annotateMerge(
    OpenApi.annotations({ title: "File links", description: "The `url` of a file: one file, for 15 minutes." })
  ) {}

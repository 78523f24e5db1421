import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CurrentCustomer } from "../../domain/CurrentCustomer.ts"
import { Files } from "../../services/Files.ts"
import { FileUploads } from "../../services/FileUploads.ts"
import { Api } from "../Api.ts"
import { UploadFields } from "../api/Files.ts"
import { CurrentRequest } from "../CurrentRequest.ts"
import { download } from "../Downloads.ts"
import { readForm } from "../Uploads.ts"

export const FilesHandlers = HttpApiBuilder.group(
  Api,
  "files",
  Effect.fn(function* (handlers) {
    const files = yield* Files
    const uploads = yield* FileUploads

    return handlers.handleAll({
      list: ({ query }) => files.list(query),
      upload: () =>
        Effect.gen(function* () {
          const { fields, files: received } = yield* readForm(UploadFields)
          const stored = yield* uploads.keep(received, fields.folder ?? "")
          return yield* Effect.forEach(stored, files.shown)
        }),
      download: ({ params }) =>
        Effect.flatMap(files.get(params.path), (file) => download(file, (range) => files.content(file, range))),
      remove: ({ params }) => files.remove(params.path)
    })
  })
)

export const FileLinksHandlers = HttpApiBuilder.group(
  Api,
  "fileLinks",
  Effect.fn(function* (handlers) {
    const files = yield* Files

    return handlers.handleAll({
      download: ({ endpoint, params }) =>
        Effect.gen(function* () {
          const current = yield* CurrentRequest
          current.route = endpoint.path
          const { file, owner } = yield* files.byLink(params.link)
          return yield* download(file, (range) => files.content(file, range)).pipe(
            Effect.provideService(CurrentCustomer, owner)
          )
        })
    })
  })
)

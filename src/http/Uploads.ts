import { Context, Effect, Layer, Schema, Stream } from "effect"
import { HttpServerRequest, HttpServerRespondable, Multipart } from "effect/http"
import { HttpApiMiddleware, HttpApiSchema } from "effect/http-api"
import { createHash } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { fileLimits, FileTooLarge } from "../domain/StoredFile.ts"
import { FileUploads, type Received } from "../services/FileUploads.ts"
import { inTime } from "./Arrival.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { PayloadTooLarge, UnsupportedMediaType } from "./Problems.ts"
import { invalid } from "./Validation.ts"

/** A form as it came in: its text, and its files, which are in storage. */
export interface Form {
  readonly fields: Readonly<Record<string, string>>
  readonly files: ReadonlyArray<Received>
  /** Of all of it: the same for the same form only. */
  readonly digest: string
}

/** The form of this request; undefined where the endpoint takes none. */
export const CurrentForm = Context.Reference<Form | undefined>("portico/http/CurrentForm", {
  defaultValue: () => undefined
})

/** Annotates an endpoint whose body is a form, with the name of the parts that are files. */
export class TakesFiles extends Context.Service<TakesFiles, { readonly part: string; readonly least: number }>()(
  "portico/http/TakesFiles"
) {}

/** Files of a form, for the document: what is read of them is `CurrentForm`. */
export const FileParts = Multipart.FilesSchema.check(Schema.isMaxLength(fileLimits.filesPerUpload)).annotate({
  description: `Up to ${fileLimits.filesPerUpload} files of 25 MiB each`
})

/** The body of an endpoint that takes files. */
export const formOf = <F extends Schema.Struct.Fields>(identifier: string, fields: F) =>
  Schema.Struct(fields).annotate({ identifier }).pipe(HttpApiSchema.asMultipartStream())

/** The text of this request's form, decoded, and its files. */
export const readForm = Effect.fnUntraced(function* <S extends Schema.Top>(fields: S) {
  const form = yield* CurrentForm
  if (form === undefined) return yield* Effect.die(new Error("An endpoint without TakesFiles reads a form"))
  const decoded = yield* Schema.decodeUnknownEffect(fields, { errors: "all", onExcessProperty: "error" })(
    form.fields
  ).pipe(Effect.mapError((error) => invalid("Payload", error)))
  return { fields: decoded, files: form.files }
})

const limits = Multipart.limitsServices({
  maxParts: 50,
  maxFieldSize: "64 KiB",
  maxTotalSize: (fileLimits.fileBytes + 4096) * fileLimits.filesPerUpload + 1024 * 1024,
  // A file of JSON is a file.
  fieldMimeTypes: []
})

/**
 * Takes in the form of a request before anything else looks at it, one part after the other, straight into storage.
 *
 * To be added after `IdempotencyKeys`, which then knows a repeat by what the form holds, and keeps no transaction open
 * while a client sends. Files that the handler's transaction has not made anybody's are removed again.
 */
export class Uploads extends HttpApiMiddleware.Service<Uploads, { requires: CurrentCustomer }>()(
  "portico/http/Uploads"
) {
  static readonly layer = Layer.effect(
    Uploads,
    Effect.gen(function* () {
      const uploads = yield* FileUploads
      const { patience } = yield* HttpSettings

      const read = Effect.fnUntraced(function* ({ part: expected, least }: TakesFiles["Service"]) {
        const request = yield* HttpServerRequest.HttpServerRequest
        if (!/^multipart\/form-data\s*(?:;|$)/i.test(request.headers["content-type"] ?? "")) {
          return yield* new UnsupportedMediaType({ detail: "Send the body as multipart/form-data." })
        }
        if (Number(request.headers["content-length"]) > mostBytes) return yield* new FileTooLarge()
        const files: Array<Received> = []
        const fields = new Map<string, string>()
        const parts: Array<readonly [string, string, string]> = []
        const punctual = inTime(patience.sending)
        yield* Stream.runForEach(
          punctual(Stream.provideContext(request.multipartStream, limits), sizeOf),
          Effect.fnUntraced(function* (part) {
            if (part._tag === "Field") {
              if (part.key === expected) return yield* refused(expected, "Expected a file, with a file name")
              if (fields.has(part.key)) return yield* refused(part.key, "Expected this once")
              fields.set(part.key, part.value)
              return parts.push([part.key, "", part.value])
            }
            const content = punctual(part.content, ({ length }) => length)
            // What a browser sends for a file input that nobody has used.
            if (
              part.name === "" &&
              (yield* Stream.runFold(
                content,
                () => 0,
                (sum, { length }) => sum + length
              )) === 0
            ) {
              return 0
            }
            if (part.key !== expected) return yield* refused(part.key, `Expected files under ${expected} only`)
            if (files.length === fileLimits.filesPerUpload) {
              return yield* refused(expected, `Expected at most ${fileLimits.filesPerUpload} files`)
            }
            const file = yield* uploads.receive(part.name, content)
            files.push(file)
            return parts.push([part.key, file.name, file.sha256])
          })
        )
        if (files.length < least) return yield* refused(expected, "Expected a file")
        const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex")
        return { fields: Object.fromEntries(fields), files, digest }
      })

      // Asked once for each endpoint: requests without a form do not even pass here.
      return (httpEffect, { endpoint }) => {
        const takes = Context.getOrUndefined(endpoint.annotations, TakesFiles)
        if (takes === undefined) return httpEffect
        return read(takes).pipe(
          Effect.catchTag("MultipartError", ({ reason }) => Effect.fail(problemOf(reason._tag))),
          Effect.matchEffect({
            // Endpoints declare these themselves, so that not every endpoint seems to take files.
            onFailure: (error) => Effect.orDie(HttpServerRespondable.toResponse(error)),
            onSuccess: (form) => Effect.provideService(httpEffect, CurrentForm, form)
          }),
          Effect.scoped
        )
      }
    })
  )
}

const sizeOf = (part: Multipart.Part) => (part._tag === "Field" ? part.value.length : 0)

const mostBytes = (fileLimits.fileBytes + 4096) * fileLimits.filesPerUpload + 1024 * 1024

const refused = (name: string, message: string) =>
  new InvalidRequest({ errors: [{ pointer: `/body/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, message }] })

const problemOf = (reason: Multipart.MultipartErrorReason["_tag"]) => {
  switch (reason) {
    case "BodyTooLarge":
    case "FileTooLarge":
      return new FileTooLarge()
    case "FieldTooLarge":
      return new PayloadTooLarge({ detail: "A text part may hold 64 KiB at most." })
    case "TooManyParts":
      return new PayloadTooLarge({ detail: "A form may have 50 parts at most." })
    default:
      return new InvalidRequest({
        errors: [{ pointer: "/body", message: "Expected a complete body in the form of multipart/form-data" }]
      })
  }
}

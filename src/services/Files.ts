import { Context, Effect, Layer, Schema, type Stream } from "effect"
import { SqlError, type Statement } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import {
  type File,
  FileInUse,
  FileNotFound,
  FilePath,
  fileSorts,
  type FilesQuery,
  StoredFile
} from "../domain/StoredFile.ts"
import { CustomerSql } from "./Database.ts"
import { FileLinks } from "./FileLinks.ts"
import { paginate } from "./Paging.ts"
import { type ByteRange, Storage, type StorageFailure } from "./Storage.ts"

export const fileColumns = "id, path, name, size, content_type, sha256, created_at"

/** What a customer has stored. How it gets there: `FileUploads`. */
export class Files extends Context.Service<
  Files,
  {
    /** Newest first, unless the query sorts otherwise. */
    readonly list: (query: FilesQuery) => Effect.Effect<Page<File>, InvalidRequest, CurrentCustomer>
    readonly get: (path: string) => Effect.Effect<StoredFile, FileNotFound, CurrentCustomer>
    /** By the last segment of a file's `url`, for whoever has it. */
    readonly byLink: (
      link: string
    ) => Effect.Effect<{ readonly file: StoredFile; readonly owner: CurrentCustomer["Service"] }, FileNotFound>
    /** With the link that downloads it. */
    readonly shown: (file: StoredFile) => Effect.Effect<File, never, CurrentCustomer>
    readonly content: (
      file: StoredFile,
      range?: ByteRange
    ) => Effect.Effect<Stream.Stream<Uint8Array>, FileNotFound | StorageFailure, CurrentCustomer>
    /** Its bytes go within a minute. A file that something refers to stays. */
    readonly remove: (path: string) => Effect.Effect<void, FileNotFound | FileInUse, CurrentCustomer>
    /**
     * Files to attach, in the order of their paths. Within a transaction they stay until it ends; the reference to
     * `files (org_id, customer_id, id)` has to be `ON DELETE RESTRICT`.
     */
    readonly attachable: (
      paths: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<StoredFile>, FileNotFound, CurrentCustomer>
  }
>()("portico/services/Files") {
  static readonly layer = Layer.effect(
    Files,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const storage = yield* Storage
      const links = yield* FileLinks
      const decode = Schema.decodeUnknownEffect(StoredFile)
      const columns = sql.literal(fileColumns)

      const selectOne = Effect.fnUntraced(function* (column: "id" | "path", value: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          SELECT ${columns} FROM files
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND ${sql(column)} = ${value}`.pipe(Effect.orDie)
        if (row === undefined) return yield* new FileNotFound()
        return yield* Effect.orDie(decode(row))
      })

      const shown = Effect.fnUntraced(function* ({ id, ...file }: StoredFile) {
        return { ...file, ...(yield* links.of({ ...(yield* CurrentCustomer), id })) }
      })

      const list = Effect.fn("Files.list")(function* (query: FilesQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        const filters: Array<Statement.Fragment> = [sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`]
        if (query.prefix !== undefined) filters.push(sql`starts_with(path, ${query.prefix.normalize()})`)
        const page = yield* paginate({
          sql,
          query,
          sorts: {
            createdAt: { type: fileSorts.createdAt, column: "files.created_at" },
            path: { type: fileSorts.path, column: "files.path" },
            name: { type: fileSorts.name, column: "files.name" },
            size: { type: fileSorts.size, column: "files.size" },
            contentType: { type: fileSorts.contentType, column: "files.content_type" }
          },
          byDefault: "createdAt",
          item: StoredFile,
          columns,
          from: sql`files WHERE ${sql.and(filters)}`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
        return { ...page, data: yield* Effect.forEach(page.data, shown) }
      })

      const get = Effect.fn("Files.get")((path: string) => selectOne("path", path.normalize()))

      const byLink = Effect.fn("Files.byLink")(function* (link: string) {
        const { id, ...owner } = yield* links.open(link)
        return { file: yield* Effect.provideService(selectOne("id", id), CurrentCustomer, owner), owner }
      })

      const content = Effect.fn("Files.content")(function* (file: StoredFile, range?: ByteRange) {
        return yield* storage.get(file.id, range).pipe(
          Effect.catchTag("ObjectMissing", ({ key }) =>
            // Removed a moment ago, or else lost, which only its operator can mend.
            selectOne("id", file.id).pipe(
              Effect.andThen(Effect.logError("A file's bytes are not in storage")),
              Effect.annotateLogs({ key }),
              Effect.andThen(Effect.fail(new FileNotFound()))
            )
          )
        )
      })

      const remove = Effect.fn("Files.remove")(function* (path: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const gone = yield* sql`
          WITH gone AS (
            DELETE FROM files
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND path = ${path.normalize()}
            RETURNING id, size
          ), freed AS (
            UPDATE file_usage SET bytes = bytes - gone.size FROM gone
            WHERE org_id = ${orgId} AND customer_id = ${customerId}
          )
          INSERT INTO file_leftovers (org_id, customer_id, id, due_at)
          SELECT ${orgId}, ${customerId}, id, now() FROM gone
          RETURNING id`.pipe(
          Effect.catch((error) => (isReferred(error) ? Effect.fail(new FileInUse()) : Effect.die(error)))
        )
        if (gone.length === 0) return yield* new FileNotFound()
      })

      const attachable = Effect.fn("Files.attachable")(function* (paths: ReadonlyArray<string>) {
        if (paths.length === 0) return []
        if (!paths.every(isPath)) return yield* new FileNotFound()
        const { customerId, orgId } = yield* CurrentCustomer
        const wanted = [...new Set(paths.map((path) => path.normalize()))]
        const rows = yield* sql`
          SELECT ${columns} FROM files
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND ${sql.in("path", wanted)}
          ORDER BY id FOR KEY SHARE`.pipe(Effect.orDie)
        const files = yield* Effect.orDie(Effect.forEach(rows, (row) => decode(row)))
        const byPath = new Map(files.map((file) => [file.path, file]))
        return yield* Effect.forEach(wanted, (path) => {
          const file = byPath.get(path)
          return file === undefined ? Effect.fail(new FileNotFound()) : Effect.succeed(file)
        })
      })

      return Files.of({ list, get, byLink, shown, content, remove, attachable })
    })
  )
}

const isPath = Schema.is(FilePath)

/** foreign_key_violation, or restrict_violation. */
const isReferred = (error: SqlError.SqlError) =>
  ["23503", "23001"].includes(String((error.reason.cause as { readonly code?: unknown } | undefined)?.code))

import { Context, Effect, Layer, Schema, type Scope, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { createHash } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { cleanName, partsOf, pathIn } from "../domain/FileName.ts"
import { fileTypeOf, nameAs } from "../domain/FileType.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import {
  FileId,
  fileLimits,
  FileTooLarge,
  FileTypeNotAllowed,
  QuotaExceeded,
  StoredFile
} from "../domain/StoredFile.ts"
import { CustomerSql, transaction } from "./Database.ts"
import { Storage, type StorageFailure } from "./Storage.ts"

export type UploadFailure = InvalidRequest | FileTooLarge | FileTypeNotAllowed | QuotaExceeded | StorageFailure

/** A file whose bytes are in storage, and which nobody has yet. */
export interface Received {
  readonly id: FileId
  readonly name: string
  readonly size: number
  readonly contentType: string
  readonly sha256: string
  /** Counts like any other, but is kept beyond the quota as well. */
  readonly isComposed?: boolean
}

/**
 * How files get in: their bytes first, one at a time and with no transaction open, then all rows in one.
 *
 * Storage and database cannot commit together, so each object is entered among the leftovers before its first byte goes
 * out, and leaves them in the transaction that makes it a file. Whatever happens in between, the sweeper removes it.
 */
export class FileUploads extends Context.Service<
  FileUploads,
  {
    /**
     * Reads a stream to its end, or fails as soon as it cannot become a file. What nobody has kept when the scope closes
     * is removed.
     */
    readonly receive: <E>(
      sentName: string,
      content: Stream.Stream<Uint8Array, E>
    ) => Effect.Effect<Received, E | UploadFailure, CurrentCustomer | Scope.Scope>
    /** What the system itself writes for the customer: of any size, whether or not they have room for it. */
    readonly compose: <E>(
      name: string,
      contentType: string,
      content: Stream.Stream<Uint8Array, E>
    ) => Effect.Effect<Received, E | StorageFailure, CurrentCustomer | Scope.Scope>
    /** Makes them the customer's files, all or none; joins the transaction that is open. A name taken gets a suffix. */
    readonly keep: (
      received: ReadonlyArray<Received>,
      folder: string
    ) => Effect.Effect<ReadonlyArray<StoredFile>, QuotaExceeded, CurrentCustomer>
  }
>()("portico/services/FileUploads") {
  static readonly layer = Layer.effect(
    FileUploads,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const storage = yield* Storage
      const random = yield* SecureRandom.SecureRandom
      const decode = Schema.decodeUnknownEffect(Schema.Array(StoredFile))

      const selectUsed = Effect.gen(function* () {
        const { customerId, orgId } = yield* CurrentCustomer
        const [usage] = yield* sql<{ readonly bytes: string }>`
          SELECT bytes FROM file_usage WHERE org_id = ${orgId} AND customer_id = ${customerId}`
        return Number(usage?.bytes ?? 0)
      }).pipe(Effect.orDie)

      // An hour is far more than the server gives a request, so nobody still writes to what is due.
      const insertLeftover = Effect.fnUntraced(function* (id: FileId) {
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          INSERT INTO file_leftovers (org_id, customer_id, id, due_at)
          VALUES (${orgId}, ${customerId}, ${id}, now() + interval '1 hour')`
      }, Effect.orDie)

      const receive = Effect.fn("FileUploads.receive")(function* <E>(
        sentName: string,
        content: Stream.Stream<Uint8Array, E>
      ): Effect.fn.Return<Received, E | UploadFailure, CurrentCustomer | Scope.Scope> {
        const space = fileLimits.quotaBytes - (yield* selectUsed)
        if (space <= 0) return yield* new QuotaExceeded()
        const id = FileId.make(yield* random.uuidV7())
        yield* Effect.acquireRelease(insertLeftover(id), () => discard(id))

        const name = cleanName(sentName)
        const type = fileTypeOf(name)
        const hash = createHash("sha256")
        let size = 0
        const checked = Stream.mapEffect(content, (chunk): Effect.Effect<Uint8Array, UploadFailure> => {
          size += chunk.length
          if (size > fileLimits.fileBytes) return Effect.fail(new FileTooLarge())
          if (size > space) return Effect.fail(new QuotaExceeded())
          if (!type.write(chunk)) return Effect.fail(new FileTypeNotAllowed())
          hash.update(chunk)
          return Effect.succeed(chunk)
        })
        // What the end of the content says about it has to be known before the object is there for good.
        const whole = Stream.concat(
          checked,
          Stream.fromEffectDrain(
            Effect.suspend((): Effect.Effect<void, UploadFailure> => {
              if (size === 0) return Effect.fail(empty)
              contentType = type.end()
              return contentType === undefined ? Effect.fail(new FileTypeNotAllowed()) : Effect.void
            })
          )
        )
        let contentType: string | undefined
        yield* storage.put(id, whole)
        return { id, name: nameAs(name, contentType!), size, contentType: contentType!, sha256: hash.digest("hex") }
      })

      const compose = Effect.fn("FileUploads.compose")(function* <E>(
        name: string,
        contentType: string,
        content: Stream.Stream<Uint8Array, E>
      ): Effect.fn.Return<Received, E | StorageFailure, CurrentCustomer | Scope.Scope> {
        const id = FileId.make(yield* random.uuidV7())
        yield* Effect.acquireRelease(insertLeftover(id), () => discard(id))
        const hash = createHash("sha256")
        let size = 0
        const counted = Stream.map(content, (chunk) => {
          size += chunk.length
          hash.update(chunk)
          return chunk
        })
        yield* storage.put(id, counted)
        return { id, name, size, contentType, sha256: hash.digest("hex"), isComposed: true }
      })

      /** Holds the row of the customer's usage, so that whoever keeps files of theirs does it one at a time. */
      const useQuota = Effect.fnUntraced(function* (bytes: number, isComposed: boolean) {
        const { customerId, orgId } = yield* CurrentCustomer
        const used = yield* sql`
          INSERT INTO file_usage AS held (org_id, customer_id, bytes) VALUES (${orgId}, ${customerId}, ${bytes}::bigint)
          ON CONFLICT (org_id, customer_id) DO UPDATE SET bytes = held.bytes + excluded.bytes
          WHERE ${isComposed} OR held.bytes + excluded.bytes <= ${fileLimits.quotaBytes}::bigint
          RETURNING 1 AS one`
        if (used.length === 0) return yield* new QuotaExceeded()
      })

      const takeFromLeftovers = Effect.fnUntraced(function* (ids: ReadonlyArray<FileId>) {
        const { customerId, orgId } = yield* CurrentCustomer
        const taken = yield* sql`
          DELETE FROM file_leftovers
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND ${sql.in("id", ids)} AND tries = 0
          RETURNING id`
        if (taken.length < ids.length) return yield* Effect.die(new Error("An object was swept before it was kept"))
      })

      const insertFile = Effect.fnUntraced(function* (file: Received, folder: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const { base, extension } = partsOf(file.name)
        const [row] = yield* sql`
          INSERT INTO files (org_id, customer_id, id, path, size, content_type, sha256)
          SELECT ${orgId}, ${customerId}, ${file.id},
            ${pathIn(folder, base)} || coalesce(' (' || nullif(coalesce(min(n)::text, ${file.id}), '0') || ')', '') || ${extension},
            ${file.size}, ${file.contentType}, ${file.sha256}
          FROM generate_series(0, 999) AS n WHERE NOT EXISTS (
            SELECT FROM files
            WHERE org_id = ${orgId} AND customer_id = ${customerId}
              AND path = ${pathIn(folder, base)} || CASE n WHEN 0 THEN '' ELSE ' (' || n || ')' END || ${extension})
          RETURNING id, path, name, size, content_type, sha256, created_at`
        return row
      })

      const keep = Effect.fn("FileUploads.keep")(
        function* (received: ReadonlyArray<Received>, folder: string) {
          if (received.length === 0) return []
          yield* useQuota(
            received.reduce((sum, { size }) => sum + size, 0),
            received.every(({ isComposed }) => isComposed === true)
          )
          yield* takeFromLeftovers(received.map(({ id }) => id))
          return yield* decode(yield* Effect.forEach(received, (file) => insertFile(file, folder)))
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const condemn = Effect.fnUntraced(function* (id: FileId) {
        const { customerId, orgId } = yield* CurrentCustomer
        return yield* sql`
          UPDATE file_leftovers SET tries = tries + 1, due_at = now() + interval '1 minute'
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
          RETURNING id`
      })

      const deleteLeftover = Effect.fnUntraced(function* (id: FileId) {
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          DELETE FROM file_leftovers WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
      })

      const discard = Effect.fn("FileUploads.discard")(
        function* (id: FileId) {
          if ((yield* condemn(id)).length === 0) return
          yield* storage.remove(id)
          yield* deleteLeftover(id)
        },
        Effect.catchCause((cause) => Effect.logWarning("An uploaded object is left to the sweeper", cause))
      )

      return FileUploads.of({ receive, compose, keep })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

const empty = new InvalidRequest({ errors: [{ pointer: "/body", message: "Expected files that are not empty" }] })

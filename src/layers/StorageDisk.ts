import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Layer, Stream } from "effect"
import { createReadStream } from "node:fs"
import { access, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises"
import path from "node:path"
import { ProviderUnavailable } from "../domain/Integration.ts"
import { ObjectMissing, Storage } from "../services/Storage.ts"

// Four times what Node.js takes: a piece costs more than its bytes.
const highWaterMark = 256 * 1024

/** Objects as files below a folder of this machine's: for local use, and for one replica with a disk that is backed up. */
export const layer = (folder: string) => Layer.effect(Storage, make(folder))

const make = (folder: string) =>
  Effect.gen(function* () {
    const unfinished = path.join(folder, "unfinished")
    // Better no server than one that learns from a customer that it cannot keep files.
    yield* Effect.promise(() => mkdir(unfinished, { recursive: true, mode: 0o700 }))

    const placeOf = (key: string) => {
      // Keys are ours; should another ever get here, it must not become a path.
      if (!/^[0-9a-f-]{36}$/.test(key)) throw new Error("A key of storage that is not a UUID")
      return { temporary: path.join(unfinished, key), final: path.join(folder, key.slice(-2), key) }
    }

    const attempt = <A>(run: () => Promise<A>) =>
      Effect.tryPromise({ try: run, catch: (cause) => cause as NodeJS.ErrnoException }).pipe(
        Effect.tapError((cause) =>
          cause.code === "ENOENT" ? Effect.void : Effect.logError("The disk refuses a file", cause)
        )
      )
    const unavailable = Effect.mapError(() => new ProviderUnavailable({ retryAfter: 5 }))

    const sync = async (place: string) => {
      const handle = await open(place, "r")
      await handle.sync().finally(() => handle.close())
    }

    const write = (handle: FileHandle, chunks: ReadonlyArray<Uint8Array>) =>
      unavailable(
        attempt(async () => {
          for (const chunk of chunks) await handle.writeFile(chunk)
        })
      )

    return Storage.of({
      put: Effect.fn("StorageDisk.put")(function* (key, body) {
        const { final, temporary } = placeOf(key)
        yield* Effect.acquireUseRelease(
          unavailable(attempt(() => open(temporary, "wx", 0o600))),
          (handle) =>
            Stream.runForEachArray(body, (chunks) => write(handle, chunks)).pipe(
              Effect.andThen(unavailable(attempt(() => handle.sync())))
            ),
          (handle) => Effect.promise(() => handle.close().catch(() => {}))
        ).pipe(
          Effect.andThen(
            unavailable(
              attempt(async () => {
                await mkdir(path.dirname(final), { recursive: true, mode: 0o700 })
                await rename(temporary, final)
                await sync(path.dirname(final))
              })
            )
          ),
          Effect.onError(() => Effect.promise(() => rm(temporary, { force: true }).catch(() => {})))
        )
      }),

      get: Effect.fn("StorageDisk.get")(function* (key, range) {
        const { final } = placeOf(key)
        yield* attempt(() => access(final)).pipe(
          Effect.mapError(({ code }) =>
            code === "ENOENT" ? new ObjectMissing({ key }) : new ProviderUnavailable({ retryAfter: 5 })
          )
        )
        return NodeStream.fromReadable<Uint8Array>({
          evaluate: () => createReadStream(final, { ...range, highWaterMark })
        }).pipe(Stream.orDie)
      }),

      remove: Effect.fn("StorageDisk.remove")(function* (key) {
        const { final, temporary } = placeOf(key)
        yield* unavailable(
          attempt(async () => {
            await rm(temporary, { force: true })
            await rm(final, { force: true })
          })
        )
      })
    })
  })

import { assert, describe, it } from "@effect/vitest"
import { S3Client, CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3"
import { Effect, Fiber, Layer, Redacted, References, type Scope, Stream } from "effect"
import { createHash, randomBytes, randomUUID } from "node:crypto"
import { globSync, rmSync, writeFileSync } from "node:fs"
import path from "node:path"
import * as StorageDisk from "../../src/layers/StorageDisk.ts"
import * as StorageS3 from "../../src/layers/StorageS3.ts"
import { Storage } from "../../src/services/Storage.ts"
import * as S3StandIn from "../support/S3StandIn.ts"
import * as TestStorage from "../support/TestStorage.ts"

interface Place {
  readonly storage: Storage["Service"]
  /** The keys of all that is there, unfinished or not. */
  readonly kept: () => Promise<ReadonlyArray<string>>
}

const open = (layer: Layer.Layer<Storage>) =>
  Effect.map(Layer.build(layer), (context) => Effect.runSync(Effect.provideContext(Storage, context)))

const onDisk = Effect.gen(function* () {
  const folder = yield* TestStorage.folder
  const kept = async () =>
    globSync("**/*", { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
  return { storage: yield* open(StorageDisk.layer(folder)), kept, folder }
})

const s3At = (endpoint: string, bucket: string, credentials: S3StandIn.S3StandIn["credentials"]) =>
  open(
    StorageS3.layer({
      _tag: "S3",
      bucket,
      region: "us-east-1",
      endpoint,
      credentials: { ...credentials, secretAccessKey: Redacted.make(credentials.secretAccessKey) }
    })
  )

const onS3 = Effect.gen(function* () {
  const standIn = yield* S3StandIn.make
  const kept = async () => [...standIn.objects.keys(), ...[...standIn.uploads.values()].map(({ key }) => key)]
  return { storage: yield* s3At(standIn.baseUrl, standIn.bucket, standIn.credentials), kept, standIn }
})

const endpoint = process.env["S3_TEST_ENDPOINT"]
const onGateway = Effect.gen(function* () {
  const credentials = { accessKeyId: "local", secretAccessKey: "local-secret" }
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => new S3Client({ region: "us-east-1", endpoint: endpoint!, forcePathStyle: true, credentials })),
    (client) => Effect.sync(() => client.destroy())
  )
  const Bucket = `files-${randomBytes(4).toString("hex")}`
  yield* Effect.promise(() => client.send(new CreateBucketCommand({ Bucket })))
  const kept = async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    return [...Contents, ...Uploads].map(({ Key }) => Key!)
  }
  return { storage: yield* s3At(endpoint!, Bucket, credentials), kept }
})

const chunked = (bytes: Uint8Array, size = 64 * 1024) =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size)
    )
  )
const read = (stream: Stream.Stream<Uint8Array>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(chunks))
const quietly = Effect.provideService(References.MinimumLogLevel, "None")
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const places: ReadonlyArray<readonly [string, Effect.Effect<Place, never, Scope.Scope>]> = [
  ["Storage on a disk", onDisk],
  ["Storage in a bucket", onS3],
  ...(endpoint === undefined ? [] : [["Storage in a bucket of a real gateway", onGateway] as const])
]

describe.each(places)("%s", (_, place) => {
  it.live("gives back what it was given, short, or long enough to go in parts", () =>
    Effect.gen(function* () {
      const { storage } = yield* place
      for (const size of [1, 70_000, 12_000_000]) {
        const [key, bytes] = [randomUUID(), randomBytes(size)]

        yield* storage.put(key, chunked(bytes))
        const got = yield* read(yield* storage.get(key))

        assert.strictEqual(sha256(got), sha256(bytes))
      }
    })
  )

  it.live("gives any range of it", () =>
    Effect.gen(function* () {
      const { storage } = yield* place
      const [key, bytes] = [randomUUID(), randomBytes(200_000)]
      yield* storage.put(key, chunked(bytes))

      for (const [start, end] of [
        [0, 0],
        [5, 99_999],
        [199_999, 199_999]
      ] as const) {
        const got = yield* read(yield* storage.get(key, { start, end }))
        assert.isTrue(bytes.subarray(start, end + 1).equals(got), `${start}-${end}`)
      }
    })
  )

  it.live("says that a missing object is missing, and removes it as often as one likes", () =>
    Effect.gen(function* () {
      const { kept, storage } = yield* place
      const key = randomUUID()
      yield* storage.put(key, chunked(randomBytes(10)))

      yield* storage.remove(key)
      yield* storage.remove(key)
      const missing = yield* Effect.flip(storage.get(key))

      assert.deepInclude(missing, { _tag: "ObjectMissing", key })
      assert.deepStrictEqual(yield* Effect.promise(kept), [])
    })
  )

  it.live("keeps nothing of a stream that fails, early or late, and fails as it did", () =>
    Effect.gen(function* () {
      const { kept, storage } = yield* place

      for (const size of [0, 1000, 11_000_000]) {
        const broken = Stream.concat(chunked(new Uint8Array(size)), Stream.fail("broken" as const))
        assert.strictEqual(yield* Effect.flip(storage.put(randomUUID(), broken)), "broken")
      }

      assert.deepStrictEqual(yield* Effect.promise(kept), [])
    })
  )

  it.live("keeps nothing of a stream that is interrupted", () =>
    Effect.gen(function* () {
      const { kept, storage } = yield* place
      for (const size of [1000, 11_000_000]) {
        const stalled = Stream.concat(chunked(new Uint8Array(size)), Stream.never)
        const putting = yield* Effect.forkChild(storage.put(randomUUID(), stalled))
        yield* Effect.sleep("300 millis")

        yield* Fiber.interrupt(putting)

        assert.deepStrictEqual(yield* Effect.promise(kept), [])
      }
    })
  )
})

describe("Storage on a disk", () => {
  it.live("makes no path of what is not a key of its own", () =>
    Effect.gen(function* () {
      const { kept, storage } = yield* onDisk
      for (const key of ["../../etc/passwd", "a/b", "", ".", "/etc/passwd", `${randomUUID()}/..`]) {
        const exits = yield* Effect.all([
          Effect.exit(storage.put(key, chunked(new Uint8Array(1)))),
          Effect.exit(storage.get(key)),
          Effect.exit(storage.remove(key))
        ])
        assert.deepStrictEqual(
          exits.map(({ _tag }) => _tag),
          ["Failure", "Failure", "Failure"]
        )
      }
      assert.deepStrictEqual(yield* Effect.promise(kept), [])
    })
  )

  it.live("removes what a process has left that was killed half way", () =>
    Effect.gen(function* () {
      const { folder, kept, storage } = yield* onDisk
      const key = randomUUID()
      writeFileSync(path.join(folder, "unfinished", key), "half of it")

      yield* storage.remove(key)

      assert.deepStrictEqual(yield* Effect.promise(kept), [])
    })
  )

  it.live("is unavailable while the disk refuses", () =>
    Effect.gen(function* () {
      const { folder, storage } = yield* onDisk
      rmSync(folder, { recursive: true })

      const failure = yield* Effect.flip(storage.put(randomUUID(), chunked(new Uint8Array(1))))

      assert.deepInclude(failure, { _tag: "ProviderUnavailable", retryAfter: 5 })
    }).pipe(quietly)
  )
})

describe("Storage in a bucket", () => {
  it.live("bears a server that is busy or hangs up once, and not one that goes on so", () =>
    Effect.gen(function* () {
      const { standIn, storage } = yield* onS3
      const key = randomUUID()
      yield* storage.put(key, chunked(randomBytes(10)))
      const failing = (mishap: S3StandIn.Mishap, times: number) =>
        standIn.mishaps.splice(0, Infinity, ...Array.from({ length: times }, () => ({ method: "GET", mishap })))

      failing("busy", 1)
      const afterBusy = yield* read(yield* storage.get(key))
      failing("hanging up", 1)
      const afterReset = yield* read(yield* storage.get(key))
      failing("busy", 3)
      const unavailable = yield* Effect.flip(storage.get(key))

      assert.deepStrictEqual([afterBusy.length, afterReset.length], [10, 10])
      assert.strictEqual(unavailable._tag, "ProviderUnavailable")
    }).pipe(quietly)
  )

  it.live("tells what will not get better from what may", () =>
    Effect.gen(function* () {
      const { standIn, storage } = yield* onS3
      const other = yield* s3At(standIn.baseUrl, "no-such-bucket", standIn.credentials)
      const wrong = yield* s3At(standIn.baseUrl, standIn.bucket, { ...standIn.credentials, secretAccessKey: "wrong" })
      const put = (storage: Storage["Service"]) => storage.put(randomUUID(), chunked(new Uint8Array(1)))
      standIn.mishaps.push({ method: "DELETE", mishap: "forbidden" })

      const failures = yield* Effect.all([
        Effect.flip(put(other)),
        Effect.flip(put(wrong)),
        Effect.flip(storage.remove(randomUUID()))
      ])

      assert.deepStrictEqual(
        failures.map(({ _tag }) => _tag),
        ["ProviderError", "ProviderError", "ProviderError"]
      )
    }).pipe(quietly)
  )

  it.live("breaks off when the object does: half of it never looks whole", () =>
    Effect.gen(function* () {
      const { standIn, storage } = yield* onS3
      const key = randomUUID()
      yield* storage.put(key, chunked(randomBytes(1_000_000)))
      standIn.mishaps.push({ method: "GET", mishap: "breaking off" })

      const exit = yield* Effect.exit(Effect.flatMap(storage.get(key), read))

      assert.strictEqual(exit._tag, "Failure")
    }).pipe(quietly)
  )

  it.live("removes the parts that a process has left that was killed half way", () =>
    Effect.gen(function* () {
      const { kept, standIn, storage } = yield* onS3
      const key = randomUUID()
      standIn.uploads.set("left", { key: `files/${key}`, parts: new Map([[1, Buffer.alloc(10)]]) })

      yield* storage.remove(key)

      assert.deepStrictEqual(yield* Effect.promise(kept), [])
    }).pipe(quietly)
  )
})

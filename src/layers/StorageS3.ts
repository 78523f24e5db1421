import * as NodeStream from "@effect/platform-node/NodeStream"
import { Cause, Effect, Layer, Redacted, Stream } from "effect"
import type { Readable } from "node:stream"
import { ProviderError, ProviderUnavailable } from "../domain/Integration.ts"
import { ObjectMissing, Storage } from "../services/Storage.ts"
import type { S3Settings } from "./StorageSettings.ts"

const nameOf = (key: string) => `files/${key}`

// It will not get better by itself: somebody has to look at the bucket or the credentials.
const lasting = new Set([
  "NoSuchBucket",
  "AccessDenied",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "CredentialsProviderError",
  "PermanentRedirect",
  "AuthorizationHeaderMalformed"
])

const failureOf = (cause: unknown) =>
  lasting.has((cause as Error).name) ? new ProviderError() : new ProviderUnavailable({ retryAfter: 5 })

/** Objects in a bucket of Amazon's, or of any server that speaks the same. */
export const layer = (settings: S3Settings) => Layer.effect(Storage, make(settings))

const make = Effect.fnUntraced(function* ({ bucket, credentials, endpoint, region }: S3Settings) {
  // A process without a bucket need not spend the 30 MB.
  const S3 = yield* Effect.promise(() => import("@aws-sdk/client-s3"))
  const { Upload } = yield* Effect.promise(() => import("@aws-sdk/lib-storage"))
  const client = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new S3.S3Client({
          region,
          maxAttempts: 3,
          // By default a stream goes out framed with a checksum, which servers other than Amazon's refuse, or store as it is.
          requestChecksumCalculation: "WHEN_REQUIRED",
          responseChecksumValidation: "WHEN_REQUIRED",
          // Without the last of them a request that hangs is only warned about.
          requestHandler: { connectionTimeout: 2000, requestTimeout: 30_000, throwOnRequestTimeout: true },
          ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
          ...(credentials === undefined
            ? {}
            : {
                credentials: {
                  accessKeyId: credentials.accessKeyId,
                  secretAccessKey: Redacted.value(credentials.secretAccessKey)
                }
              })
        })
    ),
    (client) => Effect.sync(() => client.destroy())
  )

  const attempt = <A>(run: (signal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => cause }).pipe(
      Effect.tapError((cause) =>
        (cause as Error).name === "NoSuchKey" ? Effect.void : Effect.logError("The bucket refuses a request", cause)
      )
    )

  /** Sends a stream whose length nobody knows: in one piece when it is short, in parts when it is not. */
  const upload = (key: string, body: Readable) =>
    Effect.callback<void, unknown>((resume) => {
      const sending = new Upload({
        client,
        params: { Bucket: bucket, Key: nameOf(key), Body: body },
        partSize: 5 * 1024 * 1024,
        queueSize: 2
      })
      const done = sending.done()
      done.then(
        () => resume(Effect.void),
        (cause) => resume(Effect.fail(cause))
      )
      // Its own `abort` answers before the parts that went out are taken back; a source that fails has that waited for.
      return Effect.promise(async () => {
        body.destroy(new Error("The upload was interrupted"))
        await done.catch(() => {})
      })
    })

  const abortUploads = async (key: string, signal: AbortSignal) => {
    const { Uploads = [] } = await client.send(
      new S3.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: nameOf(key) }),
      { abortSignal: signal }
    )
    for (const { Key, UploadId } of Uploads) {
      await client.send(new S3.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }), { abortSignal: signal })
    }
  }

  return Storage.of({
    put: Effect.fn("StorageS3.put")(function* <E, R>(key: string, body: Stream.Stream<Uint8Array, E, R>) {
      // The SDK passes on an error of the stream's in words of its own.
      let failed: Cause.Cause<E> | undefined
      const watched = Stream.onError(body, (cause) =>
        Effect.sync(() => {
          failed = cause
        })
      )
      const readable = yield* NodeStream.toReadable(watched)
      yield* upload(key, readable).pipe(
        Effect.catch((cause): Effect.Effect<never, E | ProviderError | ProviderUnavailable> => {
          readable.destroy()
          return failed === undefined
            ? Effect.andThen(Effect.logError("The bucket refuses an object", cause), Effect.fail(failureOf(cause)))
            : Effect.failCause(failed)
        })
      )
    }),

    get: Effect.fn("StorageS3.get")(function* (key, range) {
      const Range = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }
      const found = yield* attempt((abortSignal) =>
        client.send(new S3.GetObjectCommand({ Bucket: bucket, Key: nameOf(key), ...Range }), { abortSignal })
      ).pipe(
        Effect.mapError((cause) =>
          (cause as Error).name === "NoSuchKey" ? new ObjectMissing({ key }) : failureOf(cause)
        )
      )
      return NodeStream.fromReadable<Uint8Array>({ evaluate: () => found.Body as Readable }).pipe(Stream.orDie)
    }),

    remove: Effect.fn("StorageS3.remove")(function* (key) {
      yield* attempt(async (abortSignal) => {
        await abortUploads(key, abortSignal)
        await client.send(new S3.DeleteObjectCommand({ Bucket: bucket, Key: nameOf(key) }), { abortSignal })
      }).pipe(Effect.mapError(failureOf))
    })
  })
})

import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { describe } from "vitest"
import * as StorageDisk from "../../src/layers/StorageDisk.ts"
import * as StorageS3 from "../../src/layers/StorageS3.ts"
import { Files } from "../../src/services/Files.ts"
import { FileSweeper } from "../../src/services/FileSweeper.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { Storage } from "../../src/services/Storage.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { file, form } from "../support/Forms.ts"
import { people } from "../support/People.ts"
import * as S3StandIn from "../support/S3StandIn.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestStorage from "../support/TestStorage.ts"

const onDisk = Layer.unwrap(Effect.map(TestStorage.folder, StorageDisk.layer))

const inBucket = Layer.unwrap(
  Effect.map(S3StandIn.make, ({ baseUrl, bucket, credentials: { accessKeyId, secretAccessKey } }) =>
    StorageS3.layer({
      _tag: "S3",
      bucket,
      region: "us-east-1",
      endpoint: baseUrl,
      credentials: { accessKeyId, secretAccessKey: Redacted.make(secretAccessKey) }
    })
  )
)

const on = (storage: Layer.Layer<Storage>) => {
  const services = Layer.fresh(Layer.mergeAll(Files.layer, FileUploads.layer, FileSweeper.layer)).pipe(
    Layer.provideMerge(storage),
    Layer.provide(TestStorage.layer),
    Layer.provide(TestDatabase.layer),
    Layer.orDie
  )
  return TestApp.layerWith({}, services)
}

const root = "/client-data/files"

describe.each([
  ["on a disk", onDisk],
  ["in a bucket", inBucket]
])("A file %s whose bytes are gone", (_, storage) => {
  layer(on(storage), { excludeTestServices: true })((it) => {
    it.effect("is not found, by its path and by its link, and its operator is told which it is", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call, logs } = yield* App
        const { json } = yield* call(
          ada,
          "POST",
          `${root}/upload`,
          form([file("a.txt", "lost"), file("b.txt", "kept")])
        )
        const [lost, kept] = json as ReadonlyArray<{ readonly url: string }>
        const sql = yield* SqlClient.SqlClient
        const [row] = yield* sql<{ id: string }>`
          SELECT id FROM files WHERE org_id = ${ada.orgId} AND customer_id = ${ada.customerId} AND path = 'a.txt'`
        yield* Storage.use((storage) => storage.remove(row!.id))
        const before = logs.length

        const link = (file: { readonly url: string } | undefined) => new URL(file!.url).pathname
        for (const headers of [{}, { range: "bytes=1-2" }]) {
          assertProblem(yield* call(ada, "GET", `${root}/a.txt`, { headers }), 404, "file_not_found")
          assertProblem(yield* call(undefined, "GET", link(lost), { headers }), 404, "file_not_found")
        }
        const errors = logs.slice(before).filter(({ level }) => level === "ERROR")
        assert.strictEqual(errors.length, 4)
        assert.isTrue(errors.every(({ annotations }) => annotations["key"] === row!.id))

        assert.strictEqual((yield* call(ada, "GET", `${root}/b.txt`)).text, "kept")
        assert.strictEqual((yield* call(undefined, "GET", link(kept))).text, "kept")
        assert.strictEqual((yield* call(ada, "DELETE", `${root}/a.txt`)).status, 204)
      })
    )
  })
})

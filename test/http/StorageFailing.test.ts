import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Stream } from "effect"
import { ProviderError, ProviderUnavailable } from "../../src/domain/Integration.ts"
import * as StorageOff from "../../src/layers/StorageOff.ts"
import { Files } from "../../src/services/Files.ts"
import { FileSweeper } from "../../src/services/FileSweeper.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { Storage } from "../../src/services/Storage.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { file, form } from "../support/Forms.ts"
import { type Customer, people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestStorage from "../support/TestStorage.ts"
import { leftoversOf } from "../support/Uploading.ts"

/** What the next call of storage meets. */
let failure: ProviderError | ProviderUnavailable | "off" | "breaks off" | undefined

const failing = Layer.effect(
  Storage,
  Effect.gen(function* () {
    const storage = yield* Storage
    const off = Context.get(yield* Layer.build(Layer.fresh(StorageOff.layer)), Storage)
    const now = () => {
      if (failure === undefined || failure === "breaks off") return storage
      if (failure === "off") return off
      const failed = Effect.fail(failure)
      return Storage.of({ put: () => failed, get: () => failed, remove: () => failed })
    }
    return Storage.of({
      put: (key, body) => now().put(key, body),
      remove: (key) => now().remove(key),
      get: (key, range) =>
        Effect.map(now().get(key, range), (stream) =>
          failure === "breaks off" ? Stream.concat(Stream.take(stream, 1), Stream.die("the wire is cut")) : stream
        )
    })
  })
).pipe(Layer.provide(TestStorage.layer))

const services = Layer.fresh(Layer.mergeAll(Files.layer, FileUploads.layer, FileSweeper.layer)).pipe(
  Layer.provide(failing),
  Layer.provide(TestStorage.layer),
  Layer.provide(TestDatabase.layer),
  Layer.orDie
)

const root = "/client-data/files"
const upload = (who: Customer, ...names: ReadonlyArray<string>) =>
  App.use(({ call }) => call(who, "POST", `${root}/upload`, form(names.map((name) => file(name, "x".repeat(300_000))))))

const failures = [
  [new ProviderError(), 502, "provider_error"],
  [new ProviderUnavailable({ retryAfter: 5 }), 503, "provider_unavailable"],
  ["off", 503, "integration_not_configured"]
] as const

layer(TestApp.layerWith({}, services), { excludeTestServices: true })((it) => {
  it.effect("A storage that fails is said so, and nothing is half written", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { call } = yield* App
      yield* upload(ada, "a.txt")
      for (const [next, status, code] of failures) {
        failure = next

        const written = yield* upload(ada, "b.txt", "c.txt")
        const read = yield* call(ada, "GET", `${root}/a.txt`)
        const listed = yield* call(ada, "GET", root)
        failure = undefined

        assertProblem(written, status, code)
        assertProblem(read, status, code)
        assert.strictEqual(listed.json.total, 1)
      }
      assert.strictEqual((yield* call(ada, "GET", `${root}/a.txt`)).status, 200)
    })
  )

  it.effect("A file may be deleted while storage is away: its bytes go later", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { call } = yield* App
      yield* upload(ada, "a.txt")

      failure = new ProviderUnavailable({ retryAfter: 5 })
      const deleted = yield* call(ada, "DELETE", `${root}/a.txt`)
      failure = undefined

      assert.strictEqual(deleted.status, 204)
      assert.strictEqual((yield* leftoversOf(ada)).length, 1)
    })
  )

  it.effect("A download that breaks off never looks whole", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { call } = yield* App
      yield* upload(ada, "a.txt")

      failure = "breaks off"
      const cut = yield* Effect.exit(call(ada, "GET", `${root}/a.txt`))
      failure = undefined

      assert.strictEqual(cut._tag, "Failure")
      assert.strictEqual((yield* call(ada, "GET", `${root}/a.txt`)).text.length, 300_000)
    })
  )
})

import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, References, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { createHash } from "node:crypto"
import { InvalidRequest } from "../../src/domain/InvalidRequest.ts"
import { ProviderError, ProviderUnavailable } from "../../src/domain/Integration.ts"
import { fileLimits } from "../../src/domain/StoredFile.ts"
import { CustomerSql, transaction } from "../../src/services/Database.ts"
import { FileSweeper } from "../../src/services/FileSweeper.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { Storage } from "../../src/services/Storage.ts"
import { as, type Customer, people } from "../support/People.ts"
import { refused, taken } from "../support/Samples.ts"
import * as TestServices from "../support/TestServices.ts"
import { age, leftoversOf, receive, upload, usedBy, use } from "../support/Uploading.ts"

const mebibyte = 1024 * 1024

const keep = (customer: Customer, received: Parameters<FileUploads["Service"]["keep"]>[0], folder = "") =>
  FileUploads.use((uploads) => uploads.keep(received, folder)).pipe(as(customer))
const receiveAlone = (...args: Parameters<typeof receive>) => Effect.scoped(receive(...args))
const isStored = (key: string) =>
  Storage.use((storage) =>
    storage.get(key).pipe(
      Effect.as(true),
      Effect.catchTag("ObjectMissing", () => Effect.succeed(false))
    )
  )
const rowsOf = ({ customerId, orgId }: Customer) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{ readonly path: string }>`
      SELECT path FROM files WHERE org_id = ${orgId} AND customer_id = ${customerId} ORDER BY id`
  )
const quietly = Effect.provideService(References.MinimumLogLevel, "None")
const sweep = FileSweeper.use((sweeper) => sweeper.sweep)

/** Uploads over a storage of its own, in front of the one that there is. */
const over = (instead: (storage: Storage["Service"]) => Partial<Storage["Service"]>) =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const fronted = Layer.succeed(Storage, { ...storage, ...instead(storage) })
    const context = yield* Layer.build(
      Layer.fresh(Layer.merge(FileUploads.layer, FileSweeper.layer)).pipe(Layer.provide(fronted))
    )
    return { uploads: Context.get(context, FileUploads), sweeper: Context.get(context, FileSweeper) }
  })

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("An upload", () => {
    it.effect("becomes a file with what its content says of it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        for (const [name, content, contentType] of taken) {
          const file = yield* upload(ada, name, { content })

          const sha256 = createHash("sha256").update(content).digest("hex")
          assert.deepInclude(file, { name, path: name, size: content.length, contentType, sha256 })
        }
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
      })
    )

    it.effect("of another type leaves nothing behind", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        for (const [name, content] of refused) {
          const failure = yield* Effect.flip(Effect.scoped(receive(ada, name, content)))
          assert.strictEqual(failure._tag, "FileTypeNotAllowed", name)
        }
        assert.deepStrictEqual([yield* leftoversOf(ada), yield* rowsOf(ada), yield* usedBy(ada)], [[], [], 0])
      })
    )

    it.effect("may be as large as the limit and not a byte larger, and is not empty", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const large = Buffer.alloc(fileLimits.fileBytes, "a")

        const most = yield* upload(ada, "most.txt", { content: large })
        const more = yield* Effect.flip(receiveAlone(ada, "more.txt", Buffer.concat([large, Buffer.from("a")])))
        const none = yield* Effect.flip(receiveAlone(ada, "none.txt", ""))

        assert.deepStrictEqual([most.size, more._tag], [fileLimits.fileBytes, "FileTooLarge"])
        assert.instanceOf(none, InvalidRequest)
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
      })
    )

    it.effect("that is too large is not read to its end", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        let read = 0
        const endless = Stream.forever(Stream.sync(() => Buffer.alloc(mebibyte, "a"))).pipe(
          Stream.tap(() => Effect.sync(() => read++))
        )

        const failure = yield* Effect.flip(
          FileUploads.use((uploads) => uploads.receive("endless.txt", endless)).pipe(as(ada), Effect.scoped)
        )

        assert.strictEqual(failure._tag, "FileTooLarge")
        assert.isBelow(read, 60)
      })
    )

    it.effect("that breaks off or is given up leaves nothing behind", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const half = Stream.make(Buffer.alloc(mebibyte, "a"))
        const uploads = yield* FileUploads

        const broken = yield* Effect.flip(
          uploads.receive("a.txt", Stream.concat(half, Stream.fail("broken" as const))).pipe(as(ada), Effect.scoped)
        )
        const running = yield* Effect.forkChild(
          uploads.receive("b.txt", Stream.concat(half, Stream.never)).pipe(as(ada), Effect.scoped)
        )
        yield* Effect.sleep("100 millis")
        const during = yield* leftoversOf(ada)
        yield* Fiber.interrupt(running)

        assert.deepStrictEqual([broken, during.length], ["broken", 1])
        assert.deepStrictEqual([yield* leftoversOf(ada), yield* isStored(during[0]!.id)], [[], false])
      })
    )

    it.effect("gets a suffix where its name is taken, also within one upload and under fifty at once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const two = yield* Effect.all([receive(ada, "a.tar.gz.txt"), receive(ada, "a.tar.gz.txt")])
        yield* keep(ada, two, "x")
        yield* upload(ada, "README")
        yield* upload(ada, "README")

        yield* Effect.all(
          Array.from({ length: 50 }, () => upload(ada, "scan.txt")),
          { concurrency: "unbounded" }
        )
        const paths = (yield* rowsOf(ada)).map(({ path }) => path)

        assert.includeMembers(paths, ["x/a.tar.gz.txt", "x/a.tar.gz (1).txt", "README", "README (1)"])
        assert.sameMembers(
          paths.filter((path) => path.startsWith("scan")),
          Array.from({ length: 50 }, (_, n) => (n === 0 ? "scan.txt" : `scan (${n}).txt`))
        )
      })
    )

    it.effect("fits the quota to the byte: of many at its edge as many succeed as have room", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* use(ada, fileLimits.quotaBytes - 35)

        const { kept, received } = yield* Effect.scoped(
          Effect.gen(function* () {
            const received = yield* Effect.all(
              Array.from({ length: 12 }, (_, n) => receive(ada, `${n}.txt`, "0123456789"))
            )
            const keeping = received.map((file) => Effect.exit(keep(ada, [file])))
            return { received, kept: yield* Effect.all(keeping, { concurrency: "unbounded" }) }
          })
        )
        const full = yield* Effect.flip(receiveAlone(ada, "more.txt", "0123456789"))
        yield* upload(ada, "last.txt", { content: "01234" })
        const none = yield* Effect.flip(receiveAlone(ada, "more.txt", "0"))

        assert.strictEqual(kept.filter(({ _tag }) => _tag === "Success").length, 3)
        assert.deepStrictEqual([full._tag, none._tag], ["QuotaExceeded", "QuotaExceeded"])
        assert.strictEqual(yield* usedBy(ada), fileLimits.quotaBytes)
        assert.deepStrictEqual([(yield* rowsOf(ada)).length, yield* leftoversOf(ada)], [4, []])
        const stored = yield* Effect.forEach(received, ({ id }) => isStored(id))
        assert.strictEqual(stored.filter(Boolean).length, 3)
      })
    )

    it.effect("is kept with its neighbours or not at all", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* use(ada, fileLimits.quotaBytes - 12)

        const { failure, files } = yield* Effect.scoped(
          Effect.gen(function* () {
            const files = yield* Effect.all([receive(ada, "a.txt", "0123456789"), receive(ada, "b.txt", "0123456789")])
            return { files, failure: yield* Effect.flip(keep(ada, files)) }
          })
        )

        assert.strictEqual(failure._tag, "QuotaExceeded")
        assert.deepStrictEqual([yield* rowsOf(ada), yield* leftoversOf(ada)], [[], []])
        assert.strictEqual(yield* usedBy(ada), fileLimits.quotaBytes - 12)
        assert.deepStrictEqual(yield* Effect.forEach(files, ({ id }) => isStored(id)), [false, false])
      })
    )

    it.effect("goes back with the transaction that kept it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const sql = yield* CustomerSql

        const { between, file } = yield* Effect.scoped(
          Effect.gen(function* () {
            const file = yield* receive(ada, "a.txt")
            const ticket = Effect.andThen(keep(ada, [file]), Effect.fail("the ticket could not be made"))
            yield* Effect.flip(transaction(sql)(ticket).pipe(as(ada)))
            return { file, between: yield* leftoversOf(ada) }
          })
        )

        assert.deepStrictEqual(between.length, 1)
        assert.deepStrictEqual([yield* rowsOf(ada), yield* leftoversOf(ada), yield* usedBy(ada)], [[], [], 0])
        assert.isFalse(yield* isStored(file.id))
      })
    )

    it.effect("that was kept outlives the request, and one that was not does not", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const [kept, other] = yield* Effect.scoped(
          Effect.gen(function* () {
            const files = yield* Effect.all([receive(ada, "a.txt"), receive(ada, "b.txt")])
            yield* keep(ada, [files[0]])
            return files
          })
        )

        assert.deepStrictEqual([yield* isStored(kept.id), yield* isStored(other.id)], [true, false])
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
      })
    )

    it.effect("belongs to who received it: strangers cannot keep it", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory, namesake } = yield* people
        const file = yield* receive(ada, "a.txt")

        for (const stranger of [eve, mallory, namesake]) {
          assert.strictEqual((yield* Effect.exit(keep(stranger, [file])))._tag, "Failure")
          assert.deepStrictEqual([yield* rowsOf(stranger), yield* usedBy(stranger)], [[], 0])
        }

        assert.deepStrictEqual(
          (yield* keep(ada, [file])).map(({ path }) => path),
          ["a.txt"]
        )
      })
    )
  })

  describe("A storage that fails", () => {
    it.effect("fails the upload as it does, and leaves nothing half written", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        for (const failure of [new ProviderError(), new ProviderUnavailable({ retryAfter: 5 })]) {
          const { uploads } = yield* over(() => ({ put: () => Effect.fail(failure) }))

          const seen = yield* Effect.flip(
            uploads.receive("a.txt", Stream.make(Buffer.from("hello"))).pipe(as(ada), Effect.scoped)
          )

          assert.strictEqual(seen, failure)
        }
        assert.deepStrictEqual([yield* leftoversOf(ada), yield* rowsOf(ada), yield* usedBy(ada)], [[], [], 0])
      })
    )

    it.effect("that will not remove an object leaves it to the sweeper, which tries again, ever later", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        let broken = true
        const { sweeper, uploads } = yield* over((storage) => ({
          remove: (key) => (broken ? Effect.fail(new ProviderUnavailable({ retryAfter: 5 })) : storage.remove(key))
        }))

        const file = yield* uploads.receive("a.txt", Stream.make(Buffer.from("hello"))).pipe(as(ada), Effect.scoped)
        yield* age(ada, "2 minutes")
        yield* sweeper.sweep
        const tried = yield* leftoversOf(ada)
        yield* age(ada, "1 minute")
        yield* sweeper.sweep
        const notYet = yield* leftoversOf(ada)
        broken = false
        yield* age(ada, "1 hour")
        yield* sweeper.sweep

        assert.deepStrictEqual([tried[0]!.tries, notYet[0]!.tries], [2, 2])
        assert.deepStrictEqual([yield* leftoversOf(ada), yield* isStored(file.id)], [[], false])
      }).pipe(quietly)
    )
  })

  describe("The sweeper", () => {
    it.effect("removes what a process has received that died before keeping it, and not while one still may", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const file = yield* receive(ada, "a.txt")

        yield* sweep
        const early = yield* isStored(file.id)
        yield* age(ada, "61 minutes")
        yield* sweep

        assert.deepStrictEqual([early, yield* isStored(file.id)], [true, false])
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
        assert.strictEqual((yield* Effect.exit(keep(ada, [file])))._tag, "Failure")
        assert.deepStrictEqual([yield* rowsOf(ada), yield* usedBy(ada)], [[], 0])
      })
    )

    it.effect("and a process that keeps a file at the last moment never both win", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const storage = yield* Storage
        const received = yield* Effect.all(Array.from({ length: 20 }, (_, n) => receive(ada, `${n}.txt`)))
        yield* age(ada, "61 minutes")

        yield* Effect.all([...received.map((file) => Effect.exit(keep(ada, [file]))), sweep, sweep], {
          concurrency: "unbounded"
        })

        const paths = (yield* rowsOf(ada)).map(({ path }) => path)
        for (const { id, name } of received) {
          const object = yield* Effect.exit(storage.get(id))
          assert.strictEqual(object._tag === "Success", paths.includes(name), name)
        }
        assert.strictEqual(yield* usedBy(ada), paths.length * 5)
      })
    )

    it.effect("takes more than it can at once, and with another one beside it each object once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const sql = yield* SqlClient.SqlClient
        const removed: Array<string> = []
        const { sweeper } = yield* over(() => ({ remove: (key) => Effect.sync(() => void removed.push(key)) }))
        yield* sql`
          INSERT INTO file_leftovers (org_id, customer_id, id, due_at)
          SELECT ${ada.orgId}, ${ada.customerId}, gen_random_uuid()::text, now() FROM generate_series(1, 250)`

        const swept = yield* Effect.all([sweeper.sweep, sweeper.sweep], { concurrency: 2 })

        assert.strictEqual(swept[0] + swept[1], 250)
        assert.deepStrictEqual([removed.length, new Set(removed).size], [250, 250])
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
      })
    )
  })
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect, Logger, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { type FilesQuery, File, fileLimits } from "../../src/domain/StoredFile.ts"
import { CustomerSql, transaction } from "../../src/services/Database.ts"
import { Files } from "../../src/services/Files.ts"
import { FileSweeper } from "../../src/services/FileSweeper.ts"
import { ObjectMissing, Storage } from "../../src/services/Storage.ts"
import { as, type Customer, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"
import { later } from "../support/Time.ts"
import { leftoversOf, upload, use, usedBy } from "../support/Uploading.ts"

const list = (customer: Customer, query: FilesQuery = {}) => Files.use((files) => files.list(query)).pipe(as(customer))
const pathsOf = (customer: Customer, query: FilesQuery = {}) =>
  Effect.map(list(customer, query), ({ data }) => data.map(({ path }) => path))
const get = (customer: Customer, path: string) => Files.use((files) => files.get(path)).pipe(as(customer))
const remove = (customer: Customer, path: string) => Files.use((files) => files.remove(path)).pipe(as(customer))
const attachable = (customer: Customer, ...paths: ReadonlyArray<string>) =>
  Files.use((files) => files.attachable(paths)).pipe(as(customer))
const textOf = (customer: Customer, path: string) =>
  Effect.gen(function* () {
    const files = yield* Files
    const content = yield* files.content(yield* files.get(path))
    return Buffer.concat(yield* Stream.runCollect(content)).toString()
  }).pipe(as(customer))

/** A ticket's reference to a file, as any attachment refers to it. */
const attach = (customer: Customer, id: string) =>
  SqlClient.SqlClient.use((sql) =>
    Effect.andThen(
      sql`CREATE TABLE IF NOT EXISTS test_attachments (
        org_id text, customer_id text, file_id text,
        FOREIGN KEY (org_id, customer_id, file_id) REFERENCES files (org_id, customer_id, id) ON DELETE RESTRICT)`,
      sql`INSERT INTO test_attachments VALUES (${customer.orgId}, ${customer.customerId}, ${id})`
    )
  )

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A list of files", () => {
    it.effect("shows what there is of each, with a link to it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { id, ...file } = yield* upload(ada, "notes.txt", { folder: "a/b", content: "hello, ada" })

        const { data, total } = yield* list(ada)

        assert.strictEqual(total, 1)
        assert.deepInclude(data[0], file)
        assert.deepInclude(file, { path: "a/b/notes.txt", name: "notes.txt", size: 10, contentType: "text/plain" })
        assert.match(data[0]!.url, /^http:\/\/files\.example\/files\/[\w-]+\.[\w-]{43}$/)
        assert.notInclude(JSON.stringify(data), id)
        yield* Schema.encodeEffect(Schema.toCodecJson(File))(data[0]!)
      })
    )

    it.effect("is narrowed to a prefix, in which no character means more than itself", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        for (const folder of ["a", "ab", "a_", "a%"]) yield* upload(ada, "x.txt", { folder })

        assert.deepStrictEqual(yield* pathsOf(ada, { prefix: "a/" }), ["a/x.txt"])
        assert.deepStrictEqual(yield* pathsOf(ada, { prefix: "a_" }), ["a_/x.txt"])
        assert.deepStrictEqual(yield* pathsOf(ada, { prefix: "a%" }), ["a%/x.txt"])
        assert.deepStrictEqual(yield* pathsOf(ada, { prefix: "b" }), [])
        assert.strictEqual((yield* pathsOf(ada, { prefix: "" })).length, 4)
      })
    )

    it.effect("sorts by each of its fields, and its cursors walk all of it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* upload(ada, "b.txt", { content: "1" })
        yield* upload(ada, "a.json", { content: "[1]" })
        yield* upload(ada, "c.txt", { content: "12", folder: "0" })

        assert.deepStrictEqual(yield* pathsOf(ada), ["0/c.txt", "a.json", "b.txt"])
        assert.deepStrictEqual(yield* pathsOf(ada, { s: "path", st: "asc" }), ["0/c.txt", "a.json", "b.txt"])
        assert.deepStrictEqual(yield* pathsOf(ada, { s: "name", st: "asc" }), ["a.json", "b.txt", "0/c.txt"])
        assert.deepStrictEqual(yield* pathsOf(ada, { s: "size" }), ["a.json", "0/c.txt", "b.txt"])
        assert.deepStrictEqual((yield* pathsOf(ada, { s: "contentType", st: "asc" }))[0], "a.json")
        const first = yield* list(ada, { s: "name", st: "asc", ps: 2 })
        const rest = yield* pathsOf(ada, { ps: 2, cursor: first.nextCursor! })
        assert.deepStrictEqual([...first.data.map(({ path }) => path), ...rest], ["a.json", "b.txt", "0/c.txt"])
      })
    )
  })

  describe.each(TestServices.guards)("A stranger, kept out by %s", (_, guard) => {
    it.effect("finds, reads, links, attaches and removes nothing of somebody else's", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory, namesake } = yield* people
        const file = yield* upload(ada, "mine.txt", { folder: "private" })
        yield* guard

        for (const stranger of [eve, mallory, namesake]) {
          const failures = yield* Effect.all([
            Effect.flip(get(stranger, file.path)),
            Effect.flip(attachable(stranger, file.path)),
            Effect.flip(remove(stranger, file.path))
          ])
          assert.deepStrictEqual(
            failures.map(({ _tag }) => _tag),
            ["FileNotFound", "FileNotFound", "FileNotFound"]
          )
          assert.deepStrictEqual(yield* pathsOf(stranger), [])
          // A link is for whoever has it; one that a stranger has made is for a file that is not there.
          const files = yield* Files
          const made = yield* files.shown(file).pipe(as(stranger))
          assert.strictEqual((yield* Effect.flip(files.byLink(made.url.split("/").at(-1)!)))._tag, "FileNotFound")
        }
        // Nor do they share a name or the room for files.
        yield* use(ada, fileLimits.quotaBytes)
        for (const stranger of [eve, mallory, namesake]) {
          assert.strictEqual((yield* upload(stranger, "mine.txt", { folder: "private" })).path, file.path)
          yield* remove(stranger, file.path)
        }
        assert.strictEqual(yield* usedBy(ada), fileLimits.quotaBytes)
        assert.deepStrictEqual(yield* pathsOf(ada), [file.path])
        assert.strictEqual(yield* textOf(ada, file.path), "hello")
      })
    )
  })

  describe("A file", () => {
    it.effect("that is removed is gone, makes room, and leaves storage with the next sweep", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const sweeper = yield* FileSweeper
        const storage = yield* Storage
        const file = yield* upload(ada, "a.txt")
        yield* upload(ada, "b.txt")

        yield* remove(ada, "a.txt")
        const again = yield* Effect.flip(remove(ada, "a.txt"))
        const used = yield* usedBy(ada)
        yield* sweeper.sweep

        assert.deepStrictEqual([again._tag, used], ["FileNotFound", 5])
        assert.deepStrictEqual(yield* Effect.flip(storage.get(file.id)), new ObjectMissing({ key: file.id }))
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
        assert.deepStrictEqual(yield* pathsOf(ada), ["b.txt"])
        assert.strictEqual(yield* textOf(ada, "b.txt"), "hello")
      })
    )

    it.effect("that something refers to stays, and so do its bytes", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const file = yield* upload(ada, "a.txt")
        yield* attach(ada, file.id)

        const refused = yield* Effect.flip(remove(ada, "a.txt"))
        yield* FileSweeper.use(({ sweep }) => sweep)

        assert.deepInclude(refused, { _tag: "FileInUse", code: "action_not_allowed", status: 409 })
        assert.deepStrictEqual([yield* textOf(ada, "a.txt"), yield* usedBy(ada)], ["hello", 5])
        yield* SqlClient.SqlClient.use((sql) => sql`DROP TABLE test_attachments`)
      })
    )

    it.effect("is found under its path however its accents are written", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* upload(ada, "cafe\u0301.txt", { folder: "cafe\u0301s" })

        assert.strictEqual((yield* get(ada, "café\u0073/cafe\u0301.txt")).path, "cafés/café.txt")
        assert.deepStrictEqual((yield* attachable(ada, "cafe\u0301s/café.txt")).length, 1)
        yield* remove(ada, "cafe\u0301s/cafe\u0301.txt")
      })
    )

    it.effect("whose bytes somebody has lost is not there, and its operator hears of it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const file = yield* upload(ada, "a.txt")
        yield* Storage.use((storage) => storage.remove(file.id))
        const logged: Array<unknown> = []
        const errors = Logger.make(({ logLevel, message }) => {
          if (logLevel === "Error") logged.push(message)
        })
        const content = Files.use((files) => files.content(file)).pipe(
          as(ada),
          Effect.flip,
          Effect.provide(Logger.layer([errors]))
        )

        assert.strictEqual((yield* content)._tag, "FileNotFound")
        assert.deepStrictEqual(logged, [["A file's bytes are not in storage"]])
        yield* SqlClient.SqlClient.use((sql) => sql`DELETE FROM files WHERE id = ${file.id}`)
        assert.strictEqual((yield* content)._tag, "FileNotFound")
        assert.strictEqual(logged.length, 1)
      })
    )
  })

  describe("Files to attach", () => {
    it.effect("come in the order of their paths, each once, and all or none", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const [a, b] = [yield* upload(ada, "a.txt"), yield* upload(ada, "b.txt")]

        assert.deepStrictEqual(yield* attachable(ada, "b.txt", "a.txt", "b.txt"), [b, a])
        assert.deepStrictEqual(yield* attachable(ada), [])
        for (const wrong of ["c.txt", "A.txt", "", "a\u0000", "../a.txt", "x".repeat(2000), "\uD800"]) {
          assert.strictEqual((yield* Effect.flip(attachable(ada, "a.txt", wrong)))._tag, "FileNotFound")
        }
      })
    )

    it.effect("stay until the transaction ends that attaches them", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const sql = yield* CustomerSql
        yield* upload(ada, "a.txt")
        const order: Array<string> = []

        yield* Effect.all(
          [
            Effect.gen(function* () {
              yield* attachable(ada, "a.txt")
              yield* Effect.sleep("200 millis")
              order.push("attached")
            }).pipe(transaction(sql), as(ada)),
            Effect.delay(
              Effect.tap(remove(ada, "a.txt"), () => Effect.sync(() => order.push("removed"))),
              "50 millis"
            )
          ],
          { concurrency: 2 }
        )

        assert.deepStrictEqual(order, ["attached", "removed"])
      })
    )
  })

  describe("A link", () => {
    it.effect("opens its file for a quarter of an hour", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const files = yield* Files
        const file = yield* upload(ada, "a.txt")
        const { url, urlExpiresAt } = yield* files.shown(file).pipe(as(ada))
        const open = files.byLink(url.split("/").at(-1)!)

        const opened = yield* open.pipe(later("14 minutes"))
        const expired = yield* Effect.flip(open.pipe(later("15 minutes")))

        assert.deepStrictEqual(opened, { file, owner: { orgId: ada.orgId, customerId: ada.customerId } })
        assert.strictEqual(expired._tag, "FileNotFound")
        assert.approximately(urlExpiresAt.getTime(), Date.now() + 900_000, 60_000)
      })
    )

    it.effect("opens nothing once a character of it is another, is missing, or is one too many", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const files = yield* Files
        const { url } = yield* files.shown(yield* upload(ada, "a.txt")).pipe(as(ada))
        const link = url.split("/").at(-1)!
        const edited = [...link].flatMap((character, at) => [
          `${link.slice(0, at)}${character === "A" ? "B" : "A"}${link.slice(at + 1)}`,
          `${link.slice(0, at)}${String.fromCharCode(character.charCodeAt(0) ^ 1)}${link.slice(at + 1)}`,
          `${link.slice(0, at)}${link.slice(at + 1)}`,
          `${link.slice(0, at)}x${link.slice(at)}`
        ])

        const results = yield* Effect.forEach([...edited, "", ".", `${link}.`, `.${link}`, `${link}=`], (one) =>
          Effect.exit(files.byLink(one))
        )

        assert.deepStrictEqual(
          results.filter(({ _tag }) => _tag === "Success"),
          []
        )
        assert.isTrue(
          results.every((exit) => exit._tag === "Failure" && exit.cause.reasons.every(({ _tag }) => _tag === "Fail"))
        )
      })
    )
  })
})

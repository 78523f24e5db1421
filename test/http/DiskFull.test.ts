import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { execFileSync } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, describe } from "vitest"
import * as StorageDisk from "../../src/layers/StorageDisk.ts"
import { Files } from "../../src/services/Files.ts"
import { FileSweeper } from "../../src/services/FileSweeper.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { field, file, form } from "../support/Forms.ts"
import { deviations } from "../support/OpenApiDocument.ts"
import { type Customer, people } from "../support/People.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as TestStorage from "../support/TestStorage.ts"
import { leftoversOf, usedBy } from "../support/Uploading.ts"

const disk = mkdtempSync(path.join(tmpdir(), "portico-full-"))
const mebibyte = 1024 * 1024

/** Why there can be no small disk on this machine, if so. */
const missing = (() => {
  try {
    const options = ["-t", "tmpfs", "-o", `size=${20 * mebibyte},nr_inodes=80`, "tmpfs", disk]
    execFileSync("mount", options, { stdio: "pipe" })
    return undefined
  } catch (error) {
    return `no file system can be mounted (${String((error as { readonly stderr?: unknown }).stderr ?? error).trim()})`
  }
})()

afterAll(() => {
  if (missing === undefined) execFileSync("umount", ["-l", disk])
  rmSync(disk, { recursive: true, force: true })
})

const services = Layer.fresh(Layer.mergeAll(Files.layer, FileUploads.layer, FileSweeper.layer)).pipe(
  Layer.provide(StorageDisk.layer(path.join(disk, "files"))),
  Layer.provide(TestStorage.layer),
  Layer.provide(TestDatabase.layer),
  Layer.orDie
)

const objects = () =>
  globSync("files/**/*", { cwd: disk, withFileTypes: true }).filter((entry) => entry.isFile()).length

/** Leaves so many bytes, or so many places for files, free until the scope closes. */
const filled = (bytes: number, files = Infinity) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { bavail, bsize, ffree } = statfsSync(disk)
      const names = Array.from({ length: Math.max(1, ffree - files) }, (_, n) => path.join(disk, `filler-${n}`))
      for (const name of names) writeFileSync(name, "")
      writeFileSync(names[0]!, Buffer.alloc(bavail * bsize - bytes))
      return names
    }),
    (names) => Effect.sync(() => names.forEach((name) => rmSync(name)))
  )

const aside = path.join(disk, "aside")

/** Whatever folder the next bytes belong into, it is not there until the scope closes. */
const withoutFolders = Effect.acquireRelease(
  Effect.sync(() => {
    mkdirSync(aside)
    const folders = readdirSync(path.join(disk, "files")).filter((name) => name.length === 2)
    for (const name of folders) renameSync(path.join(disk, "files", name), path.join(aside, name))
    return folders
  }),
  (folders) =>
    Effect.sync(() => {
      for (const name of folders) renameSync(path.join(aside, name), path.join(disk, "files", name))
      rmSync(aside, { recursive: true })
    })
)

const root = "/client-data/files"
const text = "x".repeat(mebibyte)
const upload = (who: Customer, ...names: ReadonlyArray<string>) =>
  App.use(({ call }) => call(who, "POST", `${root}/upload`, form(names.map((name) => file(name, text)))))
const openTicket = (who: Customer) =>
  App.use(({ call }) =>
    call(
      who,
      "POST",
      "/client-data/tickets/with-attachments",
      form([field("title", "Broken"), field("description", "Look"), file("look.txt", text, "files")])
    )
  )

if (missing !== undefined) console.warn(`DiskFull.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("On a disk that is full", () => {
  layer(TestApp.layerWith({}, services), { excludeTestServices: true })((it) => {
    for (const [name, bytes, files] of [
      ["without a byte left", 0],
      ["with room for one file of two", 1.5 * mebibyte],
      ["with no place for another file", 3 * mebibyte, 0],
      ["with a place for the bytes, and none for their folder", 3 * mebibyte, 1]
    ] as const) {
      it.effect(`${name}, an upload is refused whole, the rest goes on, and so do uploads when there is room`, () =>
        Effect.gen(function* () {
          const { call } = yield* App
          const { ada } = yield* people
          assert.strictEqual((yield* upload(ada, "a.txt")).status, 201)
          const before = [objects(), yield* usedBy(ada)]

          yield* Effect.gen(function* () {
            const hidden = yield* Scope.fork(yield* Effect.scope)
            yield* Scope.provide(withoutFolders, hidden)
            yield* filled(bytes, files)
            const refused = yield* upload(ada, "b.txt", "c.txt")
            assertProblem(refused, 503, "provider_unavailable")
            assert.deepStrictEqual(deviations("post", `${root}/upload`, refused), [])
            if (bytes !== 1.5 * mebibyte) {
              const ticket = yield* openTicket(ada)
              assertProblem(ticket, 503, "provider_unavailable")
              assert.deepStrictEqual(deviations("post", "/client-data/tickets/with-attachments", ticket), [])
            }
            yield* Scope.close(hidden, Exit.void)
            assert.deepStrictEqual([objects(), yield* usedBy(ada)], before)
            assert.deepStrictEqual(yield* leftoversOf(ada), [])
            assert.strictEqual((yield* call(ada, "GET", "/client-data/tickets")).json.total, 0)

            const read = yield* call(ada, "GET", `${root}/a.txt`)
            const sent = yield* call(ada, "POST", "/client-data/messages", {
              body: { subject: "Hello", text: "See there", attachments: ["a.txt"] }
            })
            assert.deepStrictEqual([read.status, read.text === text, sent.status], [200, true, 201])
          }).pipe(Effect.scoped)

          assert.strictEqual((yield* upload(ada, "b.txt")).status, 201)
          assert.strictEqual((yield* openTicket(ada)).status, 201)
        })
      )
    }
  })
})

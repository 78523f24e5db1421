import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import * as Postgres from "../src/layers/Postgres.ts"
import * as StorageDisk from "../src/layers/StorageDisk.ts"
import { FileSweeper } from "../src/services/FileSweeper.ts"
import { boundary, formType } from "./support/Forms.ts"
import { freePort, type Running, source } from "./support/Process.ts"

const folder = mkdtempSync(path.join(tmpdir(), "portico-uploads-"))
const started: Array<Running> = []
const mebibyte = 1024 * 1024

/** A server in local mode, and what it says to ada. */
const serve = async (name: string) => {
  const port = await freePort()
  const dataDir = path.join(folder, name)
  const running = source("src/main.ts", [], { PORT: String(port), DATA_DIR: dataDir, LOG_LEVEL: "None" })
  started.push(running)
  const [, token = ""] = await running.says(/A token for ada[^\n]*\n\s+(\S+)/)
  const headers = { orgid: "demo", authorization: `Bearer ${token}`, "content-type": formType }
  const inFiles = () =>
    globSync("files/**/*", { cwd: dataDir, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => path.relative(dataDir, path.join(parentPath, name)))
  return { running, dataDir, inFiles, headers, port, url: `http://127.0.0.1:${port}/client-data/files` }
}

afterAll(async () => {
  for (const { child } of started) child.kill("SIGKILL")
  await Promise.all(started.map(({ ended }) => ended))
  rmSync(folder, { recursive: true, force: true })
})

/** `files` parts of text, as they are written to a connection: never all of it in memory. */
const parts = function* (files: number, bytes: number) {
  const chunk = Buffer.alloc(mebibyte, "portico ")
  for (let index = 0; index < files; index++) {
    yield Buffer.from(
      `\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${index}.txt"\r\n\r\n`.slice(
        index === 0 ? 2 : 0
      )
    )
    for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length))
  }
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

describe.skipIf(!existsSync("/proc/self/status"))("A server", () => {
  it("takes in 200 MB at once and grows by less than 50 MB meanwhile", { timeout: 120_000 }, async () => {
    const { headers, inFiles, port, running, url } = await serve("memory")
    const post = (files: number, bytes: number) =>
      new Promise<number>((resolve, reject) => {
        const sent = request(
          { host: "127.0.0.1", port, method: "POST", path: "/client-data/files/upload", headers },
          (response) => {
            response.resume()
            response.on("end", () => resolve(response.statusCode!))
          }
        )
        sent.on("error", reject)
        const chunks = parts(files, bytes)
        const write = () => {
          let next = chunks.next()
          while (next.value !== undefined && sent.write(next.value)) next = chunks.next()
          if (next.done) sent.end()
          else sent.once("drain", write)
        }
        write()
      })
    const pid = running.child.pid!
    // What a first request costs is not what a large one does.
    for (let n = 0; n < 3; n++) assert.strictEqual(await post(2, mebibyte), 201)
    const before = memoryOf(pid)
    let most = before
    const watch = setInterval(() => (most = Math.max(most, memoryOf(pid))), 20)

    const status = await post(8, 25 * mebibyte)
    clearInterval(watch)

    assert.strictEqual(status, 201)
    assert.strictEqual(inFiles().length, 14)
    assert.isAbove(before, 80)
    assert.isBelow(most - before, 50, `grew from ${Math.round(before)} to ${Math.round(most)} MiB`)
    const list = await fetch(`${url}?s=size&ps=1`, { headers })
    const { data } = (await list.json()) as { readonly data: ReadonlyArray<{ readonly size: number }> }
    assert.strictEqual(data[0]?.size, 25 * mebibyte)
  })

  it(
    "that is killed half way leaves what the next one's sweeper removes, and no file",
    { timeout: 60_000 },
    async () => {
      const { dataDir, headers, inFiles, port, running } = await serve("killed")
      const sent = request({ host: "127.0.0.1", port, method: "POST", path: "/client-data/files/upload", headers })
      sent.on("error", () => {})
      const chunks = parts(2, 5 * mebibyte)
      for (const chunk of [...chunks].slice(0, 10)) sent.write(chunk)
      while (!inFiles().some((name) => name.includes("unfinished")) || inFiles().length < 2) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }

      running.child.kill("SIGKILL")
      await running.ended
      const left = inFiles()
      const swept = await Effect.runPromise(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const sweeper = yield* FileSweeper
          const early = yield* sweeper.sweep
          yield* sql`UPDATE file_leftovers SET due_at = due_at - interval '61 minutes'`
          const late = yield* sweeper.sweep
          const [rows] = yield* sql<{ readonly count: string }>`SELECT count(*)::text FROM files`
          return [early, late, rows!.count]
        }).pipe(
          Effect.provide(
            FileSweeper.layer.pipe(
              Layer.provide(StorageDisk.layer(path.join(dataDir, "files"))),
              Layer.provideMerge(
                Postgres.layerFrom(Postgres.embedded({ dataDir: path.join(dataDir, "postgres"), durable: true }))
              )
            )
          )
        )
      )

      assert.strictEqual(left.length, 2)
      assert.deepStrictEqual(swept, [0, 2, "0"])
      assert.deepStrictEqual(inFiles(), [])
    }
  )
})

import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { get } from "node:http"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, beforeAll, describe, inject, it } from "vitest"
import { type EventStream, eventually, listen } from "./support/EventStream.ts"
import { freePort, type Running, source } from "./support/Process.ts"
import * as TestServer from "./support/TestServer.ts"

const server = inject("server")
const folder = mkdtempSync(path.join(tmpdir(), "portico-events-"))
const started: Array<Running> = []
const name = `portico_test_${randomBytes(4).toString("hex")}`
const run = (statement: string) => Effect.runPromise(TestServer.run(TestServer.at(server!.url, name), statement))
const soon = (condition: () => boolean, milliseconds?: number) => Effect.runPromise(eventually(condition, milliseconds))

/** A replica in local mode on the one database, and what it says to ada. */
const replica = async () => {
  const port = await freePort()
  const running = source("src/main.ts", [], {
    PORT: String(port),
    DATA_DIR: folder,
    LOG_LEVEL: "None",
    RATE_LIMIT: "1000000",
    AUTH_JWT_SECRET: "a secret of this test's, longer than 32 bytes",
    DATABASE_URL: TestServer.at(server!.url, name)
  })
  started.push(running)
  const [, token = ""] = await running.says(/A token for ada[^\n]*\n\s+(\S+)/)
  const headers = { orgid: "demo", authorization: `Bearer ${token}` }
  const url = `http://127.0.0.1:${port}/client-data`
  return {
    running,
    url,
    headers,
    follow: (lastId?: string) =>
      listen(`${url}/events`, lastId === undefined ? headers : { ...headers, "last-event-id": lastId }),
    say: async (about: string) => {
      const body = JSON.stringify({ about })
      const answer = await fetch(`${url}/profile`, {
        method: "PUT",
        headers: { ...headers, "content-type": "application/json" },
        body
      })
      assert.strictEqual(answer.status, 200)
      await answer.arrayBuffer()
    }
  }
}

const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

beforeAll(async () => {
  if (server !== undefined) await Effect.runPromise(TestServer.run(server.url, `CREATE DATABASE ${name}`))
})

afterAll(async () => {
  for (const { child } of started) child.kill("SIGKILL")
  await Promise.all(started.map(({ ended }) => ended))
  if (server !== undefined) await Effect.runPromise(TestServer.run(server.url, `DROP DATABASE ${name} WITH (FORCE)`))
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(server === undefined || !existsSync("/proc/self/status"))("Replicas on one Postgres", () => {
  it(
    "tell what is written through another within a second, and lose or repeat nothing when one is killed",
    { timeout: 120_000 },
    async () => {
      const first = await replica()
      const second = await replica()
      const streams = await Promise.all(Array.from({ length: 8 }, () => first.follow()))
      await new Promise((resolve) => setTimeout(resolve, 1500))

      const waits: Array<number> = []
      for (let n = 0; n < 5; n++) {
        const begun = Date.now()
        await second.say(`before ${n}`)
        assert.isTrue(await soon(() => streams.every(({ events }) => events.length > n), 1000))
        waits.push(Date.now() - begun)
      }

      const writing = { on: true }
      let written = 5
      const writer = (async () => {
        while (writing.on) await second.say(`during ${written++}`)
      })()
      await new Promise((resolve) => setTimeout(resolve, 1000))
      first.running.child.kill("SIGKILL")
      await Promise.all(streams.map(({ ended }) => ended))
      await new Promise((resolve) => setTimeout(resolve, 500))
      const resumed = await Promise.all(streams.map((stream) => second.follow(stream.lastId())))
      await new Promise((resolve) => setTimeout(resolve, 500))
      writing.on = false
      await writer

      const all = (index: number): EventStream["events"] => [...streams[index]!.events, ...resumed[index]!.events]
      assert.isTrue(await soon(() => resumed.every((_, index) => all(index).length >= written)))
      for (const [index] of streams.entries()) {
        const sequences = all(index).map(({ data }) => data.sequence)
        assert.strictEqual(sequences.length, written)
        assert.deepStrictEqual(
          sequences,
          sequences.map((_, n) => sequences[0]! + n)
        )
        assert.strictEqual(all(index).at(-1)!.data.record?.["about"], `during ${written - 1}`)
        resumed[index]!.close()
      }
      process.stdout.write(`from one replica to the other: ${waits.join(", ")} ms; ${written} events, 8 clients\n`)
    }
  )

  it("send an account of 100,000 records and hardly grow", { timeout: 180_000 }, async () => {
    const { headers, running, url } = await replica()
    const read = (more: Readonly<Record<string, string>> = {}) =>
      new Promise<number>((resolve, reject) => {
        get(`${url}/all`, { headers: { ...headers, ...more } }, (response) => {
          let bytes = 0
          response.on("data", (chunk: Buffer) => (bytes += chunk.length))
          response.on("end", () => resolve(bytes))
          response.on("error", reject)
        }).on("error", reject)
      })
    // As they were before there was a log: so many of one customer's in one transaction would keep it busy for minutes.
    await run("ALTER TABLE transactions DISABLE TRIGGER USER")
    await run(`
      INSERT INTO transactions (org_id, id, customer_id, type, status, amount, currency, method_type, description, created_at)
      SELECT 'demo', 'bulk-' || n, 'ada', 'payment', 'paid', n, 'USD', 'card', repeat('x', 200), now() FROM generate_series(1, 5000) AS n`)
    for (let n = 0; n < 6; n++) await read()
    await run(`
      INSERT INTO transactions (org_id, id, customer_id, type, status, amount, currency, method_type, description, created_at)
      SELECT 'demo', 'bulk-' || n, 'ada', 'payment', 'paid', n, 'USD', 'card', repeat('x', 200), now() FROM generate_series(5001, 100000) AS n`)
    const pid = running.child.pid!
    const before = memoryOf(pid)
    let most = before
    const watch = setInterval(() => (most = Math.max(most, memoryOf(pid))), 20)
    const begun = Date.now()
    const plain = await read()
    const took = Date.now() - begun
    const zipped = await read({ "accept-encoding": "gzip" })
    clearInterval(watch)
    assert.isAbove(plain, 40 * 1024 * 1024)
    assert.isBelow(zipped, plain / 5)
    assert.isBelow(most - before, 64, `grew from ${Math.round(before)} to ${Math.round(most)} MiB`)
    process.stdout.write(
      `100,000 records: ${(plain / 2 ** 20).toFixed(1)} MiB in ${took} ms, ${(zipped / 2 ** 20).toFixed(1)} MiB zipped; memory ${Math.round(before)} to ${Math.round(most)} MiB\n`
    )
  })
})

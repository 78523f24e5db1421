import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { it } from "vitest"
import * as Postgres from "../src/layers/Postgres.ts"
import { Codes } from "../src/services/Codes.ts"
import { Deliveries } from "../src/services/Deliveries.ts"
import { DeliveryQueue } from "../src/services/DeliveryQueue.ts"
import { missing } from "./support/Cluster.ts"
import { recordSome } from "./support/DeliveryLoad.ts"
import { type Running, source } from "./support/Process.ts"
import * as Replicas from "./support/Replicas.ts"

interface Row {
  readonly id: string
  readonly state: string
  readonly attempts: number
  readonly finished: number
}

const folder = () => mkdtempSync(path.join(tmpdir(), "portico-deliveries-"))
const worker = (mailbox: string, database: string, own = 0): Running =>
  source("test/support/deliveryWorker.ts", [mailbox, database, String(own)], {})
const kill = async (workers: ReadonlyArray<Running>) => {
  for (const { child } of workers) child.kill("SIGKILL")
  await Promise.all(workers.map(({ ended }) => ended))
}
const arrived = (mailbox: string) => readFileSync(mailbox, "utf8").trim().split("\n").filter(Boolean)
const until = async (holds: () => boolean) => {
  for (let n = 0; n < 3000 && !holds(); n++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.isTrue(holds())
}

/** What has become of all that was recorded: each message in the mailbox at least once, and twice only in the window. */
const tally = (recorded: ReadonlyArray<string>, mailbox: string, ledger: ReadonlyArray<Row>) => {
  const mails = arrived(mailbox)
  const delivered = new Set(mails)
  const twice = [...delivered].filter((id) => mails.indexOf(id) !== mails.lastIndexOf(id))
  const known = new Map(ledger.map((row) => [row.id, row]))
  return {
    recorded: recorded.length,
    delivered: delivered.size,
    lost: recorded.filter((id) => !delivered.has(id)).length,
    phantom: mails.filter((id) => !known.has(id)).length,
    duplicated: twice.length,
    /** Those that no ledger row gives away. */
    unexplained: twice.filter((id) => known.get(id)!.attempts === known.get(id)!.finished).length,
    unsent: ledger.filter(({ state }) => state !== "sent").length,
    retried: ledger.filter(({ finished }) => finished > 1).length
  }
}

const ledgerOf = async (running: Running): Promise<ReadonlyArray<Row>> =>
  JSON.parse((await running.says(/^ledger (.*)$/m))[1]!)

if (missing !== undefined) console.warn(`DeliveriesKilled.test.ts skips the server: ${missing}`)

describe.skipIf(missing !== undefined)("On a server,", () => {
  layer(Replicas.layer, { excludeTestServices: true, timeout: 180_000 })((it) => {
    /** Records 1,000 messages on a new database while two processes deliver. */
    const run = (name: string, meanwhile: (workers: () => Running, mailbox: string) => Promise<void>) =>
      Effect.gen(function* () {
        const directory = yield* Effect.acquireRelease(Effect.sync(folder), (directory) =>
          Effect.sync(() => rmSync(directory, { recursive: true }))
        )
        const mailbox = path.join(directory, "mailbox")
        writeFileSync(mailbox, "")
        const url = yield* Replicas.database(name)
        const started = new Array<Running>()
        yield* Effect.addFinalizer(() => Effect.promise(() => kill(started)))
        const start = () => {
          const running = worker(mailbox, url)
          started.push(running)
          return running
        }
        return yield* Effect.gen(function* () {
          const recorded = new Array<string>()
          yield* Effect.all(
            [recordSome(1000, (id) => recorded.push(id)), Effect.promise(() => meanwhile(start, mailbox))],
            { concurrency: "unbounded" }
          )
          const sql = yield* SqlClient.SqlClient
          const ledger = yield* sql<Row>`SELECT id, state, attempts, finished FROM deliveries`.pipe(
            Effect.repeat({
              until: (rows) => rows.length >= 1000 && rows.every(({ state }) => state !== "queued"),
              schedule: Schedule.spaced("200 millis")
            })
          )
          return tally(recorded, mailbox, ledger)
        }).pipe(
          Effect.provide(
            Deliveries.layer.pipe(
              Layer.provide([DeliveryQueue.layer, Codes.layerWith(Redacted.make("secret"))]),
              Layer.provideMerge(Postgres.layerFrom(Postgres.server(Redacted.make(url))))
            )
          )
        )
      }).pipe(Effect.scoped)

    it.effect("two workers that are killed half way, and two that follow, deliver all of it and nothing else", () =>
      Effect.gen(function* () {
        const figures = yield* run("killed", async (start, mailbox) => {
          const first = [start(), start()]
          await until(() => arrived(mailbox).length > 400)
          await kill(first)
          start()
          start()
        })

        yield* Effect.logInfo("Killed on a server").pipe(Effect.annotateLogs(figures))
        assert.deepInclude(figures, { recorded: 1000, delivered: 1000, lost: 0, phantom: 0, unsent: 0, unexplained: 0 })
        assert.isAtMost(figures.duplicated, 16)
        assert.isAbove(figures.retried, 0)
      })
    )

    it.effect("two workers that live on send nothing twice", () =>
      Effect.gen(function* () {
        const figures = yield* run("undisturbed", async (start) => {
          start()
          start()
        })

        yield* Effect.logInfo("Undisturbed on a server").pipe(Effect.annotateLogs(figures))
        assert.deepInclude(figures, {
          recorded: 1000,
          delivered: 1000,
          lost: 0,
          phantom: 0,
          duplicated: 0,
          unsent: 0
        })
      })
    )
  })
})

describe("On the embedded database,", () => {
  it("a server that is killed while it records and delivers does the rest when it is started again", async () => {
    const directory = folder()
    const mailbox = path.join(directory, "mailbox")
    const data = path.join(directory, "postgres")
    writeFileSync(mailbox, "")
    const recordedBy = (running: Running) => [...running.stdout().matchAll(/^recorded (.+)$/gm)].map(([, id]) => id!)
    const first = worker(mailbox, data, 300)
    let second: Running | undefined
    try {
      await Promise.race([until(() => arrived(mailbox).length > 100), first.ended])
      await kill([first])
      second = worker(mailbox, data, 50)
      const ledger = await ledgerOf(second)

      const recorded = [...recordedBy(first), ...recordedBy(second)]
      const figures = tally(recorded, mailbox, ledger)
      await Effect.runPromise(Effect.logInfo("Killed, embedded").pipe(Effect.annotateLogs(figures)))
      assert.deepInclude(figures, { lost: 0, phantom: 0, unsent: 0, unexplained: 0 })
      assert.isAbove(recorded.length, 100)
      assert.isAtMost(figures.duplicated, 8)
    } finally {
      await kill(second === undefined ? [first] : [first, second])
      rmSync(directory, { recursive: true, force: true })
    }
  }, 240_000)
})

// What the log of changes costs and gives: a write with and without it, the dashboard beside the profile, and what
// 2,000 idle streams of events weigh. Run: DATABASE_URL=postgres://... node run.mjs bench/changes.ts (on a server, whose
// database it makes and drops).
import "effect/schema/SchemaJITCompiler/enable"
import { PgConnection } from "@effect/sql-pg"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { get, type IncomingMessage } from "node:http"
import { tmpdir } from "node:os"
import path from "node:path"
import { CurrentCustomer } from "../src/domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../src/domain/Ids.ts"
import { OrderId } from "../src/domain/Order.ts"
import * as Postgres from "../src/layers/Postgres.ts"
import * as TokensMint from "../src/layers/TokensMint.ts"
import { Codes } from "../src/services/Codes.ts"
import { Deliveries } from "../src/services/Deliveries.ts"
import { DeliveryQueue } from "../src/services/DeliveryQueue.ts"
import { Notices } from "../src/services/Notices.ts"
import { AccountTags } from "../src/services/AccountTags.ts"
import { Dashboards } from "../src/services/Dashboards.ts"
import { Orders } from "../src/services/Orders.ts"
import { Profiles } from "../src/services/Profiles.ts"

const server = process.env["DATABASE_URL"]!
const name = `portico_bench_${randomBytes(4).toString("hex")}`
const url = new URL(server)
url.pathname = `/${name}`
const streams = Number(process.env["STREAMS"] ?? 2000)
const say = (line: string) => process.stdout.write(`${line}\n`)

const onServer = (statement: string) =>
  PgConnection.make({ url: Redacted.make(server) }).pipe(
    Effect.flatMap((connection) => connection.query(statement)),
    Effect.scoped
  )

const orgId = OrgId.make("bench")
const customerId = CustomerId.make("ada")

/** Milliseconds of each of several things, in turns, so that all of them meet the same noise. */
type Thing = (n: number) => Effect.Effect<unknown, unknown, CurrentCustomer | CurrentPlatform>
const inTurns = (rounds: number, things: ReadonlyArray<Thing>) =>
  Effect.gen(function* () {
    const times = things.map((): Array<number> => [])
    for (let n = 0; n < rounds; n++) {
      for (const [index, thing] of things.entries()) {
        const begun = performance.now()
        yield* thing(n)
        times[index]!.push(performance.now() - begun)
      }
    }
    return times.map((all) => {
      const sorted = all.toSorted((a, b) => a - b)
      return { median: sorted[sorted.length >> 1]!, p90: sorted[Math.floor(sorted.length * 0.9)]! }
    })
  })
const shown = ({ median, p90 }: { readonly median: number; readonly p90: number }) =>
  `median ${median.toFixed(2)} ms, p90 ${p90.toFixed(2)} ms`

const inProcess = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const orders = yield* Orders
  const profiles = yield* Profiles
  const dashboards = yield* Dashboards
  yield* sql`INSERT INTO orgs (id, name) VALUES (${orgId}, 'Bench')`
  const order = (n: number) => ({
    customerId,
    number: String(n),
    status: "paid" as const,
    total: { amount: n, currency: "USD" },
    items: [{ name: "Lamp", quantity: 1, unitPrice: { amount: n, currency: "USD" } }]
  })
  yield* profiles.push(customerId, { name: "Ada" })
  const push = (n: number) => orders.push(OrderId.make(`order-${n}`), order(n))
  const change = (n: number) => profiles.change({ about: `About ${n}` })
  for (let n = 0; n < 300; n++) yield* Effect.all([push(n), change(n)])

  const triggers = (action: "DISABLE" | "ENABLE") =>
    Effect.forEach(["orders", "customers"], (table) =>
      Effect.forEach(["record_made", "record_changed"], (trigger) =>
        sql.unsafe(`ALTER TABLE ${table} ${action} TRIGGER ${trigger}`)
      )
    )
  const pairs: Array<ReadonlyArray<number>> = []
  for (let round = 0; round < 6; round++) {
    const at = 1000 * (round + 1)
    const withLog = yield* inTurns(60, [(n) => push(at + n), (n) => change(at + n)])
    yield* triggers("DISABLE")
    const without = yield* inTurns(60, [(n) => push(at + 500 + n), (n) => change(at + 500 + n)])
    yield* triggers("ENABLE")
    pairs.push([withLog[0]!.median, without[0]!.median, withLog[1]!.median, without[1]!.median])
  }
  const middle = (index: number) =>
    pairs
      .map((pair) => pair[index]!)
      .sort((a, b) => a - b)[3]!
      .toFixed(2)
  say(`orders push: ${middle(0)} ms with the log, ${middle(1)} ms without`)
  say(`PUT profile: ${middle(2)} ms with the log, ${middle(3)} ms without`)

  const { tag } = yield* dashboards.read()
  const [profile, dashboard, known] = yield* inTurns(400, [
    () => profiles.get,
    () => dashboards.read(),
    () => dashboards.read(`"${tag}"`)
  ])
  say(`profile:       ${shown(profile!)}`)
  say(`dashboard:     ${shown(dashboard!)} (1,020 orders)`)
  say(`dashboard 304: ${shown(known!)}`)
}).pipe(
  Effect.provideService(CurrentCustomer, { orgId, customerId }),
  Effect.provideService(CurrentPlatform, { orgId }),
  Effect.provide(
    Layer.mergeAll(Orders.layer, Profiles.layer, Dashboards.layer).pipe(
      Layer.provide([Notices.layer, AccountTags.layer]),
      Layer.provide(Deliveries.layer),
      Layer.provide(DeliveryQueue.layer),
      Layer.provide(Codes.layerWith(Redacted.make("nothing but the bench"))),
      Layer.provideMerge(Postgres.layerFrom(Postgres.server(Redacted.make(url.href))))
    )
  )
)

const secret = "a secret of this bench's, longer than 32 bytes"
const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

const overHttp = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "portico-bench-"))
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const child: ChildProcess = spawn(process.execPath, ["src/main.ts"], {
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      DATA_DIR: folder,
      LOG_LEVEL: "None",
      AUTH_JWT_SECRET: secret,
      DATABASE_URL: url.href
    },
    stdio: ["ignore", "pipe", "inherit"]
  })
  try {
    await new Promise((resolve) => child.stdout!.once("data", resolve))
    const pid = child.pid!
    const open: Array<IncomingMessage> = []
    const connect = async (customer: number) => {
      const claims = { type: "customer" as const, sub: CustomerId.make(`idle-${customer}`), org: OrgId.make("demo") }
      const mint = TokensMint.mint({ secret: Redacted.make(secret), claims, expiresIn: "1 hour" })
      const headers = { orgid: "demo", authorization: `Bearer ${await Effect.runPromise(mint)}` }
      return new Promise<void>((resolve, reject) =>
        get(`http://127.0.0.1:${port}/client-data/events`, { headers, agent: false }, (response) => {
          open.push(response)
          response.once("data", () => resolve())
        }).on("error", reject)
      )
    }
    for (let n = 0; n < 20; n++) await connect(100_000 + n)
    for (const response of open.splice(0)) response.destroy()
    await new Promise((resolve) => setTimeout(resolve, 3000))
    const before = memoryOf(pid)
    for (let n = 0; n < streams; n += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => connect(Math.floor((n + index) / 2))))
    }
    await new Promise((resolve) => setTimeout(resolve, 30_000))
    const after = memoryOf(pid)
    say(
      `${open.length} idle streams of ${streams / 2} customers: ${before.toFixed(0)} to ${after.toFixed(0)} MiB, ${(((after - before) * 1024) / open.length).toFixed(1)} KiB each`
    )
    const cpu = () => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")
      return (Number(fields[13]) + Number(fields[14])) * 10
    }
    const used = cpu()
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    say(`and ${((cpu() - used) / 100).toFixed(1)} % of a core`)
    for (const response of open) response.destroy()
  } finally {
    child.kill("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
  }
}

await Effect.runPromise(Effect.orDie(onServer(`CREATE DATABASE ${name}`)))
try {
  await Effect.runPromise(inProcess)
  await overHttp()
} finally {
  await Effect.runPromise(Effect.orDie(onServer(`DROP DATABASE ${name} WITH (FORCE)`)))
}

// `npm run bench`: Portico beside a plain Fastify twin (`twin.ts`) on the same Node.js, machine and database, which it
// makes and drops again. Rounds of the servers take turns, so that what else the machine does meets all of them alike;
// the CPU time of a request is steadier than requests a second.
//
// BENCH_SECONDS, BENCH_ROUNDS  length and number of rounds (1, 15): short, as the speed of a shared machine changes
// BENCH_ONLY          a word: only what has it in its title is measured, without memory and starts
// BENCH_REQUESTS      how many requests the memory is watched over (100000)
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import path from "node:path"
import { type Asked, file, form, luaOf } from "./lua.ts"
import {
  admin,
  customers,
  database,
  directory,
  fill,
  ids,
  org,
  portico,
  porticos,
  type Server,
  servers,
  skip,
  sql,
  stopping,
  tokenOf,
  twin,
  withDatabase
} from "./servers.ts"

const { env } = process
const seconds = Number(env["BENCH_SECONDS"] ?? 1)
const rounds = Number(env["BENCH_ROUNDS"] ?? 15)
const only = env["BENCH_ONLY"]
// All of them: Node.js compiles for some seconds what has just begun to run.
let isWarm = false

// Of /proc; Linux has had no other value on any machine that runs Node.js.
const ticksPerSecond = 100

type Round = {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
  /** CPU time, in microseconds a request. */
  readonly node: number
  readonly postgres: number
}

if (spawnSync("wrk", ["--version"]).error !== undefined) skip("wrk is not installed (apt-get install wrk)")
await withDatabase(bench)

async function bench() {
  const [ours] = await porticos()
  const plain = await twin("Twin", { rowSecurity: true })
  await twin("Twin without row security", {})
  await twin("Twin without, token cache", { tokenCache: true })

  await fill(ours)
  const all = await Promise.all(ids.map(tokenOf))

  const [version] = await admin`SHOW server_version`
  console.log(
    `Node.js ${process.version}, Postgres ${version!["server_version"]}, ${availableParallelism()} cores; ` +
      `wrk -t1 -c32 (-c4 for files), medians of ${rounds} rounds of ${seconds} s; ${customers} customers`
  )
  const reads = (title: string, target: string, bearers: ReadonlyArray<string>) =>
    sameAnswers(target, bearers[0]!).then(() => measure(plain, `GET ${title}`, () => ({ path: target }), bearers))
  await reads(`/client-data/profile of ${customers} customers in turn`, "/client-data/profile", all)
  await reads("/client-data/orders, 50 of 500, nothing changed since", "/client-data/orders?ps=50", all.slice(0, 1))
  const anew: Asked = { path: "/client-data/orders?ps=50", anew: true }
  await measure(plain, "GET /client-data/orders, 50 of 500, never asked for before", () => anew, all.slice(0, 1))
  await reads(
    "/client-data/dashboard, nothing changed since; the twin: eight queries at once and one more",
    "/client-data/dashboard",
    all
  )
  const change: Asked = {
    method: "PUT",
    path: "/client-data/profile",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ about: "Prefers parcels to be left with the neighbours." }),
    keyed: true
  }
  await measure(plain, "PUT /client-data/profile, each with an Idempotency-Key of its own", () => change, all)
  const upload = (server: Server): Asked => ({
    method: "POST",
    path: "/client-data/files/upload",
    headers: { "content-type": isTwin(server) ? "text/plain" : form.type },
    body: isTwin(server) ? file : form.body
  })
  await measure(plain, "POST /client-data/files/upload, 5 MB; a form, the twin: a bare body", upload, all, 4)
  if (only !== undefined && !"GET /client-data/files".includes(only)) return
  const paths = new Map<Server, string>()
  for (const server of servers) paths.set(server, await uploaded(server, upload(server), all[0]!))
  const download = (server: Server): Asked => ({ path: `/client-data/files/${paths.get(server)!}` })
  await measure(plain, "GET /client-data/files/:path, 5 MB", download, all.slice(0, 1), 4)

  if (only !== undefined) return
  await watchMemory(ours, all)
  for (const server of servers) server.process.kill("SIGKILL")
  await measureStarts("on this database", () => portico("Start"))
  const data = mkdtempSync(path.join(directory, "embedded-"))
  await measureStarts("embedded", () =>
    portico("Start", undefined, { APP_ENV: "local", DATABASE_URL: undefined, DATA_DIR: data })
  )
}

function isTwin({ name }: Server): boolean {
  return name.startsWith("Twin")
}

async function uploaded({ url }: Server, { body, headers, method, path }: Asked, bearer: string): Promise<string> {
  const all = { ...headers, authorization: `Bearer ${bearer}`, orgid: org }
  const answer = await fetch(url + path, { method: method!, headers: all, body: body! })
  const said = (await answer.json()) as ReadonlyArray<{ readonly path: string }> | { readonly path: string }
  if (!answer.ok) throw new Error(JSON.stringify(said))
  return encodeURIComponent("path" in said ? said.path : said[0]!.path)
}

/** Resident memory after each tenth of the requests. */
async function watchMemory(server: Server, bearers: ReadonlyArray<string>) {
  const most = Number(env["BENCH_REQUESTS"] ?? 100_000)
  const script = path.join(directory, "memory.lua")
  writeFileSync(script, luaOf({ path: "/client-data/profile" }, bearers))
  const seen: Array<string> = []
  for (let requests = 0, next = most / 10; requests < most;) {
    const { perSecond } = await roundOf(server, script, 2, 32)
    requests += perSecond * 2
    if (requests < next) continue
    next += most / 10
    const status = readFileSync(`/proc/${server.process.pid}/status`, "utf8")
    seen.push(`${Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024)}`)
  }
  console.log(`\nResident memory in MB after each tenth of ${most} more requests: ${seen.join(" ")}`)
}

/** The first start migrates, or makes the cluster; those after it are warm. */
async function measureStarts(where: string, starting: () => Promise<Server>) {
  const times: Array<number> = []
  for (let i = 0; i < 4; i++) {
    const begun = performance.now()
    const server = await starting()
    times.push(Math.round(performance.now() - begun))
    const ended = new Promise((resolve) => server.process.once("exit", resolve))
    server.process.kill("SIGTERM")
    await ended
  }
  const [first, ...warm] = times
  console.log(`Start to first answer ${where}: first ${first} ms, warm ${warm.toSorted((a, b) => a - b).join(", ")} ms`)
}

async function measure(
  reference: Server,
  title: string,
  askedOf: (server: Server) => Asked,
  bearers: ReadonlyArray<string>,
  connections = 32
) {
  if (only !== undefined && !title.includes(only)) return
  const script = path.join(directory, "wrk.lua")
  const run = (server: Server, duration: number) => {
    writeFileSync(script, luaOf(askedOf(server), bearers))
    return roundOf(server, script, duration, connections)
  }
  for (const server of servers) await run(server, isWarm ? 3 : 10)
  isWarm = true
  const results = new Map(servers.map((server) => [server, Array<Round>()]))
  for (let i = 0; i < rounds; i++) {
    // Backwards every other time: what drifts favours nobody.
    for (const server of i % 2 === 0 ? servers : servers.toReversed()) {
      results.get(server)!.push(await run(server, seconds))
    }
  }

  const median = (server: Server, of: (round: Round) => number) => {
    const sorted = results
      .get(server)!
      .map(of)
      .sort((a, b) => a - b)
    return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
  }
  const total = (server: Server) => median(server, ({ node, postgres }) => node + postgres)
  console.log(`\n${title}`)
  console.table(
    Object.fromEntries(
      servers.map((server) => [
        server.name,
        {
          "req/s": Math.round(median(server, ({ perSecond }) => perSecond)),
          "× twin": hundredths(
            median(server, ({ perSecond }) => perSecond) / median(reference, ({ perSecond }) => perSecond)
          ),
          "p50 ms": hundredths(median(server, ({ p50 }) => p50)),
          "p99 ms": hundredths(median(server, ({ p99 }) => p99)),
          "node µs": Math.round(median(server, ({ node }) => node)),
          "postgres µs": Math.round(median(server, ({ postgres }) => postgres)),
          "CPU ÷ twin": hundredths(total(server) / total(reference)),
          failed: results.get(server)!.reduce((sum, { failed }) => sum + failed, 0)
        }
      ])
    )
  )
}

/** All servers have to say the same, or they are not doing the same work; a cursor and a clock are each one's own. */
async function sameAnswers(target: string, bearer: string) {
  const answers = await Promise.all(
    servers.map(async ({ name, url }) => {
      const answer = await fetch(url + target, { headers: { authorization: `Bearer ${bearer}`, orgid: org } })
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
      const body = (await answer.json()) as object
      if ("asOf" in body) return { ...body, asOf: typeof body.asOf }
      return "nextCursor" in body ? { ...body, nextCursor: typeof body.nextCursor } : body
    })
  )
  for (const answer of answers) assert.deepEqual(answer, answers[0])
}

async function roundOf(server: Server, script: string, duration: number, connections: number): Promise<Round> {
  // Only one server is busy at a time, so all that the backends do is done for it.
  const before = await cpuTimes(server)
  const said = await wrk("-t1", `-c${connections}`, `-d${duration}s`, "-s", script, server.url)
  const after = await cpuTimes(server)
  truncateSync(server.log)
  const result = JSON.parse(said.slice(said.indexOf("{"))) as Record<
    "requests" | "duration" | "failed" | "p50" | "p99",
    number
  >
  const spent = (pids: ReadonlyArray<number>) =>
    pids.reduce((sum, pid) => sum + after.get(pid)! - (before.get(pid) ?? 0), 0) / result.requests
  const node = server.process.pid!
  return {
    perSecond: (result.requests / result.duration) * 1e6,
    p50: result.p50 / 1000,
    p99: result.p99 / 1000,
    failed: result.failed,
    node: spent([node]),
    postgres: spent([...after.keys()].filter((pid) => pid !== node))
  }
}

function wrk(...args: ReadonlyArray<string>): Promise<string> {
  const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "inherit"], signal: stopping.signal })
  let said = ""
  child.stdout.setEncoding("utf8").on("data", (chunk) => (said += chunk))
  return new Promise((resolve, reject) => child.on("close", () => resolve(said)).on("error", reject))
}

/** User and system time so far, in microseconds, of a server and of all backends; NaN on other systems than Linux. */
async function cpuTimes(server: Server): Promise<Map<number, number>> {
  const backends = await sql`SELECT pid FROM pg_stat_activity WHERE datname = ${database} AND pid <> pg_backend_pid()`
  return new Map([server.process.pid!, ...backends.map(({ pid }) => pid)].map((pid) => [pid, cpuTimeOf(pid)]))
}

function cpuTimeOf(pid: number): number {
  try {
    // The name before it, in brackets, may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")
    return (Number(fields[11]) + Number(fields[12])) * (1e6 / ticksPerSecond)
  } catch {
    return NaN
  }
}

function hundredths(n: number): number {
  return Math.round(n * 100) / 100
}

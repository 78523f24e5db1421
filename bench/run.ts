// `npm run bench`: Portico beside a plain Fastify twin (`twin.ts`) on the same Node.js, machine and database, which it
// makes and drops again. Rounds of the servers take turns, so that what else the machine does meets all of them alike;
// the CPU time of a request is steadier than requests a second.
//
// BENCH_DATABASE_URL  a Postgres server whose user may create databases (postgres://postgres@127.0.0.1:5432/postgres)
// BENCH_SECONDS, BENCH_ROUNDS  length and number of rounds (5, 3)
// BENCH_ONLY          a word: only what has it in its title is measured, without memory and starts
// BENCH_CUSTOMERS     how many there are (2000)
// BENCH_REQUESTS      how many requests the memory is watched over (100000)
// BENCH_TREES         other checkouts of Portico to measure in the same run, as before=/tmp/portico,other=../other
import { SignJWT } from "jose"
import assert from "node:assert/strict"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { availableParallelism, tmpdir } from "node:os"
import path from "node:path"
import postgres from "postgres"
import { type Asked, file, form, luaOf } from "./lua.ts"

const { env } = process
const adminUrl = env["BENCH_DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres"
const seconds = Number(env["BENCH_SECONDS"] ?? 5)
const rounds = Number(env["BENCH_ROUNDS"] ?? 3)
const only = env["BENCH_ONLY"]
// All of them: Node.js compiles for some seconds what has just begun to run.
let isWarm = false

const customers = Number(env["BENCH_CUSTOMERS"] ?? 2_000)
const org = "bench"
const apiKey = "a-key-for-nothing-but-the-bench"
const secret = "a secret for nothing but the bench, of 32 bytes or more"
const tokens = { iss: "https://bench.invalid", aud: "portico" }
// Of /proc; Linux has had no other value on any machine that runs Node.js.
const ticksPerSecond = 100

type Server = { readonly name: string; readonly url: string; readonly process: ChildProcess; readonly log: string }

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
const admin = postgres(adminUrl, { max: 1, connect_timeout: 5, onnotice: () => {} })
await admin`SELECT 1`.catch((error) => skip(`no Postgres at ${new URL(adminUrl).host}: ${error.code ?? error.message}`))

const here = path.resolve(import.meta.dirname, "..")
const directory = mkdtempSync(path.join(tmpdir(), "portico-bench-"))
const database = `portico_bench_${process.pid}`
const databaseUrl = Object.assign(new URL(adminUrl), { pathname: `/${database}` }).href
const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
const servers: Array<Server> = []
const stopping = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopping.abort())

try {
  await admin`CREATE DATABASE ${admin(database)}`
  await bench()
} catch (error) {
  if (!stopping.signal.aborted) {
    for (const { log, name } of servers) console.error(`--- ${name}\n${readFileSync(log, "utf8").slice(-2_000)}`)
    throw error
  }
} finally {
  for (const server of servers) server.process.kill("SIGKILL")
  await sql.end({ timeout: 0 })
  await admin`DROP DATABASE IF EXISTS ${admin(database)} WITH (FORCE)`
  await admin.end()
  rmSync(directory, { recursive: true, force: true })
}

async function bench() {
  // What providers there are is not this file's business: all that can be turned off is.
  const providers = readFileSync(path.join(here, ".env.example"), "utf8").matchAll(/^# ([A-Z_]+)=off$/gm)
  const off = Object.fromEntries(Array.from(providers, ([, provider]) => [provider, "off"]))
  const portico = (name: string, tree: string, more: Record<string, string | undefined> = {}) =>
    start(name, path.resolve(here, tree, "src/main.ts"), {
      ...off,
      APP_ENV: "production",
      CODES_SECRET: secret,
      STORAGE: "disk",
      FILES_URL_SECRET: secret,
      PUBLIC_URL: "https://bench.invalid",
      HOST: "127.0.0.1",
      RATE_LIMIT: "1000000",
      PLATFORM_API_KEYS: `${org}:${apiKey}`,
      ...more
    })
  const twin = (name: string, does: { readonly rowSecurity?: boolean; readonly tokenCache?: boolean }) =>
    start(name, path.join(here, "bench/twin.ts"), {
      ROW_SECURITY: String(does.rowSecurity === true),
      TOKEN_CACHE: String(does.tokenCache === true)
    })

  const ours = await portico("Portico", here)
  for (const pair of env["BENCH_TREES"]?.split(",") ?? []) {
    const [name, tree] = pair.split("=")
    await portico(name!, tree!)
  }
  const plain = await twin("Twin", { rowSecurity: true })
  await twin("Twin without row security", {})
  await twin("Twin without, token cache", { tokenCache: true })

  const ids = Array.from({ length: customers }, (_, i) => `customer-${i}`)
  await fill(ours, ids)
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
  await measureStarts("on this database", () => portico("Start", here))
  const data = mkdtempSync(path.join(directory, "embedded-"))
  await measureStarts("embedded", () =>
    portico("Start", here, { APP_ENV: "local", DATABASE_URL: undefined, DATA_DIR: data })
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

async function start(name: string, script: string, variables: Record<string, string | undefined>): Promise<Server> {
  const port = await freePort()
  const log = path.join(directory, `${port}.log`)
  const out = openSync(log, "a")
  const child = spawn(process.execPath, [path.join(here, "run.mjs"), script], {
    cwd: directory,
    stdio: ["ignore", out, out],
    env: {
      PATH: env["PATH"],
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      DATA_DIR: directory,
      AUTH_JWT_SECRET: secret,
      AUTH_ISSUER: tokens.iss,
      AUTH_AUDIENCE: tokens.aud,
      ...variables
    }
  })
  const server = { name, url: `http://127.0.0.1:${port}`, process: child, log }
  servers.push(server)
  const deadline = Date.now() + 30_000
  while (!(await fetch(server.url, { redirect: "manual" }).then(Boolean, () => false))) {
    stopping.signal.throwIfAborted()
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${name} did not start`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return server
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

/** Through the platform's API, so that the bench knows no tables: 500 orders for the first customer, two for each other. */
async function fill({ url }: Server, ids: ReadonlyArray<string>) {
  const put = async (resource: string, body: unknown) => {
    const headers = { "x-api-key": apiKey, orgid: org, "content-type": "application/json" }
    const answer = await fetch(`${url}/platform/${resource}`, { method: "PUT", headers, body: JSON.stringify(body) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`PUT ${resource}: ${answer.status} ${text}`)
  }
  const each = async <A>(items: ReadonlyArray<A>, run: (item: A, index: number) => Promise<void>) => {
    const left = items.entries()
    const worker = async () => {
      for (const [index, item] of left) {
        stopping.signal.throwIfAborted()
        await run(item, index)
      }
    }
    await Promise.all(Array.from({ length: 16 }, worker))
  }
  await each(ids, (id, i) => put(`customers/${id}`, customerOf(id, i)))
  const [first, ...others] = ids
  await each([...Array<string>(500).fill(first!), ...others, ...others], (id, i) =>
    put(`orders/order-${i}`, orderOf(id, i))
  )
  await sql`VACUUM ANALYZE`
}

function customerOf(id: string, i: number) {
  return {
    email: `${id}@example.com`,
    emailVerified: true,
    name: `Customer ${i}`,
    phone: "+14155552671",
    language: "en-US",
    timezone: "America/New_York",
    about: "Orders stationery, mostly; prefers parcels to be left at the door."
  }
}

function orderOf(customerId: string, i: number) {
  const usd = (amount: number) => ({ amount, currency: "USD" })
  const address = {
    name: "A Customer",
    street1: "2111 Wilson Boulevard",
    city: "Arlington",
    zip: "22201",
    country: "US"
  }
  return {
    customerId,
    number: String(1000 + i),
    status: "shipped",
    shipping: usd(500),
    tax: usd(320),
    total: usd(4820),
    items: [
      { productId: "graph-paper", sku: "GP-A4", name: "Graph paper, 100 sheets", quantity: 3, unitPrice: usd(1000) },
      { productId: "pencils", sku: "P-2B", name: "Pencils, box of 12", quantity: 1, unitPrice: usd(1000) }
    ],
    shippingAddress: address,
    billingAddress: address,
    shipments: [{ carrier: "UPS", trackingNumber: "1Z999AA10123456784", shippedAt: "2026-11-20T09:30:00.000Z" }],
    placedAt: new Date(Date.UTC(2026, 0, 1) + i * 3_600_000).toISOString()
  }
}

function tokenOf(sub: string): Promise<string> {
  return new SignJWT({ ...tokens, sub, org, type: "customer" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt()
    .setExpirationTime("2 hours")
    .sign(Buffer.from(secret))
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
  for (const server of servers) await run(server, isWarm ? Math.min(3, seconds) : 10)
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

function skip(why: string): never {
  console.error(`Skipped: ${why}`)
  process.exit(0)
}

// What a bench measures: servers as processes on a database of their own, which is made for them and dropped again.
//
// BENCH_DATABASE_URL  a Postgres server whose user may create databases (postgres://postgres@127.0.0.1:5432/postgres)
// BENCH_CUSTOMERS     how many there are (2000)
// BENCH_TREES         other checkouts of Portico to measure in the same run, as before=/tmp/portico,other=../other
import { SignJWT } from "jose"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"
import postgres from "postgres"

const { env } = process
const adminUrl = env["BENCH_DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres"
const apiKey = "a-key-for-nothing-but-the-bench"
const secret = "a secret for nothing but the bench, of 32 bytes or more"
const tokens = { iss: "https://bench.invalid", aud: "portico" }

export const customers = Number(env["BENCH_CUSTOMERS"] ?? 2_000)
export const ids = Array.from({ length: customers }, (_, i) => `customer-${i}`)
export const org = "bench"

export type Server = {
  readonly name: string
  readonly url: string
  readonly process: ChildProcess
  readonly log: string
}

export const admin = postgres(adminUrl, { max: 1, connect_timeout: 5, onnotice: () => {} })
await admin`SELECT 1`.catch((error) => skip(`no Postgres at ${new URL(adminUrl).host}: ${error.code ?? error.message}`))

const here = path.resolve(import.meta.dirname, "..")
export const directory = mkdtempSync(path.join(tmpdir(), "portico-bench-"))
process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
export const database = `portico_bench_${process.pid}`
const databaseUrl = Object.assign(new URL(adminUrl), { pathname: `/${database}` }).href
export const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
export const servers: Array<Server> = []
export const stopping = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopping.abort())

export async function withDatabase(bench: () => Promise<void>) {
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
  }
}

/** One of this checkout, and of each other that is to be measured. */
export async function porticos(more?: Record<string, string>): Promise<readonly [Server, ...Array<Server>]> {
  const ours = await portico("Portico", here, more)
  const others: Array<Server> = []
  for (const pair of env["BENCH_TREES"]?.split(",") ?? []) {
    const [name, tree] = pair.split("=")
    others.push(await portico(name!, tree!, more))
  }
  return [ours, ...others]
}

/** A server of this checkout, or of another. */
export function portico(name: string, tree = here, more: Record<string, string | undefined> = {}): Promise<Server> {
  // What providers there are is not this file's business: all that can be turned off is.
  const providers = readFileSync(path.join(here, ".env.example"), "utf8").matchAll(/^# ([A-Z_]+)=off$/gm)
  const off = Object.fromEntries(Array.from(providers, ([, provider]) => [provider, "off"]))
  return start(name, path.resolve(here, tree, "src/main.ts"), {
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
}

export function twin(name: string, does: { readonly rowSecurity?: boolean; readonly tokenCache?: boolean }) {
  return start(name, path.join(here, "bench/twin.ts"), {
    ROW_SECURITY: String(does.rowSecurity === true),
    TOKEN_CACHE: String(does.tokenCache === true)
  })
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
export async function fill({ url }: Server) {
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

export function tokenOf(sub: string): Promise<string> {
  return new SignJWT({ ...tokens, sub, org, type: "customer" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt()
    .setExpirationTime("2 hours")
    .sign(Buffer.from(secret))
}

export function skip(why: string): never {
  console.error(`Skipped: ${why}`)
  process.exit(0)
}

import assert from "node:assert/strict"
import { connect } from "node:net"
import { Agent, type IncomingHttpHeaders, request } from "node:http"
import type { Customer } from "./People.ts"
import { freePort, type Running, source } from "./Process.ts"
import { tokenWith } from "./World.ts"

const key = "a secret of the tests of faults, longer than 32 bytes"

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: any
  /** From asking to the last byte. */
  readonly ms: number
}

export interface Asked {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent | false
}

/** Headers of a customer whose token these servers take. */
export const headersOf = (customer: Customer) => ({
  orgid: customer.orgId as string,
  authorization: `Bearer ${tokenWith(customer, { key })}`
})

/** Sends one request; rejects when no complete answer comes back. */
export const ask = (
  port: number,
  who: Readonly<Record<string, string>>,
  method: string,
  path: string,
  { agent = false, body, headers }: Asked = {}
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const started = performance.now()
    const bytes = body === undefined ? undefined : body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        agent,
        method,
        path,
        headers: {
          ...(bytes !== undefined && { "content-type": "application/json", "content-length": bytes.length }),
          ...who,
          ...headers
        }
      },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk) => chunks.push(chunk))
        response.on("error", reject)
        response.on("aborted", () => reject(new Error("cut off")))
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8")
          const json =
            /json\b/.test(response.headers["content-type"] ?? "") && text !== "" ? JSON.parse(text) : undefined
          const ms = performance.now() - started
          resolve({ status: response.statusCode!, headers: response.headers, text, json, ms })
        })
      }
    )
    sent.on("error", reject)
    sent.end(bytes)
  })

/** A server in a process of its own, on a database that others may use as well. */
export const startServer = async (databaseUrl: string, dataDir: string, env: Readonly<Record<string, string>> = {}) => {
  const port = await freePort()
  const running: Running = source("src/main.ts", [], {
    PORT: String(port),
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    AUTH_JWT_SECRET: key,
    LOG_LEVEL: "None",
    RATE_LIMIT: "1000000",
    ...env
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1_000 })
  await running.says(/A token for ada/)
  return {
    port,
    running,
    /** Over connections that are kept. */
    ask: (who: Readonly<Record<string, string>>, method: string, path: string, more: Asked = {}) =>
      ask(port, who, method, path, { agent, ...more }),
    health: (path: string) => ask(port, {}, "GET", path),
    stop: async (signal: NodeJS.Signals = "SIGKILL") => {
      running.child.kill(signal)
      const { code } = await running.ended
      agent.destroy()
      return code
    }
  }
}

export type ServerProcess = Awaited<ReturnType<typeof startServer>>

/** Runs `work` again and again in `lanes`, until it is told to stop. */
export const loops = (lanes: number, work: (lane: number, round: number) => Promise<unknown>) => {
  const until = { stopped: false }
  const all = Array.from({ length: lanes }, async (_, lane) => {
    for (let round = 0; !until.stopped; round++) await work(lane, round)
  })
  return {
    stop: async () => {
      until.stopped = true
      await Promise.all(all)
    }
  }
}

/** An address whose name says which write it was. */
export const address = (name?: string) => ({
  name,
  street1: "1 High Street",
  city: "London",
  zip: "SW1Y 4JH",
  country: "GB"
})

/** The names of all addresses of a customer's, as a server lists them. */
export const addressNames = async ({ ask }: ServerProcess, who: Readonly<Record<string, string>>) => {
  const names: Array<string> = []
  for (let cursor: string | undefined = ""; cursor !== undefined;) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`
    const { json, status, text }: Reply = await ask(who, "GET", `/client-data/addresses?ps=100${more}`)
    assert.equal(status, 200, text)
    for (const { name } of json.data) names.push(name)
    cursor = json.nextCursor ?? undefined
  }
  return names
}

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** Sends a request, or only the beginning of it, and cuts the connection soon. */
export const hangUp = (port: number, who: Readonly<Record<string, string>>, name?: string) =>
  new Promise<void>((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" })
    const body = JSON.stringify(address(name))
    const head = [
      name === undefined ? "GET /client-data/profile HTTP/1.1" : "POST /client-data/addresses HTTP/1.1",
      "host: test",
      ...Object.entries(who).map(([header, value]) => `${header}: ${value}`),
      ...(name === undefined ? [] : ["content-type: application/json", `content-length: ${Buffer.byteLength(body)}`])
    ].join("\r\n")
    const text = `${head}\r\n\r\n${name === undefined ? "" : body}`
    socket.on("error", () => {})
    socket.on("close", () => resolve())
    socket.on("connect", () => {
      socket.write(Math.random() < 0.7 ? text : text.slice(0, Math.floor(text.length * Math.random())))
      setTimeout(() => socket.resetAndDestroy(), Math.random() * 40)
    })
  })

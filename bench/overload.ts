// What becomes of a server that is asked for twice what it can do. Requests come at times of their own (Poisson), not
// when the last one is answered, over many kept connections; a wait counts from when a request was due.
// Run: node run.mjs bench/overload.ts
//
// BENCH_SECONDS  how long each part takes (10)
// BENCH_ONLY     a word: only the mix of requests that has it in its title
// BENCH_LOADS    how many are asked for, in multiples of what is answered with 64 at once (0.8,1.2,2)
import { connect, type Socket } from "node:net"
import { fill, ids, org, porticos, type Server, stopping, tokenOf, withDatabase } from "./servers.ts"

const seconds = Number(process.env["BENCH_SECONDS"] ?? 10)
const loads = process.env["BENCH_LOADS"]?.split(",").map(Number) ?? [0.8, 1.2, 2]

type Outcome = { readonly status: number; readonly ms: number; readonly at: number }

/** Of how many in a hundred a portal's requests are which. */
const mixes = {
  "profile alone": [[100, "GET /client-data/profile"]],
  "a portal": [
    [40, "GET /client-data/profile"],
    [25, "GET /client-data/dashboard"],
    [25, "GET /client-data/orders?ps=20&from=2020-01-01T00:00:00.{n}Z"],
    [10, "PUT /client-data/profile"]
  ]
} as const

await withDatabase(async () => {
  const servers = await porticos({ RATE_LIMIT: "600" })
  await fill(servers[0])
  const bearers = await Promise.all(ids.map(tokenOf))
  for (const [title, mix] of Object.entries(mixes)) {
    if (!title.includes(process.env["BENCH_ONLY"] ?? "")) continue
    const rows: Record<string, object> = {}
    for (const server of servers) {
      const clients = await open(server, requestsOf(mix, bearers.slice(1)))
      await clients.closedLoop(64, 8)
      let before = good(await clients.closedLoop(64, seconds))
      // What the machine can do differs from one moment to the next: each part is compared with those around it.
      const part = async (name: string, run: () => Promise<ReadonlyArray<Outcome>>) => {
        const outcomes = await run()
        const after = await clients.openLoop(before / 2, seconds)
        const refused = after.filter(({ status }) => status !== 200)
        const again = good(await clients.closedLoop(64, seconds))
        rows[`${server.name}, ${name}`] = {
          C: Math.round((before + again) / 2),
          ...figures(outcomes, (before + again) / 2),
          "s until none is refused": Math.round(Math.max(0, ...refused.map(({ at }) => at)) * 100) / 100
        }
        before = again
      }
      for (const load of loads) await part(`${load} C`, () => clients.openLoop(before * load, seconds))
      await part("1,600 at once", () => clients.closedLoop(1_600, seconds))
      await part("half of C", () => clients.openLoop(before / 2, seconds))
      await part("half of C, beside one customer with 256 at once", async () => {
        const loud = await open(server, requestsOf(mix, bearers.slice(0, 1)), 256)
        const [others] = await Promise.all([clients.openLoop(before / 2, seconds), loud.closedLoop(256, seconds)])
        loud.close()
        return others
      })
      clients.close()
    }
    console.table(rows)
  }
})

function good(all: ReadonlyArray<Outcome>): number {
  return all.filter(({ status }) => status === 200).length / seconds
}

function figures(all: ReadonlyArray<Outcome>, capacity: number) {
  const of = (is: (status: number) => boolean) => all.filter(({ status }) => is(status)).map(({ ms }) => ms)
  const at = (sorted: ReadonlyArray<number>, share: number) =>
    Math.round((sorted[Math.floor(sorted.length * share)] ?? NaN) * 10) / 10
  const answered = of((status) => status === 200).toSorted((a, b) => a - b)
  const refused = of((status) => status === 503).toSorted((a, b) => a - b)
  return {
    "good ÷ C": Math.round((answered.length / seconds / capacity) * 100) / 100,
    "p50 ms": at(answered, 0.5),
    "p99 ms": at(answered, 0.99),
    "503 ÷ C": Math.round((refused.length / seconds / capacity) * 100) / 100,
    "their p50": at(refused, 0.5),
    "their p99": at(refused, 0.99),
    other: all.length - answered.length - refused.length
  }
}

function requestsOf(mix: ReadonlyArray<readonly [number, string]>, bearers: ReadonlyArray<string>): () => string {
  const targets = mix.flatMap(([share, target]) => Array<string>(share).fill(target))
  const body = JSON.stringify({ about: "Prefers parcels to be left with the neighbours." })
  let n = 0
  return () => {
    const bearer = bearers[Math.floor(Math.random() * bearers.length)]!
    const target = targets[Math.floor(Math.random() * targets.length)]!.replace("{n}", String(++n).padStart(9, "0"))
    const head = `${target} HTTP/1.1\r\nhost: bench\r\norgid: ${org}\r\nauthorization: Bearer ${bearer}\r\n`
    if (target.startsWith("GET")) return `${head}\r\n`
    return `${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }
}

/** Connections that each carry one request at a time. */
async function open({ url }: Server, next: () => string, connections = 2_000) {
  const { hostname, port } = new URL(url)
  const idle: Array<Connection> = []
  const all = await Promise.all(
    Array.from({ length: connections }, () => {
      const { promise, reject, resolve } = Promise.withResolvers<Socket>()
      const socket = connect(Number(port), hostname, () => resolve(socket)).on("error", reject)
      return promise
    })
  )
  for (const socket of all) idle.push(connectionOn(socket))

  const send = (due: number, since: number, into: Array<Outcome>, then: () => void) => {
    // Whose turn it is: none idles for so long that the server ends it.
    const connection = idle.shift()
    if (connection === undefined) {
      into.push({ status: 0, ms: NaN, at: (due - since) / 1_000 })
      return
    }
    connection(next(), (status) => {
      into.push({ status, ms: performance.now() - due, at: (due - since) / 1_000 })
      idle.push(connection)
      then()
    })
  }
  const settled = async () => {
    for (let i = 0; i < 100 && idle.length < connections; i++) await turn(50)
  }
  return {
    close: () => all.forEach((socket) => socket.destroy()),
    closedLoop: async (many: number, duration: number) => {
      const outcomes: Array<Outcome> = []
      const since = performance.now()
      const again = () => {
        const now = performance.now()
        if (now - since < duration * 1_000) send(now, since, outcomes, again)
      }
      for (let i = 0; i < many; i++) again()
      await turn(duration * 1_000)
      const answered = [...outcomes]
      await settled()
      return answered
    },
    openLoop: async (perSecond: number, duration: number) => {
      const outcomes: Array<Outcome> = []
      const since = performance.now()
      let due = since
      while (due - since < duration * 1_000) {
        stopping.signal.throwIfAborted()
        for (const now = performance.now(); due <= now; due += (-Math.log(1 - Math.random()) / perSecond) * 1_000) {
          send(due, since, outcomes, () => {})
        }
        await turn(1)
      }
      await settled()
      return outcomes
    }
  }
}

type Connection = (request: string, answered: (status: number) => void) => void

function connectionOn(socket: Socket): Connection {
  let answered: ((status: number) => void) | undefined
  let status = 0
  let missing = 0
  socket.setNoDelay(true)
  socket.on("data", (chunk) => {
    if (status === 0) {
      status = (chunk[9]! - 48) * 100 + (chunk[10]! - 48) * 10 + chunk[11]! - 48
      const head = chunk.toString("latin1", 0, chunk.indexOf("\r\n\r\n") + 4)
      missing = head.length + parseInt(head.slice(head.search(/content-length/i) + 15), 10)
    }
    missing -= chunk.length
    if (missing > 0) return
    const [done, said] = [answered!, status]
    status = 0
    done(said)
  })
  return (request, then) => {
    answered = then
    socket.write(request)
  }
}

function turn(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

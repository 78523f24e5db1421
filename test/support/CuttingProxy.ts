import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net"

/** What is sent to Postgres up to a Sync, which is what Postgres answers as one. */
export interface Cycle {
  readonly role: string
  readonly statements: ReadonlyArray<string>
  /** Whether a transaction is open that an earlier cycle began. */
  readonly within: boolean
}

/** A moment in which a connection is lost: before Postgres hears of a cycle, or before the client hears what came of it. */
export interface Cut {
  readonly when: "before" | "after"
  readonly at: (cycle: Cycle) => boolean
  /** For how many milliseconds Postgres does not notice. */
  readonly unnoticed?: number
}

const type = { parse: 0x50, bind: 0x42, sync: 0x53, ready: 0x5a }

/** Calls `each` with the type and the body of each message, once it is whole. The first has no type if `isClient`. */
const messages = (isClient: boolean, each: (type: number, body: Buffer) => void) => {
  let kept: Buffer = Buffer.alloc(0)
  let head = isClient ? 0 : 1
  return (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk])
    while (kept.length >= head + 4) {
      const end = head + kept.readInt32BE(head)
      if (kept.length < end) return
      each(head === 0 ? 0 : kept[0]!, kept.subarray(head + 4, end))
      kept = kept.subarray(end)
      head = 1
    }
  }
}

const textAt = (body: Buffer, at: number) => body.toString("utf8", at, body.indexOf(0, at))

/** A plain way to a Postgres server, on which one connection can be lost at a chosen moment. */
export const cuttingProxy = async (to: NetConnectOpts) => {
  let cut: Cut | undefined
  let cuts = 0

  const pass = (client: Socket) => {
    const server = connect(to)
    const end = () => {
      client.destroy()
      server.destroy()
    }
    const lose = () => {
      client.off("close", end).destroy()
      setTimeout(end, unnoticed)
    }
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", end).on("close", end)

    const prepared = new Map<string, string>()
    let role = ""
    let within = false
    let statements: Array<string> = []
    let asked = 0
    // Postgres is ready once before anything is asked.
    let answered = -1
    let unheard = Infinity
    let unnoticed = 0

    const hear = messages(true, (kind, body) => {
      if (kind === 0) role = textAt(body, body.indexOf("user\0") + 5)
      else if (kind === type.parse) prepared.set(textAt(body, 0), textAt(body, body.indexOf(0) + 1))
      else if (kind === type.bind) statements.push(prepared.get(textAt(body, body.indexOf(0) + 1)) ?? "")
      else if (kind === type.sync) {
        asked++
        if (cut?.at({ role, statements, within }) === true) {
          unheard = cut.when === "before" ? 0 : asked
          unnoticed = cut.unnoticed ?? 0
          cut = undefined
          cuts++
        }
        if (statements.some((statement) => /^(?:COMMIT|ROLLBACK)$/.test(statement))) within = false
        else if (statements.some((statement) => statement.startsWith("BEGIN"))) within = true
        statements = []
      }
    })
    client.on("data", (chunk: Buffer) => {
      hear(chunk)
      if (unheard === 0) lose()
      else server.write(chunk)
    })

    const listen = messages(false, (kind) => {
      if (kind === type.ready) answered++
    })
    server.on("data", (chunk: Buffer) => {
      listen(chunk)
      if (answered >= unheard) lose()
      else client.write(chunk)
    })
  }

  const listener = createServer(pass)
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  return {
    port: (listener.address() as AddressInfo).port,
    /** Cuts at the next cycle of this kind, once. */
    cut: (next: Cut | undefined) => {
      cut = next
    },
    cuts: () => cuts,
    close: () => listener.close()
  }
}

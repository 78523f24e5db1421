import { randomInt } from "node:crypto"
import { Duplex } from "node:stream"

const protocol3 = 196608
const cancelRequest = 80877102
const sslRequest = 80877103

/** LISTEN or UNLISTEN; without a channel, all of them. */
export type Listen = { readonly on: boolean; readonly channel: string | undefined }

/** What a client leaves to the wire it is connected to. */
export interface Hub {
  readonly enter: (client: Client) => void
  /** Takes all that the client wants done in one turn: messages up to and with a Sync, or a Query. */
  readonly take: (client: Client, messages: Buffer, listens: ReadonlyArray<Listen>) => void
  readonly cancel: (pid: number, secret: number) => void
  readonly leave: (client: Client) => void
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const message = (type: string, ...fields: ReadonlyArray<string | number | Buffer>): Buffer => {
  const body = Buffer.concat(
    fields.map((field) =>
      typeof field === "string" ? Buffer.from(`${field}\0`) : typeof field === "number" ? int32(field) : field
    )
  )
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

export const query = (sql: string): Buffer => message("Q", sql)
export const problem = (severity: string, code: string, text: string): Buffer =>
  message("E", `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, "")
export const cstring = (bytes: Buffer, at: number): string => bytes.toString("utf8", at, bytes.indexOf(0, at))

// PGlite would wait for the rows in a loop that nothing ends.
const copyFromStdin = /^\s*copy\s[^;]*\sfrom\s+stdin/i
const refusal = query("DO $$BEGIN RAISE 'COPY FROM STDIN is not supported here' USING ERRCODE = '0A000'; END$$")

const listen = /^\s*(un)?listen\s+(?:(\*)|"((?:[^"]|"")+)"|(\w+))/i

const listenOf = (sql: string): Listen | undefined => {
  const found = listen.exec(sql)
  if (found === null) return undefined
  const [, un, , quoted, plain] = found
  return { on: un === undefined, channel: quoted?.replaceAll('""', '"') ?? plain?.toLowerCase() }
}

/** One end of a connection, as Postgres would keep it: cuts the bytes that come in into turns. */
export class Client extends Duplex {
  readonly pid: number
  readonly secret = randomInt(2 ** 31)
  /** What it has prepared, by name. */
  readonly statements = new Map<string, Listen | undefined>()
  readonly channels = new Set<string>()
  user = ""
  gone = false
  readonly #hub: Hub
  #started = false
  #bytes: Buffer = Buffer.alloc(0)
  /** How many of the bytes are whole messages of the next turn. */
  #whole = 0
  #listens: Array<Listen> = []
  #refused = false

  constructor(hub: Hub, pid: number) {
    super({ allowHalfOpen: false })
    this.#hub = hub
    this.pid = pid
  }

  reply(bytes: Buffer) {
    if (!this.gone) this.push(bytes)
  }

  /** The last this client hears. */
  fail(code: string, text: string) {
    if (this.gone) return
    this.push(problem("FATAL", code, text))
    this.push(null)
    this.#leave()
  }

  override _read() {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void) {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    this.#receive()
    done()
  }

  override _final(done: () => void) {
    this.destroy()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void) {
    this.#leave()
    done(error)
  }

  #leave() {
    if (this.gone) return
    this.gone = true
    this.#hub.leave(this)
  }

  #receive() {
    while (!this.gone) {
      const head = this.#whole + (this.#started ? 1 : 0)
      if (this.#bytes.length < head + 4) return
      const length = this.#bytes.readInt32BE(head)
      if (length < (this.#started ? 4 : 8)) return this.fail("08P01", "invalid message length")
      const end = head + length
      if (this.#bytes.length < end) return
      const received = this.#bytes.subarray(this.#whole, end)
      if (this.#started) {
        this.#whole = end
        this.#take(received)
      } else {
        this.#bytes = this.#bytes.subarray(end)
        this.#start(received)
      }
    }
  }

  #start(packet: Buffer) {
    switch (packet.readInt32BE(4)) {
      case sslRequest:
        return this.reply(Buffer.from("N"))
      case cancelRequest:
        if (packet.length === 16) this.#hub.cancel(packet.readInt32BE(8), packet.readInt32BE(12))
        return void this.destroy()
      case protocol3: {
        const fields = packet.toString("utf8", 8).split("\0")
        for (let at = 0; at + 1 < fields.length; at += 2) if (fields[at] === "user") this.user = fields[at + 1]!
        this.#started = true
        return this.#hub.enter(this)
      }
      default:
        return this.fail("08P01", "unsupported frontend protocol")
    }
  }

  #take(received: Buffer) {
    const after = (at: number) => received.indexOf(0, at) + 1
    switch (String.fromCharCode(received[0]!)) {
      case "P":
        this.statements.set(cstring(received, 5), this.#read(received, after(5)))
        break
      case "B":
        this.#heed(this.statements.get(cstring(received, after(5))))
        break
      case "C":
        if (received[5] === 0x53) this.statements.delete(cstring(received, 6))
        break
      case "Q":
        this.#heed(this.#read(received, 5))
        return this.#turn()
      case "S":
        return this.#turn()
      case "X":
        return void this.destroy()
    }
  }

  #read(received: Buffer, at: number): Listen | undefined {
    // Enough of a statement to know it by.
    const sql = received.toString("utf8", at, Math.min(at + 200, received.length - 1))
    if (copyFromStdin.test(sql)) this.#refused = true
    return listenOf(sql)
  }

  #heed(found: Listen | undefined) {
    if (found !== undefined) this.#listens.push(found)
  }

  #turn() {
    this.#hub.take(this, this.#refused ? refusal : this.#bytes.subarray(0, this.#whole), this.#listens)
    this.#bytes = this.#bytes.subarray(this.#whole)
    this.#whole = 0
    this.#listens = []
    this.#refused = false
  }
}

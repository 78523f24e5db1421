import { randomInt } from "node:crypto"
import { Duplex } from "node:stream"

const protocol3 = 196608
const cancelRequest = 80877102
const sslRequest = 80877103
const notification = 0x41
const commandComplete = 0x43
const ready = 0x5a
const idle = 0x49

/** For how long turns may go on before the event loop gets to serve others. */
const sliceMillis = 10

/** Runs messages that end in a Sync (or a Query) and returns all that Postgres answers. */
export type Backend = (messages: Uint8Array) => Buffer

/** `undefined` stands for every channel. */
type Listen = { readonly on: boolean; readonly channel: string | undefined }

type Turn = { readonly client: Client | undefined; readonly run: () => void }

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const message = (type: string, ...fields: ReadonlyArray<string | number | Buffer>): Buffer => {
  const body = Buffer.concat(
    fields.map((field) =>
      typeof field === "string" ? Buffer.from(`${field}\0`) : typeof field === "number" ? int32(field) : field
    )
  )
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

const cstring = (bytes: Buffer, at: number): string => bytes.toString("utf8", at, bytes.indexOf(0, at))
const query = (sql: string): Buffer => message("Q", sql)
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
const problem = (severity: string, code: string, text: string): Buffer =>
  message("E", `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, "")
const readyForQuery = message("Z", Buffer.from([idle]))

// PGlite would wait for the rows in a loop that nothing ends.
const copyFromStdin = /^\s*copy\s[^;]*\sfrom\s+stdin/i
const refusal = query("DO $$BEGIN RAISE 'COPY FROM STDIN is not supported here' USING ERRCODE = '0A000'; END$$")

const listen = /^\s*(un)?listen\s+(?:(\*)|"((?:[^"]|"")+)"|(\w+))/i

const listenOf = (sql: string): Listen | undefined => {
  const [, un, all, quoted, plain] = listen.exec(sql) ?? []
  const channel = quoted?.replaceAll('""', '"') ?? plain?.toLowerCase()
  return all === undefined && channel === undefined ? undefined : { on: un === undefined, channel }
}

/** One connection, as its client sees it: cuts the bytes that come in into turns. */
class Client extends Duplex {
  readonly pid: number
  readonly secret = randomInt(2 ** 31)
  readonly statements = new Map<string, Listen | undefined>()
  readonly channels = new Set<string>()
  user = ""
  gone = false
  readonly #wire: Wire
  #started = false
  #bytes: Buffer = Buffer.alloc(0)
  /** How many of the bytes are whole messages of the next turn. */
  #whole = 0
  #listens: Array<Listen> = []
  #refused = false

  constructor(wire: Wire, pid: number) {
    super({ allowHalfOpen: false })
    this.#wire = wire
    this.pid = pid
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
    this.leave()
    done(error)
  }

  leave() {
    if (this.gone) return
    this.gone = true
    this.#wire.leave(this)
  }

  reply(bytes: Buffer) {
    if (!this.gone) this.push(bytes)
  }

  /** The last this client hears. */
  fail(code: string, text: string) {
    this.reply(problem("FATAL", code, text))
    if (!this.gone) this.push(null)
    this.leave()
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
        this.#wire.cancel(packet.readInt32BE(8), packet.readInt32BE(12))
        return void this.destroy()
      case protocol3: {
        const fields = packet.toString("utf8", 8).split("\0")
        this.user = fields[fields.findIndex((name, at) => at % 2 === 0 && name === "user") + 1] ?? ""
        this.#started = true
        return this.#wire.enter(this)
      }
      default:
        return this.fail("08P01", "unsupported frontend protocol")
    }
  }

  #take(received: Buffer) {
    const after = (at: number) => received.indexOf(0, at) + 1
    switch (String.fromCharCode(received[0]!)) {
      case "P":
        this.statements.set(cstring(received, 5), listenOf(this.#sql(received, after(5))))
        break
      case "B": {
        const found = this.statements.get(cstring(received, after(5)))
        if (found !== undefined) this.#listens.push(found)
        break
      }
      case "C":
        if (received[5] === 0x53) this.statements.delete(cstring(received, 6))
        break
      case "Q": {
        const found = listenOf(this.#sql(received, 5))
        if (found !== undefined) this.#listens.push(found)
        return this.#turn()
      }
      case "S":
        return this.#turn()
      case "X":
        return void this.destroy()
    }
  }

  /** The beginning of a statement: enough to know it by. */
  #sql(received: Buffer, at: number): string {
    const sql = received.toString("utf8", at, Math.min(at + 200, received.length - 1))
    if (copyFromStdin.test(sql)) this.#refused = true
    return sql
  }

  #turn() {
    this.#wire.take(this, this.#refused ? refusal : this.#bytes.subarray(0, this.#whole), this.#listens)
    this.#bytes = this.#bytes.subarray(this.#whole)
    this.#whole = 0
    this.#listens = []
    this.#refused = false
  }
}

/**
 * Lets many clients, each speaking the Postgres protocol, share a Postgres that has a single session.
 *
 * What makes one session look like many:
 * - clients take turns, and a turn is all a client sends up to a Sync, so unnamed statements and portals never mix;
 * - while a client has a transaction open, nobody else gets a turn; left idle for too long, it is ended;
 * - every turn runs as the role its client logged in as;
 * - notifications go to the clients that listen to their channel;
 * - an open transaction, named statements and LISTENs end with their client.
 *
 * What the session keeps is still shared: SET without LOCAL, temporary tables, advisory locks, and the names of prepared
 * statements, which have to differ from client to client.
 */
export class Wire {
  readonly #idleInTransactionMillis: number
  readonly #clients = new Map<number, Client>()
  #backend: Backend
  #queue: Array<Turn> = []
  #awake = false
  #sliceEnd: number | undefined
  /** Whose transaction is open. */
  #owner: Client | undefined
  #ownerIdle: NodeJS.Timeout | undefined
  #role = "postgres"
  #relisten = false
  #lastPid = 0
  #closed: { readonly code: string; readonly text: string } | undefined

  constructor(backend: Backend, idleInTransactionMillis: number) {
    this.#backend = backend
    this.#idleInTransactionMillis = idleInTransactionMillis
  }

  connect(): Duplex {
    return new Client(this, ++this.#lastPid)
  }

  /** Runs a statement of our own as soon as no transaction is open. */
  maintain(sql: string) {
    this.#schedule(undefined, () => {
      if (this.#become("postgres")) this.#run(query(sql))
    })
  }

  close(code = "57P01", text = "terminating connection: the embedded database is closing") {
    this.#closed ??= { code, text }
    this.#queue = []
    for (const client of this.#clients.values()) client.fail(code, text)
  }

  enter(client: Client) {
    if (this.#closed !== undefined) return client.fail(this.#closed.code, this.#closed.text)
    this.#clients.set(client.pid, client)
    this.#schedule(client, () => {
      const found = this.#run(query(`SELECT FROM pg_roles WHERE rolname = ${literal(client.user)} AND rolcanlogin`))
      if (!found.includes("SELECT 1\0")) {
        return client.fail("28000", `role "${client.user}" does not exist or is not permitted to log in`)
      }
      client.reply(
        Buffer.concat([
          message("R", 0),
          message("S", "server_version", "18"),
          message("S", "client_encoding", "UTF8"),
          message("S", "DateStyle", "ISO, MDY"),
          message("S", "TimeZone", "UTC"),
          message("S", "integer_datetimes", "on"),
          message("S", "standard_conforming_strings", "on"),
          message("K", client.pid, client.secret),
          readyForQuery
        ])
      )
    })
  }

  take(client: Client, messages: Buffer, listens: ReadonlyArray<Listen>) {
    this.#schedule(client, () => {
      if (this.#owner === undefined && !this.#become(client.user)) {
        return client.fail("28000", `cannot act as role "${client.user}"`)
      }
      const reply = this.#run(messages)
      if (reply.at(-6) !== ready) {
        // Its state is unknown: nobody may go on with it.
        this.#backend = () => Buffer.alloc(0)
        return this.close("57P02", "the embedded database has crashed")
      }
      this.#own(reply.at(-1) === idle ? undefined : client)
      for (const { on, channel } of listens) {
        if (channel === undefined) client.channels.clear()
        else if (on) client.channels.add(channel)
        else client.channels.delete(channel)
        this.#relisten = true
      }
      this.#listen()
      client.reply(reply)
    })
  }

  /** Nothing stops a statement that runs, but one that still waits can be dropped. */
  cancel(pid: number, secret: number) {
    const client = this.#clients.get(pid)
    if (client === undefined || client.secret !== secret || client === this.#owner) return
    const at = this.#queue.findIndex((turn) => turn.client === client)
    if (at < 0) return
    this.#queue.splice(at, 1)
    client.reply(Buffer.concat([problem("ERROR", "57014", "canceling statement due to user request"), readyForQuery]))
  }

  leave(client: Client) {
    if (!this.#clients.delete(client.pid)) return
    this.#queue = this.#queue.filter((turn) => turn.client !== client)
    if (this.#owner === client) {
      this.#run(query("ROLLBACK"))
      this.#own(undefined)
    }
    const named = [...client.statements.keys()].filter((name) => name !== "")
    if (named.length > 0) this.#run(Buffer.concat([...named.map((name) => message("C", `S${name}`)), message("S")]))
    if (client.channels.size > 0) this.#relisten = true
    this.#listen()
    this.#wake()
  }

  #schedule(client: Client | undefined, run: () => void) {
    this.#queue.push({ client, run })
    this.#wake()
  }

  #wake() {
    if (this.#awake) return
    this.#awake = true
    queueMicrotask(this.#serve)
  }

  readonly #serve = () => {
    const now = performance.now()
    if (this.#sliceEnd === undefined) {
      this.#sliceEnd = now + sliceMillis
      setImmediate(() => (this.#sliceEnd = undefined))
    }
    if (now > this.#sliceEnd) return void setImmediate(this.#serve)
    const turn = this.#next()
    if (turn === undefined) {
      this.#awake = false
      return
    }
    turn.run()
    // No two replies in one microtask, as none come from a server: PgClient then forgets fibers that wait.
    queueMicrotask(this.#serve)
  }

  #next(): Turn | undefined {
    if (this.#owner === undefined) return this.#queue.shift()
    const at = this.#queue.findIndex((turn) => turn.client === this.#owner)
    return at < 0 ? undefined : this.#queue.splice(at, 1)[0]
  }

  #own(client: Client | undefined) {
    this.#owner = client
    clearTimeout(this.#ownerIdle)
    if (client === undefined) return
    this.#ownerIdle = setTimeout(() => {
      // Not idle, if it was the event loop that had no time for it.
      if (this.#queue.some((turn) => turn.client === client)) return
      client.fail("25P03", "terminating connection due to idle-in-transaction timeout")
    }, this.#idleInTransactionMillis).unref()
  }

  #become(role: string): boolean {
    if (role === this.#role) return true
    const done = this.#run(query(`SET SESSION AUTHORIZATION ${identifier(role)}`))[0] === commandComplete
    if (done) this.#role = role
    return done
  }

  /** Restores what a LISTEN, an UNLISTEN or a client that left has changed for the others. */
  #listen() {
    if (!this.#relisten || this.#owner !== undefined) return
    this.#relisten = false
    const channels = new Set([...this.#clients.values()].flatMap((client) => [...client.channels]))
    this.#run(query(["UNLISTEN *", ...[...channels].map((channel) => `LISTEN ${identifier(channel)}`)].join(";")))
  }

  /** Runs messages, sends the notifications among the answers to whoever listens, and returns the rest. */
  #run(messages: Buffer): Buffer {
    const reply = this.#backend(messages)
    const rest: Array<Buffer> = []
    let from = 0
    for (let at = 0; at + 5 <= reply.length;) {
      const end = at + 1 + reply.readInt32BE(at + 1)
      if (reply[at] === notification) {
        rest.push(reply.subarray(from, at))
        from = end
        this.#notify(reply.subarray(at, end))
      }
      at = end
    }
    return from === 0 ? reply : Buffer.concat([...rest, reply.subarray(from)])
  }

  #notify(received: Buffer) {
    const channel = cstring(received, 9)
    // Once the turn that sent it is over.
    queueMicrotask(() => {
      for (const client of this.#clients.values()) if (client.channels.has(channel)) client.reply(received)
    })
  }
}

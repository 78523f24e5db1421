import type { Duplex } from "node:stream"
import { Client, cstring, type Hub, type Listen, message, problem, query } from "./EmbeddedClient.ts"

const notification = 0x41
const commandComplete = 0x43
const ready = 0x5a
const idle = 0x49

/** For how long turns may go on before the event loop gets to serve others. */
const sliceMillis = 10

const readyForQuery = message("Z", Buffer.from([idle]))
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Runs messages that end in a Sync (or a Query) and returns all that Postgres answers. */
export type Backend = (messages: Buffer) => Buffer

interface Turn {
  readonly client: Client | undefined
  readonly run: () => void
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
export class EmbeddedWire implements Hub {
  readonly #clients = new Map<number, Client>()
  readonly #ownerIdle: NodeJS.Timeout
  #backend: Backend
  #queue: Array<Turn> = []
  #awake = false
  #sliceEnd: number | undefined
  /** Whose transaction is open. */
  #owner: Client | undefined
  #role = "postgres"
  #relisten = false
  #lastPid = 0
  #closed: { readonly code: string; readonly text: string } | undefined

  constructor(backend: Backend, idleInTransactionMillis: number) {
    this.#backend = backend
    this.#ownerIdle = setTimeout(() => this.#endIdle(), idleInTransactionMillis).unref()
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

  close(code = "57P01", text = "the embedded database is closing") {
    this.#closed ??= { code, text }
    this.#queue = []
    clearTimeout(this.#ownerIdle)
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
      const welcome = [
        message("R", 0),
        message("S", "server_version", "18"),
        message("S", "client_encoding", "UTF8"),
        message("S", "DateStyle", "ISO, MDY"),
        message("S", "TimeZone", "UTC"),
        message("S", "integer_datetimes", "on"),
        message("S", "standard_conforming_strings", "on"),
        message("K", client.pid, client.secret),
        readyForQuery
      ]
      client.reply(Buffer.concat(welcome))
    })
  }

  take(client: Client, messages: Buffer, listens: ReadonlyArray<Listen>) {
    this.#schedule(client, () => {
      if (this.#owner === undefined && !this.#become(client.user)) {
        return client.fail("28000", `cannot act as role "${client.user}"`)
      }
      const reply = this.#run(messages)
      if (reply.at(-6) !== ready) {
        // Its state is unknown, so nobody may go on with it.
        this.#backend = () => Buffer.alloc(0)
        return this.close("57P02", "the embedded database has crashed")
      }
      this.#own(reply.at(-1) === idle ? undefined : client)
      for (const { channel, on } of listens) {
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
    if (client !== undefined) this.#ownerIdle.refresh()
  }

  #endIdle() {
    // Not idle, if it is the event loop that had no time for it.
    if (this.#queue.some((turn) => turn.client === this.#owner)) return
    this.#owner?.fail("25P03", "terminating connection due to idle-in-transaction timeout")
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

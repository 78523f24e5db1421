import { randomBytes } from "node:crypto"
import type { Duplex } from "node:stream"
import { Silence } from "./PostgresSilence.ts"

const Type = {
  parse: 0x50,
  bind: 0x42,
  sync: 0x53,
  error: 0x45,
  ready: 0x5a,
  notice: 0x4e,
  notification: 0x41,
  parameterStatus: 0x53
} as const
const idle = 0x49
/** The reply to a cycle that is all ours, its ReadyForQuery included. */
const everything = Infinity

/** What a statement starts with that may take its time. */
export const patient = "/* patient */ "
const patience = "5min"
const patientStart = Buffer.from(`\0${patient}`)

const message = (type: string, ...parts: ReadonlyArray<Uint8Array | string>): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)))
  const head = Buffer.alloc(5)
  head.write(type, 0, "latin1")
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** The last two parameters of a Bind message as they are on the wire; none when it has no parameters at all. */
const tenantOf = (data: Buffer, bind: number): Buffer | undefined => {
  let at = data.indexOf(0, bind + 5) + 1
  at = data.indexOf(0, at) + 1
  at += 2 + 2 * data.readInt16BE(at)
  let left = data.readInt16BE(at)
  at += 2
  if (left === 0) return undefined
  if (left < 2) throw new Error("A tenant statement without its tenant")
  for (; left > 2; left--) at += 4 + Math.max(0, data.readInt32BE(at))
  const from = at
  for (; left > 0; left--) {
    const length = data.readInt32BE(at)
    if (length <= 0) throw new Error("A tenant statement with an empty tenant")
    at += 4 + length
  }
  return data.subarray(from, at)
}

/**
 * Makes a Postgres connection tenant-aware, in place.
 *
 * Every statement of a tenant client carries org and customer as its last two parameters, which it does not refer to.
 * This puts `Bind set_config(org, customer) · Execute` in front of the statement's own messages. Without a Sync in
 * between, Postgres runs both in one implicit transaction: the setting holds for exactly that statement, costs no round
 * trip, and cannot be seen by the statements of other fibers pipelined on the same connection. The replies to the added
 * messages are taken out again.
 *
 * Inside a transaction it is sent when the tenant differs from the one already set. A statement without parameters is
 * transaction control: it passes as it is, since an aborted transaction refuses parameters, and because a rollback to a
 * savepoint may undo the setting, the next statement sends its tenant again.
 *
 * What is parsed for one cycle and starts with `patient` has a `statement_timeout` of its own, set in the same way: on the
 * session, it would be others' as well, and behind a pooler it may be another session that runs the next statement.
 *
 * A server that owes an answer and says nothing for `longestSilence` seconds is taken for dead: its connection is
 * destroyed, since a machine that hangs closes none. Who is slow to read what there is to read does not count. `ready` is
 * called when the server has let the connection in.
 */
export const tenantWire = (socket: Duplex, longestSilence = Infinity, ready?: () => void): Duplex => {
  const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean
  const push = socket.push.bind(socket)

  // A name of its own: embedded, many connections share one session.
  const name = `tenant_${randomBytes(6).toString("hex")}`
  const text = Buffer.from([0, 0, 0, 25])
  const setting = "SELECT set_config('app.org_id', $1, true), set_config('app.customer_id', $2, true)"
  const prepare = Buffer.concat([message("P", `${name}\0${setting}\0\0\x02`, text, text), message("S")])
  const lasting = `${setting}, set_config('statement_timeout', '${patience}', true)`
  const parseLasting = message("P", `\0${lasting}\0\0\x02`, text, text)
  const execute = message("E", "\0\0\0\0\0")

  let starting = true
  let prepared = false
  let inTransaction = false
  let tenantSet: Buffer | undefined
  /** For each cycle on the wire, how many replies are still to be taken out. */
  const cycles: Array<number> = []
  let unsent: Buffer = Buffer.alloc(0)

  const context = (tenant: Buffer | undefined, lasts: boolean): ReadonlyArray<Buffer> => {
    if (tenant !== undefined && lasts) {
      cycles.push(4) // ParseComplete, and as below
      if (inTransaction) tenantSet = Buffer.from(tenant)
      return [parseLasting, message("B", "\0\0\0\0\0\x02", tenant, "\0\0"), execute]
    }
    const known = tenant === undefined || (inTransaction && tenantSet?.equals(tenant) === true)
    cycles.push(known ? 0 : 3) // BindComplete, DataRow, CommandComplete
    if (tenant === undefined) tenantSet = undefined
    else if (inTransaction && !known) tenantSet = Buffer.from(tenant)
    return known ? [] : [message("B", `\0${name}\0\0\0\0\x02`, tenant!, "\0\0"), execute]
  }

  socket.write = ((chunk: Uint8Array) => {
    if (starting) return write(chunk)
    const out: Array<Uint8Array> = []
    if (!prepared) {
      prepared = true
      cycles.push(everything)
      out.push(prepare)
    }
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const data = unsent.length === 0 ? bytes : Buffer.concat([unsent, bytes])
    let from = 0
    let bind = -1
    let lasts = false
    for (let at = 0; at + 5 <= data.length;) {
      const end = at + 1 + data.readInt32BE(at + 1)
      if (end > data.length) break
      if (data[at] === Type.bind) bind = at
      else if (data[at] === Type.parse) {
        lasts = data.subarray(at + 5, at + 5 + patientStart.length).equals(patientStart)
      } else if (data[at] === Type.sync) {
        out.push(...context(bind < 0 ? undefined : tenantOf(data, bind), lasts), data.subarray(from, end))
        from = end
        bind = -1
        lasts = false
      }
      at = end
    }
    unsent = data.subarray(from)
    return out.length === 0 || write(Buffer.concat(out))
  }) as typeof socket.write

  /** Whether a message from the server answers one of ours. */
  const isOurs = (type: number, status: number): boolean => {
    if (starting) {
      starting = type !== Type.ready
      if (!starting) ready?.()
      return false
    }
    switch (type) {
      case Type.notice:
      case Type.notification:
      case Type.parameterStatus:
        return false
      case Type.ready:
        inTransaction = status !== idle
        return cycles.shift() === everything
      case Type.error:
        if (cycles[0] === everything) socket.destroy(new Error("The server refused to prepare the tenant setting"))
        // After an error the server skips the rest of the cycle, whoever sent it.
        if (cycles.length > 0) cycles[0] = 0
        return false
      default: {
        const left = cycles[0] ?? 0
        if (left > 0) cycles[0] = left - 1
        return left > 0
      }
    }
  }

  let heard = 0
  if (longestSilence !== Infinity) {
    let before = 0
    let silent = 0
    // Counted in ticks: time in which this process did not run is not the server's.
    const watch = setInterval(() => {
      silent = cycles.length === 0 || heard !== before || socket.isPaused() ? 0 : silent + 1
      before = heard
      if (silent >= longestSilence) {
        socket.destroy(new Silence(longestSilence * 1_000))
      }
    }, 1_000).unref()
    socket.once("close", () => clearInterval(watch))
  }

  let head: Buffer = Buffer.alloc(0)
  let left = 0
  let ours = false

  socket.push = ((chunk: Buffer | null) => {
    if (chunk === null) return push(null)
    heard++
    const data = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const kept: Array<Buffer> = []
    let at = 0
    let from = 0
    while (at < data.length) {
      if (left === 0) {
        const available = data.length - at
        if (available < 5 || (data[at] === Type.ready && available < 6)) break
        left = 1 + data.readInt32BE(at + 1)
        if (left < 5) {
          socket.destroy(new Error("The server sent a message of invalid length"))
          return false
        }
        ours = isOurs(data[at]!, data[at + 5] ?? 0)
      }
      const end = Math.min(at + left, data.length)
      if (ours) {
        if (at > from) kept.push(data.subarray(from, at))
        from = end
      }
      left -= end - at
      at = end
    }
    head = data.subarray(at)
    if (at > from) kept.push(data.subarray(from, at))
    return kept.length === 0 || push(kept.length === 1 ? kept[0]! : Buffer.concat(kept))
  }) as typeof socket.push

  return socket
}

import { Duplex } from "node:stream"

const longestStart = 3_000
const pause = 1_000

/** What a server that hangs, or a network that swallows what it is given, comes to: neither closes a connection. */
export class Silence extends Error {
  readonly code = "ETIMEDOUT"
  constructor(milliseconds: number) {
    super(`The server has not answered for ${milliseconds / 1000} seconds`)
  }
}

/**
 * Connects, and gives a server up that does not begin to talk. While it is silent, new connections fail at once for a
 * second each time: who waits for one in a pool learns that soon, rather than one after the other.
 */
export const impatient = (connect: () => Duplex): (() => Duplex) => {
  let silentUntil = 0

  return () => {
    if (performance.now() < silentUntil) {
      const refused = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() })
      process.nextTick(() => refused.destroy(new Silence(longestStart)))
      return refused
    }
    const socket = connect()
    const timer = setTimeout(() => socket.destroy(new Silence(longestStart)), longestStart)
    socket.on("error", (error: { readonly code?: unknown }) => {
      if (error.code === "ETIMEDOUT") silentUntil = performance.now() + pause
    })
    socket.once("close", () => clearTimeout(timer))
    // Not an event: to listen for data would make it flow before its reader is there.
    const push = socket.push.bind(socket)
    socket.push = ((chunk: Buffer | null) => {
      clearTimeout(timer)
      return push(chunk)
    }) as typeof socket.push
    return socket
  }
}

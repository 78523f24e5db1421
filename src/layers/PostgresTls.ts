import { connect as connectTcp, isIP } from "node:net"
import { Duplex } from "node:stream"
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls"

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const yes = 0x53

/**
 * A connection to a Postgres server that is encrypted before the first byte of the protocol.
 *
 * Postgres up to 16 wants to be asked first, in plain text. The server's answer is one byte; whatever came with it was
 * not encrypted and is refused, as libpq does.
 */
export const connect = (
  target: { readonly host: string; readonly port: number },
  options: ConnectionOptions
): Duplex => {
  const raw = connectTcp({ ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 })
  let secure: TLSSocket | undefined
  let onSecure: (() => void) | undefined

  const stream = new Duplex({
    read: () => void secure?.resume(),
    write: (chunk: Uint8Array, _encoding, done) => {
      if (secure === undefined) onSecure = () => void secure!.write(chunk, done)
      else secure.write(chunk, done)
    },
    final: (done) => {
      if (secure === undefined) raw.end(done)
      else secure.end(done)
    },
    destroy: (error, done) => {
      secure?.destroy()
      raw.destroy()
      done(error)
    }
  })
  const fail = (error: Error) => void stream.destroy(error)
  const refuse = (answer: string) =>
    fail(new Error(`The server at ${target.host}:${target.port} ${answer}, and sslmode does not allow plain text`))

  raw.on("error", fail)
  raw.on("close", () => void stream.destroy())
  raw.once("data", (answer: Buffer) => {
    if (answer.length !== 1) return refuse("answered a request for TLS with unexpected data")
    if (answer[0] !== yes) return refuse("does not offer TLS")
    const socket = connectTls({
      host: target.host,
      ...(isIP(target.host) === 0 && { servername: target.host }),
      ...options,
      socket: raw
    })
    socket.on("error", fail)
    socket.on("end", () => stream.push(null))
    socket.once("secureConnect", () => {
      secure = socket
      socket.on("data", (chunk: Buffer) => {
        if (!stream.push(chunk)) socket.pause()
      })
      onSecure?.()
    })
  })
  raw.write(sslRequest)
  return stream
}

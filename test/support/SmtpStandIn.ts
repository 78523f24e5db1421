import { Effect } from "effect"
import { SMTPServer } from "smtp-server"
import { createServer, type AddressInfo, type Socket } from "node:net"
import { certificateFor } from "./Certificates.ts"

export const account = { user: "portico", password: "the-password-of-the-mail-server" }
export const certificate = certificateFor("127.0.0.1", "localhost")

export interface Mailed {
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly encrypted: boolean
  readonly source: string
}

export type Stage = "connect" | "auth" | "from" | "to" | "data"

/** What goes wrong at a stage. */
export type Mishap = Error | "hang" | "reset"

/** A reply that begins with its code, as `451 4.7.1 Later`. */
export const replying = (reply: string): Mishap => {
  const error = new Error(reply.slice(4)) as Error & { responseCode: number }
  error.responseCode = Number(reply.slice(0, 3))
  return error
}

export interface Smtp {
  readonly port: number
  readonly mails: Array<Mailed>
  /** How often each stage was reached. */
  readonly reached: Record<Stage, number>
  mishaps: Partial<Record<Stage, Mishap>>
}

type Next = (error?: Error | null) => void

/** A mail server on the loopback, until the scope closes. */
export const listen = (
  options: { readonly implicitTls?: boolean; readonly plain?: boolean; readonly accounts?: boolean } = {}
) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const sockets = new Set<Socket>()
        const smtp = { port: 0, mails: [] as Array<Mailed>, mishaps: {} as Smtp["mishaps"] }
        const reached: Record<Stage, number> = { connect: 0, auth: 0, from: 0, to: 0, data: 0 }
        const meet = (stage: Stage, next: Next, going: () => void = () => next()) => {
          reached[stage]++
          const mishap = smtp.mishaps[stage]
          if (mishap === undefined) return going()
          if (mishap === "hang") return
          if (mishap === "reset") for (const socket of sockets) socket.resetAndDestroy()
          else next(mishap)
        }
        const server = new SMTPServer({
          ...certificate,
          secure: options.implicitTls === true,
          disabledCommands: options.plain === true ? ["STARTTLS"] : [],
          authOptional: options.accounts !== true,
          allowInsecureAuth: false,
          disableReverseLookup: true,
          logger: false,
          onConnect: (_session, next) => meet("connect", next),
          onAuth: (auth, _session, next) =>
            meet("auth", next, () => {
              const right = auth.username === account.user && auth.password === account.password
              if (right) next(null, { user: auth.username! })
              else next(replying("535 5.7.8 No such account") as Error)
            }),
          onMailFrom: (_address, _session, next) => meet("from", next),
          onRcptTo: (_address, _session, next) => meet("to", next),
          onData: (stream, session, next) => {
            const chunks: Array<Buffer> = []
            stream.on("data", (chunk: Buffer) => chunks.push(chunk))
            stream.on("end", () =>
              meet("data", next, () => {
                const { mailFrom, rcptTo } = session.envelope
                smtp.mails.push({
                  from: mailFrom === false ? "" : mailFrom.address,
                  to: rcptTo.map(({ address }) => address),
                  encrypted: session.secure,
                  source: Buffer.concat(chunks).toString("utf8")
                })
                next()
              })
            )
          }
        })
        server.on("error", () => {})
        server.server.on("connection", (socket: Socket) => {
          sockets.add(socket)
          socket.on("close", () => sockets.delete(socket))
        })
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
        const { port } = server.server.address() as AddressInfo
        return { smtp: Object.assign(smtp, { port, reached }) as Smtp, server, sockets }
      }),
      ({ server, sockets }) =>
        Effect.promise(async () => {
          for (const socket of sockets) socket.destroy()
          await new Promise<void>((resolve) => server.close(() => resolve()))
        })
    ),
    ({ smtp }) => smtp
  )

/** A server that says something else than SMTP, or nothing at all. */
export const listenRaw = (greeting: string | undefined) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        if (greeting !== undefined) socket.write(greeting)
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      return { port: (server.address() as AddressInfo).port, server, sockets }
    }),
    ({ server, sockets }) =>
      Effect.promise(async () => {
        for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => server.close(resolve))
      })
  )

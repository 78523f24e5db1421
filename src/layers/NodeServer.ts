import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"

type Headers = Readonly<Record<string, string | undefined>>

export interface Options {
  readonly port: number
  readonly host: string
  readonly gracefulShutdownTimeout: `${number} ${"second" | "seconds"}`
  /** For how many milliseconds a client may neither send what is to come nor take what there is for them. */
  readonly patience: number
  /** Refuses a request where that costs a tenth of an answer: before a fiber is started for it. */
  readonly refusal: (
    method: string,
    url: string,
    headers: Headers
  ) =>
    | {
        readonly status: number
        readonly headers: Readonly<Record<string, string>>
        readonly body: string
        /** In milliseconds: how long to keep the answer back, where there are not too many such already. */
        readonly after: number
      }
    | undefined
  /** Begins with one that was not refused, now or later. */
  readonly inTurn: (url: string, headers: Headers, run: () => void) => void
}

const mostKeptBack = 4_000

/** The socket. */
export const layer = ({ inTurn, patience, refusal, ...options }: Options) =>
  NodeHttpServer.layer(() => {
    const server = createServer({
      keepAliveTimeout: 65_000,
      headersTimeout: 10_000,
      requestTimeout: 300_000,
      // Both of these are true to this much only.
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384
    })
    return refusing(impatient(upgradingNobody(server), patience), refusal, inTurn)
  }, options)

/** Ends a connection on which nothing happens, if that is its client's doing. */
const impatient = (server: Server, patience: number): Server => {
  server.timeout = patience
  const watch = ({ headers }: IncomingMessage, response: ServerResponse) => {
    response.on("timeout", judge)
    // An answered connection may idle for longer, but not with a body under way that nobody wants any more.
    if ("content-length" in headers || "transfer-encoding" in headers) {
      response.on("finish", () => {
        const { complete, socket } = response.req
        if (!complete) socket.setTimeout(patience)
      })
    }
  }
  return server.on("request", watch).on("checkContinue", watch)
}

/** While there is an answer to be waited for, Node.js leaves it to us what becomes of a silent connection. */
function judge(this: ServerResponse, socket: Socket) {
  const { complete, readableHighWaterMark, readableLength } = this.req
  // What we have room for does not come, or what we have sent is not taken.
  const isStuck = (!complete && readableLength < readableHighWaterMark) || socket.writableLength > 0
  if (isStuck) socket.destroy()
  else socket.setTimeout(socket.timeout!)
}

/**
 * Where somebody listens for upgrades, Node.js hands over the connection of whoever offers one, as some clients always do,
 * and says no more when they go away. Where nobody does, the offer is passed over (RFC 9110, section 7.8).
 */
const upgradingNobody = (server: Server): Server => {
  const on = server.on.bind(server)
  server.on = ((event: string, listener: (...args: Array<unknown>) => void) =>
    event === "upgrade" ? server : on(event, listener)) as typeof server.on
  return server
}

const refusing = (server: Server, refusal: Options["refusal"], inTurn: Options["inTurn"]): Server => {
  let keptBack = 0
  const isRefused = (request: IncomingMessage, response: ServerResponse) => {
    const { headers, method = "GET", url = "/" } = request
    const refused = refusal(method, url, headers as Headers)
    if (refused === undefined) return false
    const { after, body, headers: own, status } = refused
    const answer = () => {
      // It may have closed meanwhile, and waits for its connections.
      if (!server.listening) response.shouldKeepAlive = false
      response.writeHead(status, { ...own, "content-length": Buffer.byteLength(body) })
      response.end(method === "HEAD" ? undefined : body)
    }
    if (after === 0 || keptBack >= mostKeptBack) answer()
    else {
      keptBack++
      setTimeout(() => {
        keptBack--
        answer()
      }, after)
    }
    return true
  }
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: ReadonlyArray<unknown>) => {
    if (event !== "request") return emit(event, ...args)
    const [request, response] = args as [IncomingMessage, ServerResponse]
    if (!isRefused(request, response)) {
      inTurn(request.url ?? "/", request.headers as Headers, () => {
        // Who has gone meanwhile is waited for by nobody.
        if (!response.closed) emit("request", request, response)
      })
    }
    return true
  }
  return server
}

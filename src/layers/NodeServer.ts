import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"

export interface Options {
  readonly port: number
  readonly host: string
  readonly gracefulShutdownTimeout: `${number} ${"second" | "seconds"}`
  /** Refuses a request where that costs a tenth of an answer: before a fiber is started for it. */
  readonly refusal: (
    method: string,
    url: string,
    headers: Readonly<Record<string, string | undefined>>
  ) =>
    | {
        readonly status: number
        readonly headers: Readonly<Record<string, string>>
        readonly body: string
        /** In milliseconds: how long to keep the answer back, where there are not too many such already. */
        readonly after: number
      }
    | undefined
}

const mostKeptBack = 1_000

/** The socket. */
export const layer = ({ refusal, ...options }: Options) =>
  NodeHttpServer.layer(
    () =>
      refusing(
        upgradingNobody(
          createServer({
            keepAliveTimeout: 65_000,
            headersTimeout: 10_000,
            requestTimeout: 300_000,
            // Both of these are true to this much only.
            connectionsCheckingInterval: 1_000,
            maxHeaderSize: 16_384
          })
        ),
        refusal
      ),
    options
  )

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

const refusing = (server: Server, refusal: Options["refusal"]): Server => {
  let keptBack = 0
  const isRefused = (request: IncomingMessage, response: ServerResponse) => {
    const { headers, method = "GET", url = "/" } = request
    const refused = refusal(method, url, headers as Record<string, string | undefined>)
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
  server.emit = (event: string, ...args: ReadonlyArray<unknown>) =>
    (event === "request" && isRefused(...(args as [IncomingMessage, ServerResponse]))) || emit(event, ...args)
  return server
}

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
    | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
    | undefined
}

/** The socket. */
export const layer = ({ refusal, ...options }: Options) =>
  NodeHttpServer.layer(
    () =>
      refusing(
        createServer({
          keepAliveTimeout: 65_000,
          headersTimeout: 10_000,
          requestTimeout: 300_000,
          // Both of these are true to this much only.
          connectionsCheckingInterval: 1_000,
          maxHeaderSize: 16_384
        }),
        refusal
      ),
    options
  )

const refusing = (server: Server, refusal: Options["refusal"]): Server => {
  const isRefused = (request: IncomingMessage, response: ServerResponse) => {
    const { headers, method = "GET", url = "/" } = request
    const refused = refusal(method, url, headers as Record<string, string | undefined>)
    if (refused === undefined) return false
    const { body, headers: own, status } = refused
    response.writeHead(status, { ...own, "content-length": Buffer.byteLength(body) })
    response.end(method === "HEAD" ? undefined : body)
    return true
  }
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: ReadonlyArray<unknown>) =>
    (event === "request" && isRefused(...(args as [IncomingMessage, ServerResponse]))) || emit(event, ...args)
  return server
}

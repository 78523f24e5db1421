import { Effect } from "effect"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import { TLSSocket } from "node:tls"
import * as Loopback from "./Loopback.ts"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** What a call meets: handed the response, it does as it likes. */
export type Reply = (response: ServerResponse) => void

export const answering =
  (status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): Reply =>
  (response) => {
    const type = typeof body === "string" ? "text/html" : "application/json"
    response.writeHead(status, { ...(body === undefined ? {} : { "content-type": type }), ...headers })
    response.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body))
  }

export const hanging: Reply = () => {}
export const hangingUp: Reply = ({ socket }) => {
  // Only a plain connection can be reset by hand.
  if (socket instanceof TLSSocket) socket.destroy()
  else socket?.resetAndDestroy()
}
export const breakingOff: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "500" }).write('{"id":')
  setTimeout(() => response.socket?.destroy(), 10)
}

/** A site of somebody else's, with what has been asked of it, and with what goes wrong for the next calls of a kind. */
export abstract class StandIn {
  baseUrl = ""
  /** How many milliseconds a call is on its way, and its answer on the way back. */
  latency = () => 0
  readonly asked: Array<Asked> = []
  private mishaps: Array<{ readonly of: RegExp; readonly late: boolean; readonly reply: Reply; left: number }> = []

  protected abstract reply(asked: Asked): Reply

  /** The next calls such as `POST /v1/customers` meet this instead. */
  instead(of: RegExp, reply: Reply, times = 1): void {
    this.mishaps.push({ of, reply, left: times, late: false })
  }

  /** What the next such calls ask for is done, and this is all that is heard of it. */
  afterwards(of: RegExp, reply: Reply, times = 1): void {
    this.mishaps.push({ of, reply, left: times, late: true })
  }

  /** How often such a call was made. */
  count(of: RegExp): number {
    return this.asked.filter(({ method, path }) => of.test(`${method} ${path}`)).length
  }

  forget(): void {
    this.asked.length = 0
    this.mishaps = []
  }

  answer(asked: Asked): Reply {
    this.asked.push(asked)
    const mishap = this.mishaps.find(({ left, of }) => left > 0 && of.test(`${asked.method} ${asked.path}`))
    if (mishap === undefined) return this.reply(asked)
    mishap.left--
    if (mishap.late) this.reply(asked)
    return mishap.reply
  }
}

const onTheWay = (milliseconds: number) =>
  milliseconds > 0 ? new Promise((resolve) => setTimeout(resolve, milliseconds)) : undefined

/** Hands a request to the site, and its reply back. */
export const handler = (site: StandIn) => async (request: IncomingMessage, response: ServerResponse) => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  const url = new URL(request.url!, "http://stand.in")
  const { headers, method } = request
  const asked = { method: method!, path: decodeURIComponent(url.pathname), query: url.searchParams, headers }
  await onTheWay(site.latency())
  const reply = site.answer({ ...asked, text: Buffer.concat(chunks).toString("utf8") })
  await onTheWay(site.latency())
  reply(response)
}

/** Puts it on the loopback, until the scope closes. */
export const listen = Effect.fnUntraced(function* <S extends StandIn>(site: S) {
  const server = yield* Loopback.serve(handler(site))
  site.baseUrl = Loopback.urlOf(server)
  return site
})

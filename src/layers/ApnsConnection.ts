import { Effect } from "effect"
import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders
} from "node:http2"
import { broken, codeOf, type Failed, failed } from "./ChannelCalls.ts"

export interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const longest = 16_384

/** One connection that requests share, made again once it has ended or somebody has waited on it in vain. */
export class ApnsConnection {
  private session: ClientHttp2Session | undefined
  private readonly url: URL
  private readonly ca: string | undefined

  constructor(url: URL, ca: string | undefined) {
    this.url = url
    this.ca = ca
  }

  readonly post = (headers: OutgoingHttpHeaders, body: string): Effect.Effect<Answer, Failed> =>
    Effect.callback((resume) => {
      const session = this.open()
      let answered: IncomingHttpHeaders | undefined
      let text = ""
      const stream = session.request({ [constants.HTTP2_HEADER_METHOD]: "POST", ...headers })
      stream.setEncoding("utf8")
      stream.on("response", (received) => (answered = received))
      stream.on("data", (chunk: string) => {
        text += chunk
        if (text.length > longest) stream.close(constants.NGHTTP2_CANCEL)
      })
      stream.on("error", (error) => {
        const unread = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
        resume(Effect.fail(unread ? failed("unavailable", "stream refused", { again: true }) : broken(codeOf(error))))
      })
      // Whatever has not been said by now will not be.
      stream.on("close", () => {
        const whole = answered !== undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR
        resume(
          whole && answered !== undefined
            ? Effect.succeed({ headers: answered, text })
            : Effect.fail(failed("unavailable", "no answer", { maybeSent: true }))
        )
      })
      stream.end(body)
      return Effect.sync(() => {
        // It may be dead without a word, which only those find out who wait; the others finish on it.
        stream.close(constants.NGHTTP2_CANCEL)
        if (this.session === session) this.close()
      })
    })

  readonly close = (): void => {
    const session = this.session
    this.session = undefined
    session?.close()
  }

  private open(): ClientHttp2Session {
    const known = this.session
    if (known !== undefined && !known.closed && !known.destroyed) return known
    const session = connect(this.url, this.ca === undefined ? {} : { ca: this.ca })
    const forget = () => {
      if (this.session === session) this.session = undefined
    }
    // Requests hear of it themselves.
    session.on("error", forget)
    session.on("goaway", forget)
    session.on("close", forget)
    this.session = session
    return session
  }
}

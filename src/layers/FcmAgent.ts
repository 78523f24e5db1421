import { Effect } from "effect"
import { AsyncLocalStorage } from "node:async_hooks"
import type { ClientRequest, IncomingMessage } from "node:http"
import { Agent } from "node:https"
import type { ConnectionOptions } from "node:tls"

/** One message's one request. */
interface Call {
  request?: ClientRequest
  /** Nobody waits for it any more. */
  over: boolean
  answered?: (response: IncomingMessage) => void
  /** Of what broke the connection. */
  code?: string
}

/** What the SDK has made of a request, and what was seen of it on its way. */
export type Outcome =
  | { readonly _tag: "Answered" }
  | { readonly _tag: "Failed"; readonly error: unknown; readonly code: string | undefined }
  | { readonly _tag: "Busy"; readonly retryAfter: string | undefined }

const calls = new AsyncLocalStorage<Call>()

/**
 * Firebase's SDK repeats by itself what was reset, timed out or answered with 503, for minutes and without a way to say
 * no. Its connections are ours, though: here each message gets one request, which ends when nobody waits any more.
 */
export class FcmAgent extends Agent {
  private readonly elsewhere: ConnectionOptions

  constructor(elsewhere: ConnectionOptions = {}) {
    super({ keepAlive: true, maxSockets: 32 })
    this.elsewhere = elsewhere
  }

  override createConnection(options: ConnectionOptions, callback: () => void) {
    return super.createConnection({ ...options, ...this.elsewhere }, callback)
  }

  readonly single = (send: () => Promise<unknown>): Effect.Effect<Outcome> =>
    Effect.callback((resume) => {
      const call: Call = { over: false }
      const finish = (outcome: Outcome) => resume(Effect.succeed(outcome))
      const end = () => {
        call.over = true
        call.request?.destroy()
      }
      call.answered = ({ headers, statusCode }) => {
        if (statusCode !== 503) return
        finish({ _tag: "Busy", retryAfter: headers["retry-after"] })
        end()
      }
      calls
        .run(call, async () => send())
        .then(
          () => finish({ _tag: "Answered" }),
          (error: unknown) => finish({ _tag: "Failed", error, code: call.code })
        )
      return Effect.sync(end)
    })

  addRequest(request: ClientRequest, options: unknown): void {
    const call = calls.getStore()
    if (call === undefined || call.over || call.request !== undefined) {
      request.destroy(new Error("One request a message"))
      return
    }
    call.request = request
    request.once("error", ({ code }: NodeJS.ErrnoException) => {
      if (code !== undefined) call.code ??= code
    })
    request.prependOnceListener("response", (response) => call.answered?.(response))
    inherited.addRequest.call(this, request, options)
  }
}

// Node.js calls it for every request, and has never written it down.
const inherited = Agent.prototype as unknown as {
  readonly addRequest: (this: Agent, request: ClientRequest, options: unknown) => void
}

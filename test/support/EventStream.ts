import { Effect } from "effect"
import { get, type IncomingMessage } from "node:http"

export interface ReceivedEvent {
  readonly id: string
  readonly data: {
    readonly sequence: number
    readonly type: string
    readonly op: "upsert" | "delete"
    readonly id: string
    readonly record: Readonly<Record<string, unknown>> | null
  }
}

/** What an `EventSource` keeps of one connection. */
export interface EventStream {
  readonly response: IncomingMessage
  readonly events: Array<ReceivedEvent>
  readonly text: () => string
  readonly lastId: () => string | undefined
  readonly ended: Promise<void>
  readonly close: () => void
}

/** Connects, and is there once the first bytes are. */
export const listen = (url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> =>
  new Promise((resolve, reject) => {
    const sent = get(url, { headers, agent: false }, (response) => {
      const events: Array<ReceivedEvent> = []
      let text = ""
      let rest = ""
      let lastId: string | undefined
      const ended = new Promise<void>((done) => response.once("close", () => done()))
      response.setEncoding("utf8")
      response.on("error", () => {})
      response.on("data", (chunk: string) => {
        text += chunk
        rest += chunk
        const blocks = rest.split("\n\n")
        rest = blocks.pop()!
        for (const block of blocks) {
          const id = /^id: (.*)$/m.exec(block)?.[1]
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (id !== undefined) lastId = id
          if (data !== undefined) events.push({ id: id!, data: JSON.parse(data) as ReceivedEvent["data"] })
        }
        resolve(stream)
      })
      const stream: EventStream = {
        response,
        events,
        text: () => text,
        lastId: () => lastId,
        ended,
        close: () => sent.destroy()
      }
      response.once("close", () => resolve(stream))
    })
    sent.on("error", reject)
  })

/** Waits until something is so, for a while. */
export const eventually = (condition: () => boolean, milliseconds = 5000) =>
  Effect.promise(async () => {
    const until = Date.now() + milliseconds
    while (!condition()) {
      if (Date.now() > until) return false
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return true
  })

import { Cause, Effect, Exit, Layer, Logger, Option, References, Tracer } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"
import type { Settings } from "./Settings.ts"

/** One line a record, for a person: time, level, what happened, and the facts of it. */
const readable = Logger.make<unknown, string>((options) => {
  const { annotations, cause, level, message, timestamp } = Logger.formatStructured.log(options)
  const facts = Object.entries(annotations).map(([name, value]) => `${name}=${String(value)}`)
  const line = [timestamp.slice(11, 23), level.toUpperCase().padEnd(5), ...[message].flat().map(String), ...facts].join(
    " "
  )
  return cause === undefined ? line : `${line}\n${cause}`
})

/** What is written in one turn of the event loop leaves in one write, the last of it when the process exits. */
const write = (() => {
  let lines = ""
  const flush = () => {
    const text = lines
    lines = ""
    if (text !== "") process.stdout.write(text)
  }
  process.once("exit", flush)
  return (line: string) => {
    if (lines === "") setImmediate(flush)
    lines += `${line}\n`
  }
})()

/** As `Logger.consoleJson` writes it. A record that is flat, as most are, needs no search for secrets and cycles. */
const json = Logger.make<unknown, void>((options) => {
  const record = Logger.formatStructured.log(options)
  const isFlat = typeof record.message === "string" && Object.values(record.annotations).every(isPlain)
  write(isFlat ? JSON.stringify(record) : Logger.formatJson.log(options))
})

const isPlain = (value: unknown) => ["string", "number", "boolean"].includes(typeof value)

/** What spans would say of a request besides its route: ids, file names, searches, links that open a file, addresses. */
const withheld = new Set(["url.full", "url.path", "url.query", "client.address"])

/** As logs do, traces name routes and not what was asked for by whom. */
const discreet = Layer.effect(
  Tracer.Tracer,
  Effect.map(Effect.tracer, (tracer) =>
    Tracer.make({
      ...(tracer.context === undefined ? {} : { context: tracer.context }),
      span: (options) => {
        const span = tracer.span(options)
        const attribute = span.attribute.bind(span)
        const end = span.end.bind(span)
        span.attribute = (key, value) => {
          if (!withheld.has(key)) attribute(key, value)
        }
        // Failures quote what they failed with. The log has the cause, under the request's id.
        span.end = (time, exit) =>
          end(time, Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? exit : Exit.fail("Failed"))
        return span
      }
    })
  )
)

/** Where logs, traces and metrics go: JSON lines in production; OTLP besides, when an endpoint is configured. */
export const layer = ({ appEnv, logLevel, otlp }: Settings) => {
  const logs = Layer.merge(
    Logger.layer([appEnv === "production" ? json : Logger.withConsoleLog(readable)]),
    Layer.succeed(References.MinimumLogLevel, logLevel)
  )
  return Option.match(otlp, {
    onNone: () => logs,
    onSome: (url) =>
      // On top of the others: a logger of OTLP's is added to those that are there.
      discreet.pipe(
        Layer.provideMerge(
          Otlp.layerJson({ baseUrl: url.href.replace(/\/$/, ""), resource: { serviceName: "portico" } })
        ),
        Layer.provideMerge(logs),
        Layer.provide(FetchHttpClient.layer)
      )
  })
}

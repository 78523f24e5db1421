import { Cause, Effect, Exit, Layer, Logger, Option, References, Tracer } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
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
  const { cause, date, fiber, logLevel, message: said } = options
  const message = Array.isArray(said) && said.length === 1 ? said[0] : said
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  const isFlat = typeof message === "string" && cause.reasons.length === 0 && isPlain(annotations)
  if (!isFlat || fiber.getRef(References.CurrentLogSpans).length > 0) return write(Logger.formatJson.log(options))
  const level = logLevel.toUpperCase()
  write(
    JSON.stringify({ message, level, timestamp: date.toISOString(), annotations, spans: {}, fiberId: `#${fiber.id}` })
  )
})

const plain = new Set(["string", "number", "boolean"])
const isPlain = (values: Readonly<Record<string, unknown>>) => {
  for (const name in values) if (!plain.has(typeof values[name])) return false
  return true
}

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
    // Nobody would see a span. What is asked of others would name one all the same, which is none.
    onNone: () =>
      Layer.mergeAll(
        logs,
        Layer.succeed(References.TracerEnabled, false),
        Layer.succeed(HttpClient.TracerPropagationEnabled, false)
      ),
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

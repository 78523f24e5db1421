import { Layer, Logger, Option, References } from "effect"
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

/** Where logs, traces and metrics go: JSON lines in production; OTLP besides, when an endpoint is configured. */
export const layer = ({ appEnv, logLevel, otlp }: Settings) =>
  Layer.mergeAll(
    Logger.layer([appEnv === "production" ? Logger.consoleJson : Logger.withConsoleLog(readable)]),
    Layer.succeed(References.MinimumLogLevel, logLevel),
    Option.match(otlp, {
      onNone: () => Layer.empty,
      onSome: (url) =>
        Otlp.layerJson({ baseUrl: url.href.replace(/\/$/, ""), resource: { serviceName: "portico" } }).pipe(
          Layer.provide(FetchHttpClient.layer)
        )
    })
  )

import { type Context, Effect, Metric, References } from "effect"
import type { RequestFacts } from "./CurrentRequest.ts"

/** Paths outside of the API, all for reading. */
export const plainPaths = ["/", "/livez", "/readyz", "/metrics", "/openapi.json", "/docs"]

const requests = Metric.counter("http_requests_total", { description: "Answered requests", incremental: true })
const seconds = Metric.histogram("http_request_duration_seconds", {
  description: "From the request's head to its answer's",
  boundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
})

/** What operators ask, which is answered whatever else there is to do. */
export const isProbe = (path: string) => path === "/livez" || path === "/readyz" || path === "/metrics"

/** One line in the log and two in the metrics. */
export const record = (
  method: string,
  current: RequestFacts,
  status: number,
  milliseconds: number,
  isRefused: boolean
) => {
  const isPlain = current.route === undefined && plainPaths.includes(current.path)
  const route = current.route ?? (isPlain ? current.path : isRefused ? "refused" : "unmatched")
  return Effect.withFiber(({ context }) => {
    const { count, time } = seriesOf(method, route, status)
    count.updateUnsafe(1, context)
    time.updateUnsafe(milliseconds / 1000, context)
    // A server with more to do than it can do does not write about each that it turns away: the burst has its line.
    return Effect.provideService(isPlain || isRefused ? answeredQuietly : answered, References.CurrentLogAnnotations, {
      requestId: current.id,
      method,
      route,
      status,
      ms: Math.round(milliseconds * 10) / 10,
      ...(current.orgId !== undefined && { org: current.orgId }),
      ...(current.customerId !== undefined && { customer: current.customerId })
    })
  })
}

/** What is turned away before it is a request is only counted. */
export const countRefused = (method: string, status: number, context: Context.Context<never>) =>
  seriesOf(method, "refused", status).count.updateUnsafe(1, context)

const answered = Effect.logInfo("Answered")
const answeredQuietly = Effect.logDebug("Answered")

/** Made once for each, since a metric that is made anew has to find its series anew. */
const series = new Map<string, ReturnType<typeof makeSeries>>()
const seriesOf = (method: string, route: string, status: number) => {
  const key = `${method} ${status} ${route}`
  const known = series.get(key) ?? makeSeries(method, route, status)
  series.set(key, known)
  return known
}
const makeSeries = (method: string, route: string, status: number) => ({
  count: Metric.withAttributes(requests, { method, route, status: String(status) }),
  time: Metric.withAttributes(seconds, { method, route })
})

/** What wrk sends over and over, one customer after the other. */
export interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** A key of its own for each request. */
  readonly keyed?: boolean
  /** A query of its own for each request, which nobody can have answered before. */
  readonly anew?: boolean
}

const org = "bench"
const boundary = "a-boundary-of-the-bench"

/** 5 MB of lines. */
export const file = "A line of a file that is nothing but such lines, for the bench.\n".repeat(78_125)
export const form = {
  type: `multipart/form-data; boundary=${boundary}`,
  body: `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="lines.txt"\r\nContent-Type: text/plain\r\n\r\n${file}\r\n--${boundary}--\r\n`
}

/** A script for wrk; it says what came of it as JSON. */
export function luaOf(asked: Asked, bearers: ReadonlyArray<string>): string {
  const { anew = false, body, headers = {}, keyed = false, method = "GET", path } = asked
  const given = Object.entries(headers).map(([name, value]) => `["${name}"] = "${value}"`)
  // Of plain letters and line ends, which Lua escapes as JSON does.
  const text = body === undefined ? "nil" : JSON.stringify(body)
  return `
local body = ${text}
local run = "${crypto.randomUUID()}"
local heads = {}
for _, bearer in ipairs({ ${bearers.map((bearer) => `"${bearer}"`).join(", ")} }) do
  heads[#heads + 1] = { authorization = "Bearer " .. bearer, orgid = "${org}"${given.map((header) => `, ${header}`).join("")} }
end
local requests = {}
local at = 0
function init()
  for i, headers in ipairs(heads) do requests[i] = wrk.format("${method}", "${path}", headers, body) end
end
function request()
  at = at + 1
  local i = at % #heads + 1
  if ${anew} then
    return wrk.format("${method}", "${path}" .. string.format("&from=2020-01-01T00:00:00.%09dZ", at), heads[i], body)
  end
  if not ${keyed} then return requests[i] end
  heads[i]["idempotency-key"] = run .. at
  return wrk.format("${method}", "${path}", heads[i], body)
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"duration":%d,"failed":%d,"p50":%d,"p99":%d}',
    summary.requests, summary.duration, e.status + e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end`
}

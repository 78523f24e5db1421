import { Effect, type Stream } from "effect"
import { HttpServerRequest, HttpServerRespondable, HttpServerResponse } from "effect/http"
import { Problem } from "../domain/Problem.ts"
import type { StoredFile } from "../domain/StoredFile.ts"
import type { ByteRange } from "../services/Storage.ts"

export class RangeNotSatisfiable extends Problem<RangeNotSatisfiable>()("RangeNotSatisfiable", {
  code: "range_not_satisfiable",
  status: 416,
  title: "Range not satisfiable",
  detail: "The file ends before the range that was asked for; Content-Range says how long it is."
}) {}

/** A file as a download: never shown within a page, never taken for another type, whole or in part (RFC 9110). */
export const download = Effect.fnUntraced(function* <E, R>(
  file: StoredFile,
  content: (range?: ByteRange) => Effect.Effect<Stream.Stream<Uint8Array>, E, R>
) {
  const { headers: asked, method } = yield* HttpServerRequest.HttpServerRequest
  const etag = `"${file.sha256}"`
  const headers = {
    etag,
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-disposition": `attachment; filename*=UTF-8''${extended(file.name)}`,
    "content-security-policy": "sandbox; default-src 'none'"
  }
  const contentType = file.contentType.startsWith("text/") ? `${file.contentType}; charset=utf-8` : file.contentType
  if (knows(asked["if-none-match"], etag)) return HttpServerResponse.empty({ status: 304, headers })

  const range =
    method === "HEAD" || (asked["if-range"] ?? etag) !== etag ? undefined : rangeIn(asked["range"], file.size)
  if (range === "beyond") {
    const refused = yield* Effect.orDie(HttpServerRespondable.toResponse(new RangeNotSatisfiable()))
    return HttpServerResponse.setHeader(refused, "content-range", `bytes */${file.size}`)
  }
  if (method === "HEAD") {
    return HttpServerResponse.empty({
      status: 200,
      headers: { ...headers, "content-type": contentType, "content-length": String(file.size) }
    })
  }
  if (range === undefined) {
    return HttpServerResponse.stream(yield* content(), { contentType, contentLength: file.size, headers })
  }
  return HttpServerResponse.stream(yield* content(range), {
    status: 206,
    contentType,
    contentLength: range.end - range.start + 1,
    headers: { ...headers, "content-range": `bytes ${range.start}-${range.end}/${file.size}` }
  })
})

const knows = (asked: string | undefined, etag: string) =>
  asked !== undefined &&
  (asked.trim() === "*" || asked.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag))

/** Several ranges at once, and what is no range of bytes, are as if nothing had been asked for. */
const rangeIn = (asked: string | undefined, size: number): ByteRange | "beyond" | undefined => {
  const [, first = "", last = ""] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(asked ?? "") ?? []
  if (first === "" && last === "") return undefined
  if (first === "") return Number(last) === 0 ? "beyond" : { start: Math.max(0, size - Number(last)), end: size - 1 }
  if (last !== "" && Number(last) < Number(first)) return undefined
  if (Number(first) >= size) return "beyond"
  return { start: Number(first), end: last === "" ? size - 1 : Math.min(Number(last), size - 1) }
}

/** RFC 8187 leaves fewer characters as they are than a URI does. */
const extended = (name: string) =>
  encodeURIComponent(name).replace(/['()*!]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

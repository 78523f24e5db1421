import { Effect } from "effect"
import { createHash, createHmac, randomUUID, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** What the next request meets instead of an answer. */
export type Mishap = "busy" | "hanging up" | "breaking off" | "forbidden"

interface Pending {
  readonly key: string
  readonly parts: Map<number, Buffer>
}

class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

const bucket = "files-of-tests"
const accessKeyId = "local"
const secretAccessKey = "local-secret"
const region = "us-east-1"

/** As much of S3 as we use, with every signature checked: one bucket, in memory. */
export class S3StandIn {
  baseUrl = ""
  readonly bucket = bucket
  readonly credentials = { accessKeyId, secretAccessKey }
  readonly objects = new Map<string, Buffer>()
  readonly uploads = new Map<string, Pending>()
  /** Of requests that begin so, in the order of their arrival. */
  readonly mishaps: Array<{ readonly method: string; readonly mishap: Mishap }> = []

  async handle(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url!, "http://s3")
    const answer = (status: number, body: string | Buffer = "", headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers })
      response.end(body)
    }
    try {
      const at = this.mishaps.findIndex(({ method }) => method === request.method)
      const mishap = at < 0 ? undefined : this.mishaps.splice(at, 1)[0]!.mishap
      if (mishap === "hanging up") return void request.socket.resetAndDestroy()
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      if (mishap === "busy") throw new Refused(503, "SlowDown")
      if (mishap === "forbidden") throw new Refused(403, "AccessDenied")
      verify(request, url, body)
      const [, name, ...rest] = url.pathname.split("/")
      if (name !== bucket) throw new Refused(404, "NoSuchBucket")
      const key = decodeURIComponent(rest.join("/"))
      if (key === "") return answer(200, this.list(url.searchParams), { "content-type": "application/xml" })
      if (mishap === "breaking off") {
        const whole = this.objects.get(key)!
        response.writeHead(200, { "content-length": String(whole.length) })
        response.write(whole.subarray(0, whole.length >> 1))
        return void setTimeout(() => request.socket.destroy(), 20)
      }
      this.answerObject(request, key, url.searchParams, body, answer)
    } catch (error) {
      const { code, status } = error instanceof Refused ? error : new Refused(500, "InternalError")
      answer(status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`, {
        "content-type": "application/xml"
      })
    }
  }

  private list(query: URLSearchParams) {
    if (!query.has("uploads")) throw new Refused(405, "MethodNotAllowed")
    const rows = [...this.uploads]
      .filter(([, { key }]) => key.startsWith(query.get("prefix") ?? ""))
      .map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`)
    return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${rows.join("")}</ListMultipartUploadsResult>`
  }

  private answerObject(
    { headers, method }: IncomingMessage,
    key: string,
    query: URLSearchParams,
    body: Buffer,
    answer: (status: number, body?: string | Buffer, headers?: Record<string, string>) => void
  ) {
    const xml = { "content-type": "application/xml" }
    const id = query.get("uploadId")
    if (method === "POST" && query.has("uploads")) {
      const made = randomUUID()
      this.uploads.set(made, { key, parts: new Map() })
      return answer(
        200,
        `<InitiateMultipartUploadResult><UploadId>${made}</UploadId></InitiateMultipartUploadResult>`,
        xml
      )
    }
    if (id !== null) {
      const upload = this.uploads.get(id)
      if (upload?.key !== key) throw new Refused(404, "NoSuchUpload")
      if (method === "PUT") {
        upload.parts.set(Number(query.get("partNumber")), body)
        return answer(200, "", { etag: etagOf(body) })
      }
      this.uploads.delete(id)
      if (method === "DELETE") return answer(204)
      const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part)
      if (parts.slice(0, -1).some(({ length }) => length < 5 * 1024 * 1024)) throw new Refused(400, "EntityTooSmall")
      this.objects.set(key, Buffer.concat(parts))
      return answer(200, "<CompleteMultipartUploadResult/>", xml)
    }
    if (method === "PUT") {
      if (headers["content-length"] === undefined) throw new Refused(411, "MissingContentLength")
      this.objects.set(key, body)
      return answer(200, "", { etag: etagOf(body) })
    }
    if (method === "DELETE") {
      this.objects.delete(key)
      return answer(204)
    }
    const object = this.objects.get(key)
    if (object === undefined) throw new Refused(404, "NoSuchKey")
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "")
    if (range === null) return answer(200, object)
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), object.length - 1)]
    if (start > end) throw new Refused(416, "InvalidRange")
    return answer(206, object.subarray(start, end + 1), { "content-range": `bytes ${start}-${end}/${object.length}` })
  }
}

const etagOf = (body: Buffer) => `"${createHash("md5").update(body).digest("hex")}"`
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest()
const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex")
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Signature version 4, in headers, over a body that is what it says it is. */
const verify = ({ headers, method }: IncomingMessage, url: URL, body: Buffer) => {
  const form = /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/
  const [, credential = "", names = "", signature = ""] = form.exec(headers.authorization ?? "") ?? []
  const [key, day, ...scope] = credential.split("/")
  const signed = names.split(";")
  const date = String(headers["x-amz-date"])
  if (key !== accessKeyId) throw new Refused(403, "InvalidAccessKeyId")
  if (scope.join("/") !== `${region}/s3/aws4_request`) throw new Refused(400, "AuthorizationHeaderMalformed")
  if (
    !signed.includes("host") ||
    Object.keys(headers).some((name) => name.startsWith("x-amz-") && !signed.includes(name))
  ) {
    throw new Refused(403, "AccessDenied")
  }
  const hash = String(headers["x-amz-content-sha256"])
  if (hash !== "UNSIGNED-PAYLOAD" && hash !== sha256(body)) throw new Refused(400, "XAmzContentSHA256Mismatch")
  const query = [...url.searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort()
  const request = [
    method,
    url.pathname
      .split("/")
      .map((part) => encoded(decodeURIComponent(part)))
      .join("/"),
    query.join("&"),
    ...signed.map((name) => `${name}:${String(headers[name] ?? "").trim()}`),
    "",
    names,
    hash
  ].join("\n")
  const text = ["AWS4-HMAC-SHA256", date, `${day}/${region}/s3/aws4_request`, sha256(request)].join("\n")
  const signing = [day!, region, "s3", "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  if (!timingSafeEqual(hmac(signing, text), Buffer.from(signature, "hex")))
    throw new Refused(403, "SignatureDoesNotMatch")
}

/** A bucket on the loopback for as long as the scope lasts. */
export const make = Effect.acquireRelease(
  Effect.callback<{ readonly standIn: S3StandIn; readonly close: () => void }>((resume) => {
    const standIn = new S3StandIn()
    const server = createServer((request, response) => void standIn.handle(request, response))
    server.listen(0, "127.0.0.1", () => {
      standIn.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const close = () => {
        server.closeAllConnections()
        server.close()
      }
      resume(Effect.succeed({ standIn, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
).pipe(Effect.map(({ standIn }) => standIn))

import { Effect } from "effect"
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto"
import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from "node:http2"
import type { AddressInfo } from "node:net"
import type { Certificate } from "./Certificates.ts"

export const keyId = "ABC123DEFG"
export const teamId = "DEF123GHIJ"
export const topic = "com.example.portal"

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" })
export const key = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString()

interface Pushed {
  readonly token: string
  readonly headers: IncomingHttpHeaders
  readonly payload: Readonly<Record<string, unknown>>
}

/** What a request meets instead of an answer. */
export type Reply = (stream: ServerHttp2Stream) => void

export const answering =
  (status: number, body: unknown = undefined, headers: Readonly<Record<string, string>> = {}): Reply =>
  (stream) => {
    stream.respond({ ":status": status, ...headers })
    stream.end(body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body))
  }
export const refusing = (status: number, reason: string, headers: Readonly<Record<string, string>> = {}) =>
  answering(status, { reason }, headers)
export const hanging: Reply = () => {}
export const hangingUp: Reply = (stream) => stream.session?.destroy()
/** Sends no more on this connection, and does not answer this one. */
export const goingAway: Reply = (stream) => {
  stream.session?.goaway(0)
  stream.session?.destroy()
}
export const resetting =
  (code: number): Reply =>
  (stream) =>
    stream.close(code)
export const breakingOff: Reply = (stream) => {
  stream.respond({ ":status": 400 })
  stream.write('{"reason":')
  setTimeout(() => stream.session?.destroy(), 10)
}

/** Apple's push service as far as it is called, which checks who calls. */
export class ApnsStandIn {
  baseUrl = ""
  readonly pushed: Array<Pushed> = []
  readonly providerTokens = new Set<string>()
  asked = 0
  sessions = 0
  private readonly mishaps: Array<Reply> = []
  readonly open = new Set<ServerHttp2Session>()

  /** The next requests meet this instead. */
  instead(reply: Reply, times = 1): void {
    for (let index = 0; index < times; index++) this.mishaps.push(reply)
  }

  readonly answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const chunks: Array<Buffer> = []
    stream.on("error", () => {})
    stream.on("data", (chunk: Buffer) => chunks.push(chunk))
    stream.on("end", () => {
      this.asked++
      const reply = this.mishaps.shift() ?? this.reply(headers, Buffer.concat(chunks))
      reply(stream)
    })
  }

  private reply(headers: IncomingHttpHeaders, body: Buffer): Reply {
    const token = /^\/3\/device\/([0-9a-f]+)$/i.exec(String(headers[":path"]))?.[1]
    if (headers[":method"] !== "POST") return refusing(405, "MethodNotAllowed")
    if (token === undefined) return refusing(404, "BadPath")
    if (!this.isProvider(headers.authorization)) return refusing(403, "InvalidProviderToken")
    if (headers["apns-topic"] !== topic) return refusing(400, "DeviceTokenNotForTopic")
    if (headers["apns-push-type"] !== "alert") return refusing(400, "InvalidPushType")
    if (body.length > 4096) return refusing(413, "PayloadTooLarge")
    this.pushed.push({ token, headers, payload: JSON.parse(body.toString()) as Pushed["payload"] })
    return answering(200)
  }

  private isProvider(authorization: string | undefined): boolean {
    const jwt = /^bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? ""
    const [head, claims, signature] = jwt.split(".")
    if (signature === undefined) return false
    const read = (part: string | undefined) =>
      JSON.parse(Buffer.from(part!, "base64url").toString()) as Readonly<Record<string, unknown>>
    const verified = verify(
      "sha256",
      Buffer.from(`${head}.${claims}`),
      { key: createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" })), dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url")
    )
    this.providerTokens.add(jwt)
    const { alg, kid } = read(head)
    return verified && alg === "ES256" && kid === keyId && read(claims)["iss"] === teamId
  }
}

/** A stand-in on the loopback, over TLS where it has a certificate, until the scope closes. */
export const listen = (certificate?: Certificate) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const site = new ApnsStandIn()
      const server = certificate === undefined ? createServer() : createSecureServer({ ...certificate })
      server.on("session", (session: ServerHttp2Session) => {
        site.sessions++
        site.open.add(session)
        session.on("error", () => {})
        session.on("close", () => site.open.delete(session))
      })
      server.on("stream", site.answer)
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as AddressInfo
      site.baseUrl = `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`
      return { site, server }
    }),
    ({ server, site }) =>
      Effect.promise(async () => {
        for (const session of site.open) session.destroy()
        await new Promise<void>((resolve) => server.close(() => resolve()))
      })
  ).pipe(Effect.map(({ site }) => site))

import { Effect } from "effect"
import { generateKeyPairSync, randomUUID, verify } from "node:crypto"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { certificateFor } from "./Certificates.ts"
import { answering, type Asked, handler, listen as listenTo, type Reply, StandIn } from "./StandIn.ts"

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 })
export const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
export const clientEmail = "push@portico-test.iam.gserviceaccount.com"
export const projectId = "portico-test"
const certificate = certificateFor("fcm.googleapis.com")

/** As Google refuses: `errorCode` is its messaging's own word. */
export const refusing = (
  code: number,
  status: string,
  errorCode?: string,
  message = "No.",
  headers: Readonly<Record<string, string>> = {}
) =>
  answering(
    code,
    {
      error: {
        code,
        message,
        status,
        details:
          errorCode === undefined ? [] : [{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode }]
      }
    },
    headers
  )

interface Message {
  readonly token: string
  readonly [key: string]: unknown
}

/** Google's messaging and what gives out access tokens for it, as far as they are called. */
export class FcmStandIn extends StandIn {
  port = 0
  connections = 0
  readonly messages: Array<Message> = []
  readonly bearers = new Set<string>()
  readonly ca = certificate.ca

  protected reply({ headers, method, path, text }: Asked): Reply {
    if (`${method} ${path}` === "POST /token") return this.grant(new URLSearchParams(text))
    if (`${method} ${path}` !== `POST /v1/projects/${projectId}/messages:send`) return refusing(404, "NOT_FOUND")
    if (!this.bearers.has(String(headers.authorization).slice(7))) return refusing(401, "UNAUTHENTICATED")
    const { message } = JSON.parse(text) as { readonly message: Message }
    this.messages.push(message)
    return answering(200, { name: `projects/${projectId}/messages/${randomUUID()}` })
  }

  private grant(form: URLSearchParams): Reply {
    const [head, claims, signature] = (form.get("assertion") ?? "").split(".")
    const invalid = answering(400, { error: "invalid_grant", error_description: "Invalid JWT Signature." })
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer" || signature === undefined)
      return invalid
    const bytes = Buffer.from(`${head}.${claims}`)
    if (!verify("RSA-SHA256", bytes, pair.publicKey, Buffer.from(signature, "base64url"))) return invalid
    const said = JSON.parse(Buffer.from(claims!, "base64url").toString()) as Readonly<Record<string, unknown>>
    if (said["iss"] !== clientEmail || said["aud"] !== `${this.baseUrl}/token`) return invalid
    const token = `ya29.${randomUUID()}`
    this.bearers.add(token)
    return answering(200, { access_token: token, expires_in: 3599, token_type: "Bearer" })
  }
}

/** A stand-in on the loopback, messaging over TLS, until the scope closes. */
export const listen = () =>
  Effect.gen(function* () {
    const site = yield* listenTo(new FcmStandIn())
    yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer({ key: certificate.key, cert: certificate.cert }, handler(site))
        server.on("secureConnection", () => site.connections++)
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
        site.port = (server.address() as AddressInfo).port
        return server
      }),
      (server) =>
        Effect.promise(async () => {
          server.closeAllConnections()
          await new Promise((resolve) => server.close(resolve))
        })
    )
    return site
  })

import { Effect } from "effect"
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import type { ServerResponse } from "node:http"
import * as Loopback from "./Loopback.ts"

export const secret = "a secret of at least thirty-two bytes"

const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 })
export const keys = {
  rsa: rsa(),
  rsaNext: rsa(),
  rsaStranger: rsa(),
  ec: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ed: generateKeyPairSync("ed25519")
}

export const jwk = (pair: { readonly publicKey: KeyObject }, more: object) => ({
  ...pair.publicKey.export({ format: "jwk" }),
  ...more
})
export const published = {
  rsa: jwk(keys.rsa, { kid: "rsa", alg: "RS256", use: "sig" }),
  rsaNext: jwk(keys.rsaNext, { kid: "rsa-next", alg: "RS256", use: "sig" }),
  ec: jwk(keys.ec, { kid: "ec", alg: "ES256" }),
  ed: jwk(keys.ed, { kid: "ed" })
}

type Signer = (input: string) => Buffer
export const withRsa =
  (key: KeyObject): Signer =>
  (input) =>
    sign("sha256", Buffer.from(input), key)
export const withEc =
  (key: KeyObject): Signer =>
  (input) =>
    sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" })
export const withEd =
  (key: KeyObject): Signer =>
  (input) =>
    sign(null, Buffer.from(input), key)
export const withHmac =
  (key: string | Buffer, digest = "sha256"): Signer =>
  (input) =>
    createHmac(digest, key).update(input).digest()
export const withNothing: Signer = () => Buffer.alloc(0)

const part = (value: object | string) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")

/** A token with exactly this header and these claims; a string stands for JSON text that no object can express. */
export const token = (header: object | string, claims: object | string, signer: Signer): string => {
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${signer(input).toString("base64url")}`
}

/** A server on the loopback that counts who comes by, and answers as told. */
export const listen = Effect.fnUntraced(function* (first: (response: ServerResponse) => void) {
  const site = { url: "", requests: 0, connections: 0, answer: first }
  const server = yield* Loopback.serve((_, response) => {
    site.requests++
    site.answer(response)
  })
  server.on("connection", () => site.connections++)
  site.url = `${Loopback.urlOf(server)}/jwks.json`
  return site
})

export const serving =
  (...set: ReadonlyArray<object>) =>
  (response: ServerResponse) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: set }))

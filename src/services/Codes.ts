import { Context, Layer, Redacted } from "effect"
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto"

/** How codes are kept: sealed while they wait to be sent, and after that only as a hash that needs our key. */
export class Codes extends Context.Service<
  Codes,
  {
    /** What only `open` can read, and only beside the same `label`. */
    readonly seal: (code: Redacted.Redacted, label: string) => string
    /** Dies of what was not sealed here, or beside another label. */
    readonly open: (sealed: string, label: string) => Redacted.Redacted
    /** Tells a code from another, of its owner and purpose and of no other. */
    readonly hash: (...parts: ReadonlyArray<string>) => string
  }
>()("portico/services/Codes") {
  static readonly layerWith = (secret: Redacted.Redacted) =>
    Layer.sync(Codes, () => {
      // Keys of their own: whatever else the secret signs is neither of the two.
      const keyFor = (use: string) =>
        createHmac("sha256", Redacted.value(secret)).update(`portico/services/Codes/${use}`).digest()
      const [sealing, hashing] = [keyFor("seal"), keyFor("hash")]

      return Codes.of({
        seal: (code, label) => {
          const iv = randomBytes(12)
          const cipher = createCipheriv("aes-256-gcm", sealing, iv).setAAD(Buffer.from(label))
          const text = Buffer.concat([cipher.update(Redacted.value(code), "utf8"), cipher.final()])
          return Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64url")
        },
        open: (sealed, label) => {
          const bytes = Buffer.from(sealed, "base64url")
          const decipher = createDecipheriv("aes-256-gcm", sealing, bytes.subarray(0, 12))
            .setAAD(Buffer.from(label))
            .setAuthTag(bytes.subarray(12, 28))
          return Redacted.make(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8"))
        },
        // As JSON, so that no two lists of parts are the same text.
        hash: (...parts) => createHmac("sha256", hashing).update(JSON.stringify(parts)).digest("base64url")
      })
    })
}

import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { createHmac, timingSafeEqual } from "node:crypto"
import { CustomerId, OrgId } from "../domain/Ids.ts"
import { FileId, FileNotFound } from "../domain/StoredFile.ts"

/** One file among those of all customers. */
export interface FileRef {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly id: FileId
}

export interface FileLink {
  readonly url: string
  readonly urlExpiresAt: Date
}

const minutes = 15

const Claims = Schema.fromJsonString(Schema.Tuple([OrgId, CustomerId, FileId, Schema.Int]))
const encode = Schema.encodeSync(Claims)
const decode = Schema.decodeUnknownEffect(Claims)

/** Addresses that download one file without a token of the customer's, for a while. */
export class FileLinks extends Context.Service<
  FileLinks,
  {
    readonly of: (file: FileRef) => Effect.Effect<FileLink>
    /** The file that a link is for; a link that has expired or was not made here is no file's. */
    readonly open: (link: string) => Effect.Effect<FileRef, FileNotFound>
  }
>()("portico/services/FileLinks") {
  static readonly layerWith = (options: { readonly secret: Redacted.Redacted; readonly publicUrl: string }) =>
    Layer.sync(FileLinks, () => {
      // A key of its own: whatever else the secret signs is not a link, nor the other way round.
      const key = createHmac("sha256", Redacted.value(options.secret)).update("portico/services/FileLinks").digest()
      const sealOf = (claims: string) => createHmac("sha256", key).update(claims).digest("base64url")

      const of = Effect.fnUntraced(function* ({ customerId, id, orgId }: FileRef) {
        const expires = (yield* Clock.currentTimeMillis) + minutes * 60_000
        const claims = Base64Url.encode(encode([orgId, customerId, id, expires]))
        return { url: `${options.publicUrl}/files/${claims}.${sealOf(claims)}`, urlExpiresAt: new Date(expires) }
      })

      const open = Effect.fnUntraced(function* (link: string) {
        const [claims = "", seal = "", ...rest] = link.split(".")
        // The text is compared, since many texts decode to the same bytes.
        const [sent, made] = [Buffer.from(seal), Buffer.from(sealOf(claims))]
        if (rest.length > 0 || sent.length !== made.length || !timingSafeEqual(sent, made)) {
          return yield* new FileNotFound()
        }
        const text = yield* Effect.orDie(Effect.fromResult(Base64Url.decodeString(claims)))
        const [orgId, customerId, id, expires] = yield* Effect.orDie(decode(text))
        if (expires <= (yield* Clock.currentTimeMillis)) return yield* new FileNotFound()
        return { orgId, customerId, id }
      })

      return FileLinks.of({ of, open })
    })
}

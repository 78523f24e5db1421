import { Schema, SchemaTransformation } from "effect"
import { Problem } from "./Problem.ts"

/** The versions that an `If-Match` header names (RFC 9110, section 13.1.1); `*` names whichever is there. */
export const IfMatch = Schema.String.annotate({
  description: 'Change only this version: the `ETag` of an earlier answer, such as `"3"`'
})
  .check(
    Schema.isPattern(
      /^(?:\*|(?:W\/)?"[\x21\x23-\x7e]{0,64}"(?:\s{0,8},\s{0,8}(?:W\/)?"[\x21\x23-\x7e]{0,64}"){0,15})$/u,
      {
        message: 'Expected * or entity tags such as "3"'
      }
    )
  )
  .pipe(
    Schema.decodeTo(
      Schema.NullOr(Schema.Array(Schema.Int)),
      SchemaTransformation.transform<ReadonlyArray<number> | null, string>({
        decode: (header) =>
          // A weak or foreign tag never matches strongly, so it names no version.
          header === "*" ? null : [...header.matchAll(/(?<!W\/)"([1-9]\d{0,8})"/g)].map((tag) => Number(tag[1])),
        encode: (versions) => (versions === null ? "*" : versions.map((version) => `"${version}"`).join(", "))
      })
    )
  )

/** As a Postgres array literal; null when any version will do. */
export const versionsLiteral = (ifMatch: typeof IfMatch.Type | undefined): string | null =>
  ifMatch === undefined || ifMatch === null ? null : `{${ifMatch.join()}}`

export class VersionMismatch extends Problem<VersionMismatch>()("VersionMismatch", {
  code: "version_mismatch",
  status: 412,
  title: "The record has changed",
  detail: "The record has changed since the version that If-Match names; read it again and repeat the change."
}) {}

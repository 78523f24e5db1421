import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { IdempotencyKey } from "../domain/Idempotency.ts"
import { IfMatch } from "../domain/Version.ts"

/** A single record's answer: its version is its entity tag, so `If-None-Match` and `If-Match` work on it. */
export const recordOf = <S extends Schema.Top>(schema: S) =>
  HttpApiSchema.WithHeaders(schema, {
    etag: Schema.String.annotate({ description: "The record's version", examples: ['"3"'] })
  })

export const versioned = <A extends { readonly version: number }>(record: A) =>
  HttpApiSchema.withHeaders({ body: record, headers: { etag: `"${record.version}"` } })

/** Headers of a write. */
export const writeHeaders = { "idempotency-key": Schema.optionalKey(IdempotencyKey) }

/** Headers of a write that changes a record which has versions. */
export const changeHeaders = { ...writeHeaders, "if-match": Schema.optionalKey(IfMatch) }

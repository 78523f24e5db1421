import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { IdempotencyKey } from "../domain/Idempotency.ts"
import { IfMatch } from "../domain/Version.ts"

const etag = Schema.String.annotate({ description: "The record's version", examples: ['"3"'] })

/** A single record's answer: its version is its entity tag, so `If-None-Match` and `If-Match` work on it. */
export const recordOf = <S extends Schema.Top>(schema: S) => HttpApiSchema.WithHeaders(schema, { etag })

export const versioned = <A extends { readonly version: number }>(record: A) =>
  HttpApiSchema.withHeaders({ body: record, headers: { etag: `"${record.version}"` } })

/** A record that this request made, and where it is from now on. */
export class Created<A> {
  readonly record: A
  readonly location: string
  constructor(record: A, location: string) {
    this.record = record
    this.location = location
  }
}

/** The 201 beside a 200: a class of its own, because the two bodies look the same. */
export const createdOf = <S extends Schema.Top>(schema: S) =>
  Schema.declare((value): value is Created<S["Type"]> => value instanceof Created).pipe(
    HttpApiSchema.encodeToWithHeaders(
      {
        body: schema.pipe(HttpApiSchema.status(201)),
        headers: { location: Schema.String, etag: Schema.optionalKey(etag) }
      },
      {
        decode: (pair) => {
          const { body, headers } = pair as {
            readonly body: S["Type"]
            readonly headers: { readonly location: string }
          }
          return new Created(body, headers.location)
        },
        encode: ({ location, record }) => {
          const version = (record as { readonly version?: number }).version
          const headers = version === undefined ? { location } : { location, etag: `"${version}"` }
          return { body: record as never, headers }
        }
      }
    )
  )

/** What has been taken on, and where it can be asked after. */
export const acceptedOf = <S extends Schema.Top>(schema: S) =>
  HttpApiSchema.WithHeaders(schema.pipe(HttpApiSchema.status(202)), { location: Schema.String })

export const accepted = <A>(record: A, location: string) =>
  HttpApiSchema.withHeaders({ body: record, headers: { location } })

/** Headers of a write. */
export const writeHeaders = { "idempotency-key": Schema.optionalKey(IdempotencyKey) }

/** Headers of a write that changes a record which has versions. */
export const changeHeaders = { ...writeHeaders, "if-match": Schema.optionalKey(IfMatch) }

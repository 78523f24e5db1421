import { Effect, SchemaIssue } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { InternalError, PayloadTooLarge, ServiceUnavailable, UnsupportedMediaType } from "./Problems.ts"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const places = { Params: "/path", Query: "/query", Headers: "/header", Payload: "/body" } as const

const segment = (key: PropertyKey | { readonly key: PropertyKey }) =>
  String(typeof key === "object" ? key.key : key)
    .replaceAll("~", "~0")
    .replaceAll("/", "~1")

/** Says of a request that does not decode what is wrong with it and where, as JSON pointers (RFC 6901). */
export class Validation extends HttpApiMiddleware.Service<Validation>()("portico/http/Validation", {
  error: [InvalidRequest, PayloadTooLarge, UnsupportedMediaType, InternalError, ServiceUnavailable]
}) {
  static readonly layer = HttpApiMiddleware.layerSchemaErrorTransform(Validation, (error) => {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
    const place = places[error.kind]
    return Effect.fail(
      new InvalidRequest({
        errors: issuesOf(error.cause.issue).issues.map(({ message, path = [] }) => ({
          pointer: [place, ...path.map(segment)].join("/"),
          message
        }))
      })
    )
  })
}

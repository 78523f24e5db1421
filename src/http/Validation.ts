import { Effect, type Schema, SchemaIssue } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { InternalError, PayloadTooLarge, ServiceUnavailable, UnsupportedMediaType } from "./Problems.ts"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const places = { Params: "/path", Query: "/query", Headers: "/header", Payload: "/body" } as const

const segment = (key: PropertyKey | { readonly key: PropertyKey }) =>
  String(typeof key === "object" ? key.key : key)
    .replaceAll("~", "~0")
    .replaceAll("/", "~1")

/** What is wrong in one place of a request. */
export const invalid = (place: keyof typeof places, { issue }: Schema.SchemaError) =>
  new InvalidRequest({
    errors: issuesOf(issue).issues.map(({ message, path = [] }) => ({
      pointer: [places[place], ...path.map(segment)].join("/"),
      message
    }))
  })

/** Says of a request that does not decode what is wrong with it and where, as JSON pointers (RFC 6901). */
export class Validation extends HttpApiMiddleware.Service<Validation>()("portico/http/Validation", {
  error: [InvalidRequest, PayloadTooLarge, UnsupportedMediaType, InternalError, ServiceUnavailable]
}) {
  static readonly layer = HttpApiMiddleware.layerSchemaErrorTransform(Validation, (error) => {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
    return Effect.fail(invalid(error.kind, error.cause))
  })
}

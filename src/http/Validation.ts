import { Effect, type Schema, SchemaAST, SchemaIssue } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { InternalError, PayloadTooLarge, ServiceUnavailable, UnsupportedMediaType } from "./Problems.ts"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const places = { Params: "/path", Query: "/query", Headers: "/header", Payload: "/body" } as const

const segment = (key: PropertyKey | { readonly key: PropertyKey }) =>
  String(typeof key === "object" ? key.key : key)
    .replaceAll("~", "~0")
    .replaceAll("/", "~1")

/** What a schema with a name asks for: its name says that to us alone. */
const meantBy = (ast: SchemaAST.AST): string | undefined => {
  if (!SchemaAST.isUnion(ast) || !ast.types.every(SchemaAST.isLiteral)) return undefined
  return ast.types.map(({ literal }) => JSON.stringify(String(literal))).join(" | ")
}

const meant = (issue: SchemaIssue.Issue): ReadonlyArray<readonly [string, string]> => {
  if ("issue" in issue) return meant(issue.issue)
  if ("issues" in issue && issue.issues.length > 0) return issue.issues.flatMap(meant)
  const name = "ast" in issue ? SchemaAST.resolveIdentifier(issue.ast) : undefined
  const words = "ast" in issue ? meantBy(issue.ast) : undefined
  return name === undefined || words === undefined ? [] : [[`Expected ${name}`, `Expected ${words}`]]
}

/** What is wrong in one place of a request, each thing once. */
export const invalid = (place: keyof typeof places, { issue }: Schema.SchemaError) => {
  const words = new Map(meant(issue))
  const errors = new Map(
    issuesOf(issue).issues.map(({ message: said, path = [] }) => {
      const pointer = [places[place], ...path.map(segment)].join("/")
      const message = words.get(said) ?? said
      return [JSON.stringify([pointer, message]), { pointer, message }]
    })
  )
  return new InvalidRequest({ errors: [...errors.values()] })
}

/** Says of a request that does not decode what is wrong with it and where, as JSON pointers (RFC 6901). */
export class Validation extends HttpApiMiddleware.Service<Validation>()("portico/http/Validation", {
  error: [InvalidRequest, PayloadTooLarge, UnsupportedMediaType, InternalError, ServiceUnavailable]
}) {
  static readonly layer = HttpApiMiddleware.layerSchemaErrorTransform(Validation, (error) => {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
    return Effect.fail(invalid(error.kind, error.cause))
  })
}

import { Context, type JsonSchema, Schema } from "effect"
import { HttpApi, type HttpApiGroup, type OpenApi } from "effect/http-api"
import { edgeParameters, headers, info, securitySchemes, sharedParameters } from "./DocumentParts.ts"
import { FollowsAccount } from "./Remembered.ts"
import { open, ownName, problemOf, reachable, schemasIn, tidy } from "./DocumentSchemas.ts"

type Json = JsonSchema.JsonSchema

interface Parameter extends Omit<OpenApi.OpenAPISpecParameter, "schema"> {
  readonly schema: Json
}

/**
 * Makes the OpenAPI document that HttpApi derives say all that the server does: numbers and booleans of a query as what
 * they are, the orgid header, which failures an operation can really meet, the headers of answers.
 */
export const document = <Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<string, Groups>) => {
  return (derived: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const { components, openapi, paths, tags } = tidy(derived) as OpenApi.OpenAPISpec
    const schemas = Object.entries(components.schemas).map(([name, schema]) => [ownName(name), schema] as const)
    const schemaOf = Object.fromEntries(schemas)
    const scalars = scalarParameters(api)
    const following = operationsThatFollow(api)
    const responses: Record<string, unknown> = {}
    const parameters: Record<string, unknown> = { ...edgeParameters }
    const sent = new Set<string>()

    const failure = (names: ReadonlyArray<string>) => {
      const key = `${names.join("Or")}Response`
      const [schema, ...others] = names.map((name) => ref("schemas", name))
      const problems = names.map((name) => schemaOf[name]?.["properties"] as Readonly<Record<string, Json>>)
      responses[key] ??= {
        description: problems.map(({ title }) => title?.["const"]).join(" | "),
        headers: refs("headers", [
          ...everywhere,
          ...(problems.some(({ status }) => status?.["const"] === 401) ? ["WWW-Authenticate"] : []),
          ...(problems.some(({ retryAfter }) => retryAfter !== undefined) ? ["Retry-After"] : [])
        ]),
        content: {
          "application/problem+json": {
            schema: names.length === 1 ? schema : { oneOf: [schema, ...others] }
          }
        }
      }
      return ref("responses", key)
    }

    const operation = (method: string, operation: OpenApi.OpenAPISpecOperation) => {
      const { operationId, parameters: inputs, requestBody, responses: outcomes, ...head } = operation
      const inOrg = head.security.length > 0
      const reads = method === "get"
      const tagged = reads && (following.has(operationId) || "etag" in (outcomes[200]?.headers ?? {}))
      // A write that takes no body still refuses a large or compressed one.
      const inapplicable = reads
        ? ["IdempotencyInProgress", "IdempotencyKeyReused", "PayloadTooLarge", "UnsupportedMediaType"]
        : []
      reachable(requestBody, schemaOf, sent)

      const answers: Record<string, unknown> = tagged ? { 304: ref("responses", "NotModifiedResponse") } : {}
      for (const [status, { content, description, headers: own }] of Object.entries(outcomes)) {
        if (Number(status) < 400) {
          answers[status] = {
            description,
            headers: {
              ...headersOf(own),
              ...refs("headers", [
                ...(following.has(operationId) ? ["ETag"] : []),
                ...(inOrg ? everywhere : [requestId]),
                ...(reads ? [] : [replayed])
              ])
            },
            ...(content === undefined ? {} : { content: open(content) })
          }
        } else {
          const names = schemasIn(content).filter((name) => !inapplicable.includes(name))
          if (names.length > 0) answers[status] = failure(names)
        }
      }

      const declared = inputs.map(({ schema, ...rest }) => {
        const parameter = parameterOf({
          ...rest,
          schema: scalars.get(`${operationId} ${rest.name}`) ?? (schema as Json)
        })
        const name = sharedParameters[parameter.name]
        if (name === undefined) return parameter
        parameters[name] ??= parameter
        return JSON.stringify(parameters[name]) === JSON.stringify(parameter) ? ref("parameters", name) : parameter
      })
      const common = [...(inOrg ? ["OrgId"] : []), ...(tagged ? ["IfNoneMatch"] : [])].map((name) =>
        ref("parameters", name)
      )
      return {
        ...head,
        operationId,
        parameters: [...common, ...declared],
        ...(requestBody === undefined ? {} : { requestBody }),
        responses: answers
      }
    }

    const documented = Object.entries(paths).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, of]) => [method, operation(method, of as OpenApi.OpenAPISpecOperation)])
      )
    ])
    responses["NotModifiedResponse"] = {
      description: "Nothing has changed since the version that If-None-Match names",
      headers: refs("headers", ["ETag", ...everywhere])
    }
    // Without servers it means the one it comes from; "/" would mean the same, but clients put it before each path.
    return {
      openapi,
      info,
      tags,
      paths: Object.fromEntries(documented),
      components: {
        securitySchemes,
        parameters: sorted(Object.entries(parameters)),
        headers,
        responses: sorted(Object.entries(responses)),
        schemas: sorted(schemas.map(([name, schema]) => [name, sent.has(name) ? schema : open(problemOf(schema))]))
      }
    }
  }
}

const requestId = "X-Request-Id"
const everywhere = ["RateLimit", "RateLimit-Policy", requestId]
const replayed = "Idempotency-Replayed"

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` })

const refs = (kind: string, names: ReadonlyArray<string>) =>
  Object.fromEntries(names.map((name) => [name, ref(kind, name)]))

const sorted = (entries: ReadonlyArray<readonly [string, unknown]>) =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))

/** Their answers get an entity tag from outside. */
const operationsThatFollow = <Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<string, Groups>) => {
  const found = new Set<string>()
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, group }) => {
      if (Context.get(endpoint.annotations, FollowsAccount)) found.add(`${group.identifier}.${endpoint.identifier}`)
    }
  })
  return found
}

/** The parameters that are numbers or booleans: HttpApi shows the text that they are on the wire. */
const scalarParameters = <Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<string, Groups>) => {
  const found = new Map<string, Json>()
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, group }) => {
      for (const part of [endpoint.params, endpoint.query]) {
        if (part === undefined) continue
        const { schema } = Schema.toJsonSchemaDocument(Schema.toType(part))
        for (const [name, property] of Object.entries((schema["properties"] ?? {}) as Readonly<Record<string, Json>>)) {
          if (!["integer", "number", "boolean"].includes(property["type"] as string)) continue
          found.set(`${group.identifier}.${endpoint.identifier} ${name}`, property)
        }
      }
    }
  })
  return found
}

/** What is optional has no example: whoever tries a request out as it is shown would send it. */
const parameterOf = ({ schema: { description, examples, ...schema }, ...parameter }: Parameter) => {
  const name = parameter.in === "header" ? headerName(parameter.name) : parameter.name
  const list = schema["type"] === "array" && parameter.in === "query" ? { style: "form", explode: true } : {}
  return {
    ...parameter,
    name,
    ...(description === undefined ? {} : { description }),
    ...list,
    schema: parameter.required && examples !== undefined ? { ...schema, examples } : schema
  }
}

const headersOf = (own: Readonly<Record<string, OpenApi.OpenAPISpecHeader>> = {}) =>
  Object.fromEntries(
    Object.entries(own).map(([name, header]) => {
      const known = Object.keys(headers).find((key) => key.toLowerCase() === name)
      return known === undefined ? [headerName(name), header] : [known, ref("headers", known)]
    })
  )

const headerName = (name: string) => name.replace(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase())

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import { OpenApi } from "effect/http-api"
import { Api } from "../../src/http/Api.ts"
import type { Answer } from "./App.ts"

export type Json = { readonly [key: string]: any }

export interface Operation {
  readonly method: string
  readonly path: string
  readonly operation: Json
}

export const spec: Json = OpenApi.fromApi(Api)

export const operations: ReadonlyArray<Operation> = Object.entries(spec["paths"]).flatMap(([path, item]) =>
  Object.entries(item as Json).map(([method, operation]) => ({ method, path, operation }))
)

/** What a reference leads to; anything else is what it is. */
export const resolve = (value: Json): Json => {
  if (typeof value["$ref"] !== "string") return value
  const target = value["$ref"].match(/^#\/components\/(\w+)\/([\w.-]+)$/)
  const found = target === null ? undefined : spec["components"][target[1]!]?.[target[2]!]
  if (found === undefined) throw new Error(`${value["$ref"]} leads nowhere`)
  return resolve(found)
}

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, validateFormats: false })
/** Components as definitions, which JSON Schema knows. */
const asDefinitions = (schema: Json, of: string): Json =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', `"${of}#/$defs/`))
ajv.addSchema({ $id: "openapi", $defs: asDefinitions(spec["components"].schemas, "") })

const compiled = new WeakMap<Json, ValidateFunction>()

/** The validator of a component, or of a schema that refers to components. */
export const validatorOf = (schema: Json): ValidateFunction => {
  const known = compiled.get(schema) ?? ajv.compile(asDefinitions(schema, "openapi"))
  compiled.set(schema, known)
  return known
}

/** What of an answer the document does not know, or denies; nothing if it is as documented. */
export const deviations = (method: string, path: string, answer: Answer): ReadonlyArray<string> => {
  const found = operations.find((operation) => operation.method === method && operation.path === path)
  if (found === undefined) return [`${method} ${path} is not documented`]
  const documented = found.operation["responses"][answer.status]
  if (documented === undefined) return [`${method} ${path} may not answer ${answer.status}`]
  const { content = {}, headers = {} } = resolve(documented)

  const missing = Object.entries(headers as Readonly<Record<string, Json>>)
    .filter(
      ([name, header]) => resolve(header)["required"] === true && answer.headers[name.toLowerCase()] === undefined
    )
    .map(([name]) => `${name} is missing`)
  const type = answer.headers["content-type"]?.split(";")[0]
  if (type === undefined || content[type] === undefined) {
    const expected = Object.keys(content)
    return [...missing, ...(type === undefined && expected.length === 0 ? [] : [`the content is ${type}`])]
  }
  const validate = validatorOf(content[type].schema)
  if (validate(answer.json)) return missing
  return [...missing, ...(validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)]
}

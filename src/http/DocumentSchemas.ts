import type { JsonSchema } from "effect"

type Json = JsonSchema.JsonSchema

/** HttpApi calls the JSON of a class `OrderNotFoundEncoded`. */
export const ownName = (name: string) => name.replace(/Encoded$/, "")

/** Names as a person would give them, constants as constants, and no mention of keys that must not be sent. */
export const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy)
  if (!isObject(value)) return value
  const { enum: values, ...rest } = value
  const kept = Object.entries(rest).filter(([, inner]) => !isNever(inner))
  const out = Object.fromEntries(kept.map(([key, inner]) => [key, tidy(inner)]))
  if (typeof out["$ref"] === "string") out["$ref"] = ownName(out["$ref"])
  // What a property says of a component stands beside the reference in OpenAPI 3.1, and of a string beside its type.
  const { allOf, ...beside } = out
  const [component, more] = Array.isArray(allOf) ? allOf : []
  if (component?.$ref !== undefined && Object.keys(more).join() === "description") return { ...component, ...more }
  if (component !== undefined && Object.keys(component).join() === "description") return { ...beside, ...component }
  if (!Array.isArray(values)) return out
  if (values.length > 1) return { ...out, enum: values }
  return { ...out, type: Number.isInteger(values[0]) ? "integer" : out["type"], const: values[0] }
}

/** Requests are closed, as the server refuses unknown keys; answers are open, as they may gain some. */
export const open = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(open)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([key, inner]) => key !== "additionalProperties" || inner !== false)
  return Object.fromEntries(kept.map(([key, inner]) => [key, open(inner)]))
}

/** The edge fills in what the error leaves out, so all of a problem is always there. */
export const problemOf = (schema: Json): Json => {
  const { code, detail, instance, requestId, status, title, type, ...rest } = (schema["properties"] ?? {}) as Json
  if (requestId === undefined || instance === undefined) return schema
  // Not every generator of clients knows `const`.
  const known = { ...(code as Json), enum: [(code as Json)["const"]] }
  const members = { type, title, status, detail, instance, code: known, requestId }
  const required = new Set([...Object.keys(members), ...(schema["required"] as ReadonlyArray<string>)])
  return { ...schema, properties: { ...members, ...rest }, required: [...required] }
}

/** The names of the components that a value refers to. */
export const schemasIn = (value: unknown): ReadonlyArray<string> =>
  [...JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]!)

/** Adds the names of the components that a value needs, by way of others too. */
export const reachable = (from: unknown, schemas: Readonly<Record<string, Json>>, seen: Set<string>) => {
  for (const name of schemasIn(from)) {
    if (seen.has(name)) continue
    seen.add(name)
    reachable(schemas[name], schemas, seen)
  }
}

const isNever = (schema: unknown) =>
  isObject(schema) && isObject(schema["not"]) && Object.keys(schema["not"]).length === 0

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

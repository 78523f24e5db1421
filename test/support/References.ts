import type { Part } from "./Forms.ts"
import { type Json, operations, resolve } from "./OpenApiDocument.ts"

/** A request as a recipe words it. */
export interface Request {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
  readonly form?: ReadonlyArray<Part>
}

/** What names a thing or a person: by these names the document's fields are told from texts, numbers and choices. */
const identifies =
  /(?:Id|Ids|Number|Token|Key|Paths?|Reference)$|^(?:id|path|prefix|link|number|token|attachments|documents|email|phone|code|reference|since)$/

const fieldsOf = function* (schema: Json, place: string, key: string): Generator<string> {
  const whole = resolve(schema)
  for (const inner of [...(whole["anyOf"] ?? []), ...(whole["oneOf"] ?? []), ...(whole["allOf"] ?? [])]) {
    yield* fieldsOf(inner, place, key)
  }
  for (const [name, inner] of Object.entries<Json>(whole["properties"] ?? {})) {
    yield* fieldsOf(inner, `${place}.${name}`, name)
  }
  if (typeof whole["items"] === "object" && !Array.isArray(whole["items"])) {
    yield* fieldsOf(whole["items"], `${place}[]`, key)
  }
  const isLeaf = ["string", "integer", "number"].includes(whole["type"]) && whole["format"] !== "binary"
  const isChoice = whole["enum"] !== undefined || "const" in whole
  if (isLeaf && !isChoice && identifies.test(key)) yield place
}

/** Every place of an operation in which an identifier enters: `path.orderId`, `body.comment.attachments[]`. */
export const placesOf = (operation: Json): ReadonlyArray<string> => {
  const places = new Set<string>()
  for (const { in: where, name, schema } of operation["parameters"].map(resolve)) {
    if (where === "header") continue
    for (const place of fieldsOf(schema, `${where}.${name}`, name)) places.add(place)
  }
  const content = operation["requestBody"]?.content ?? {}
  for (const [type, { schema }] of Object.entries<Json>(content)) {
    for (const place of fieldsOf(schema, type === "multipart/form-data" ? "form" : "body", "")) places.add(place)
  }
  return [...places]
}

export const operationOf = (id: string) => operations.find(({ operation }) => operation["operationId"] === id)!

const stepsOf = (place: string) => place.replaceAll("[]", ".0").split(".")

/** What stands in a place of a request, if anything does. */
export const valueAt = (request: Request, place: string): string | undefined => {
  const [where, ...steps] = stepsOf(place)
  if (where === "form") return request.form?.find(({ name }) => name === steps[0])?.content.toString()
  let at: unknown = request[where as "path" | "query" | "body"]
  for (const step of steps) at = (at as Json | undefined)?.[step]
  return at === undefined || at === null ? undefined : String(at)
}

/** The same request with something else in a place. */
export const withValueAt = (request: Request, place: string, value: string): Request => {
  const [where, ...steps] = stepsOf(place)
  if (where === "form") {
    const form = request.form!.map((part) => (part.name === steps[0] ? { ...part, content: value } : part))
    return { ...request, form }
  }
  const copy = structuredClone(request) as Request & Record<string, unknown>
  let at = copy as Record<string, unknown>
  for (const step of [where!, ...steps.slice(0, -1)]) at = at[step] as Record<string, unknown>
  // What takes ids may take a word in their place.
  if (typeof at === "object") at[steps.at(-1)!] = value
  return copy
}

/** An identifier of the same form and length that names nothing. */
export const missingLike = (value: string): string =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/.test(value)
    ? "ffffffff-ffff-7fff-bfff-ffffffffffff"
    : value.replace(/(?<=^pm_|^)(?!pm_).+$/s, (rest) => rest.replace(/[0-9]/g, "9").replace(/[A-Za-z]/g, "q"))

/** Where to send it. */
export const urlOf = (path: string, { path: params = {}, query = {} }: Request): string => {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? `{${name}}`))
  const search = new URLSearchParams(query).toString()
  return search === "" ? filled : `${filled}?${search}`
}

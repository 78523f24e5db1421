import { fromPattern } from "./FromPattern.ts"
import * as Hostile from "./Hostile.ts"
import { type Json, resolve } from "./OpenApiDocument.ts"

export type Random = (below: number) => number
export const pick = <A>(random: Random, from: ReadonlyArray<A>): A => from[random(from.length)]!

/** What the server knows of a value beyond its schema: that a number can be called, that there is such a zone. */
const known: Readonly<Record<string, ReadonlyArray<string>>> = {
  phone: ["+442079460958", "+14155552671", "+4930123456", "+81312345678"],
  language: ["en", "en-GB", "de", "pt-BR", "zh-Hant-TW"],
  timezone: ["Europe/Berlin", "UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"],
  country: ["GB", "US", "DE", "IE", "JP"],
  currency: ["USD", "USD", "USD", "EUR"],
  folder: ["", "receipts", "receipts/2026", "Belege für März"]
}
const formats: Readonly<Record<string, (random: Random) => string>> = {
  email: (random) => `a${random(1e6)}@${pick(random, ["example.com", "mail.example.co.uk"])}`,
  uri: (random) => `https://example.com/${random(1e6)}?q=%20`,
  "date-time": (random) =>
    pick(random, [
      "2026-11-23T10:00:00.000Z",
      "2028-02-29T23:59:59Z",
      "1999-12-31T00:00:00.123456+14:00",
      "9998-01-01T00:00:00Z"
    ]),
  date: (random) => pick(random, ["2026-11-23", "2028-02-29", "2027-01-01"]),
  binary: () => "hello"
}
const alphabet = [
  ..."abc XYZ 0189 .,-_'\"<>&%$/\\{}[]();:=+@~#|",
  "é",
  "ß",
  "漢",
  "\u{1f9f5}",
  "\u202e",
  "\u200d",
  "\n",
  "\t",
  "א"
]

const textOf = (random: Random, { maxLength = 200, minLength = 0, pattern }: Json, key: string): string => {
  if (known[key] !== undefined) return pick(random, known[key])
  if (pattern !== undefined && !pattern.startsWith("^[^")) return fromPattern(pattern)(random)
  const edge = random(20)
  const length =
    edge === 0 ? maxLength : edge === 1 ? minLength : minLength + random(Math.min(24, maxLength - minLength) + 1)
  // What is cut or trimmed away by nobody: a letter at each end.
  const inner = Array.from({ length: Math.max(0, length - 2) }, () => pick(random, alphabet)).join("")
  return length === 0 ? "" : length === 1 ? "a" : `a${inner}z`
}

const numberOf = (random: Random, { maximum = 1000, minimum = 0, type }: Json): number => {
  const edge = random(8)
  if (edge === 0) return minimum
  if (edge === 1) return maximum
  const number = minimum + random(Math.min(maximum - minimum, 1000) + 1)
  return type === "integer" ? number : number + random(100) / 100 > maximum ? maximum : number + random(100) / 100
}

/** A value that the schema takes. */
export const validOf = (random: Random, schema: Json, key = ""): unknown => {
  const whole = resolve(schema)
  if ("const" in whole) return whole["const"]
  if (whole["enum"] !== undefined) return pick(random, whole["enum"])
  const choices = whole["anyOf"] ?? whole["oneOf"]
  if (choices !== undefined) return validOf(random, pick(random, choices), key)
  if (whole["format"] !== undefined && formats[whole["format"]] !== undefined && whole["type"] === "string") {
    return formats[whole["format"]]!(random)
  }
  const type = Array.isArray(whole["type"]) ? pick<string>(random, whole["type"]) : whole["type"]
  if (type === "string") return textOf(random, whole, key)
  if (type === "integer" || type === "number") return numberOf(random, whole)
  if (type === "boolean") return random(2) === 0
  if (type === "null") return null
  if (type === "array") {
    const least = whole["minItems"] ?? 0
    const length = Math.min(least + random(3), whole["maxItems"] ?? 3)
    const items = Array.from({ length }, () => validOf(random, whole["items"] ?? {}, key))
    return whole["uniqueItems"] === true ? [...new Set(items)] : items
  }
  const value: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries<Json>(whole["properties"] ?? {})) {
    if (whole["required"]?.includes(name) || random(2) === 0) value[name] = validOf(random, inner, name)
  }
  return value
}

/** Every place within a value: keys and indexes from the root. */
const placesIn = function* (value: unknown, path: ReadonlyArray<string> = []): Generator<ReadonlyArray<string>> {
  yield path
  if (typeof value !== "object" || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* placesIn(inner, [...path, key])
}

const marker = "FUZZ-VALUE"
const filled = (value: unknown, path: ReadonlyArray<string>, json: string): string => {
  const put = (at: unknown, [key, ...rest]: ReadonlyArray<string>): unknown => {
    if (key === undefined) return marker
    const copy = (Array.isArray(at) ? [...at] : { ...(at as object) }) as Record<string, unknown>
    copy[key] = put(copy[key], rest)
    return copy
  }
  return JSON.stringify(put(value, path)).replace(`"${marker}"`, () => json)
}

/** A JSON text with one thing in it that is probably wrong; what of it is, its schema says. */
export const spoiled = (random: Random, value: unknown): string => {
  const places = [...placesIn(value)]
  const place = pick(random, places)
  const hostile = () => (random(2) === 0 ? pick(random, Hostile.values) : JSON.stringify(pick(random, Hostile.strings)))
  switch (random(6)) {
    case 0: {
      const objects = places.filter((path) => {
        const at = path.reduce<unknown>((at, key) => (at as Json)[key], value)
        return typeof at === "object" && at !== null && !Array.isArray(at)
      })
      const extra = pick(random, ["customerId", "orgId", "__proto__", "constructor", "nope", "ID", "version"])
      return filled(value, [...pick(random, objects.length > 0 ? objects : [[]]), extra], hostile())
    }
    case 1: {
      const copy = structuredClone(value)
      const inner = places.filter((path) => path.length > 0)
      if (inner.length === 0) return hostile()
      const path = pick(random, inner)
      const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Json)[key], copy) as Record<string, unknown>
      if (Array.isArray(parent)) parent.push(...Array.from({ length: 1001 }, () => parent[0]))
      else delete parent[path.at(-1)!]
      return JSON.stringify(copy)
    }
    case 2:
      return filled(
        value,
        place,
        JSON.stringify(pick(random, ["\u0000", "a\ud800", "a".repeat(20_001), "\u{1f9f5}".repeat(2001)]))
      )
    default:
      return filled(value, place, hostile())
  }
}

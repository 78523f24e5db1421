import { Schema } from "effect"

const limits = { depth: 5, keys: 100, bytes: 16_384 } as const

const Value = Schema.Unknown.check(
  Schema.makeFilter(
    (value) =>
      isKept(value, limits.depth - 1) ||
      `Expected JSON nested up to ${limits.depth} levels, in valid UTF-8 without NUL characters, whose numbers need no rounding`
  )
)

/** What a form was filled in with: JSON of any shape, within limits, that Postgres keeps and gives back as it was. */
export const FormData = Schema.Record(Schema.String, Value)
  .check(
    Schema.isMaxProperties(limits.keys),
    Schema.makeFilter(
      (form) =>
        (Object.keys(form).every(isText) && new TextEncoder().encode(JSON.stringify(form)).length <= limits.bytes) ||
        "Expected 16 KiB of JSON at most, its keys in valid UTF-8 without NUL characters"
    )
  )
  // After the check, which a name from before would not cover.
  .annotate({ identifier: "FormData" })
export type FormData = typeof FormData.Type

const isText = (text: string): boolean => /^[^\u0000\uFFFD\uD800-\uDFFF]*$/u.test(text)

const isKept = (value: unknown, depth: number): boolean => {
  if (typeof value === "string") return isText(value)
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  if (value === null || typeof value === "boolean") return true
  return depth > 0 && Object.entries(value as object).every(([key, inner]) => isText(key) && isKept(inner, depth - 1))
}

import { Schema } from "effect"

// Postgres text takes no NUL and UTF-8 no lone surrogate; U+FFFD is what a body that was not UTF-8 has become by now.
const wellFormed = Schema.isPattern(/^[^\u0000\uFFFD\uD800-\uDFFF]*$/u, {
  message: "Expected text without NUL characters, in valid UTF-8",
  // Not every engine that reads the document knows surrogates, and JSON in UTF-8 cannot hold a lone one as it is.
  toJsonSchema: () => ({ pattern: "^[^\\u0000\\uFFFD]*$" })
})

/** Text that a person wrote, counted in code points, as JSON Schema counts it. */
export const Text = (minimum: number, maximum: number, description?: string) =>
  Schema.String.annotate(description === undefined ? {} : { description }).check(
    Schema.isMinCodePoints(minimum, { message: `Expected at least ${minimum} character${minimum === 1 ? "" : "s"}` }),
    Schema.isMaxCodePoints(maximum, { message: `Expected at most ${maximum} characters` }),
    wellFormed
  )

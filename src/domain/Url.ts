import { Schema } from "effect"

/** An http or https address that a page may show or link to. */
export const Url = Schema.String.annotate({ format: "uri" }).check(
  Schema.isPattern(/^https?:\/\/[\x21-\x7e]{1,2000}$/u, { message: "Expected an http or https address" })
)

import { Schema } from "effect"
import { OrgId } from "../domain/Ids.ts"

const description = `
What a customer may see and do in their own account: \`/client-data\`, for portals and apps.
How the org's systems put it there: \`/platform\`, from server to server.

**Tenant.** Every request names its org in the \`orgid\` header. What belongs to another org or customer answers as if it
did not exist.

**Identity.** Customers send \`Authorization: Bearer <jwt>\`, platforms \`x-api-key\`.

**Errors** are \`application/problem+json\` (RFC 9457): branch on \`code\`, show \`detail\`, report \`requestId\`.
Besides what each operation lists, an unknown path answers 404 \`not_found\` and a wrong method 405 \`method_not_allowed\`
with \`Allow\`.

**Lists** take \`p\`, \`ps\`, \`s\`, \`st\`, or a \`cursor\`, which neither skips nor repeats a row while others are added.

**Writes.** An absent key stays as it is, \`null\` clears, an unknown key is refused. With an \`Idempotency-Key\` a write
can be sent again safely: the first answer comes back.

**Versions.** Single records carry \`version\` and \`ETag\`: \`If-None-Match\` saves reading what is known, \`If-Match\`
keeps a change from overwriting another. The \`ETag\` of a list, the dashboard or the account is for \`If-None-Match\` only.

**Values.** Instants are ISO 8601 in UTC; money is in the currency's minor unit; ids are opaque. Answers may gain fields.
`.trim()

export const info = {
  title: "Portico",
  version: "0.1.0",
  summary: "The customer account API behind a customer portal",
  description,
  license: { name: "MIT", identifier: "MIT" }
}

export const securitySchemes = {
  bearer: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "The customer's token, from the org's identity provider; its `org` is the one that `orgid` names"
  },
  apiKey: {
    type: "apiKey",
    name: "x-api-key",
    in: "header",
    description: "A key of the org that `orgid` names, for its servers only"
  }
}

/** Parameters that the edge reads. */
export const edgeParameters = {
  OrgId: {
    name: "orgid",
    in: "header",
    required: true,
    description: "The org's id",
    schema: { ...Schema.toJsonSchemaDocument(OrgId).schema, examples: ["demo"] }
  },
  IfNoneMatch: {
    name: "If-None-Match",
    in: "header",
    required: false,
    description: 'The `ETag` of an earlier answer, such as `"3"`: 304 if it is still the same',
    schema: { type: "string", maxLength: 1024 }
  }
}

/** Parameters that many operations have, and what the document calls them. */
export const sharedParameters: Readonly<Record<string, string>> = {
  p: "Page",
  ps: "PageSize",
  st: "SortDirection",
  cursor: "Cursor",
  count: "Count",
  "Idempotency-Key": "IdempotencyKey",
  "If-Match": "IfMatch"
}

const text = (description: string, example: string) => ({
  description,
  schema: { type: "string", examples: [example] }
})

export const headers = {
  ETag: text("The version of the record, or the state of the account", '"3"'),
  "Idempotency-Replayed": {
    description: "Present when this is the first answer to the same Idempotency-Key again",
    schema: { type: "string", const: "true" }
  },
  Location: text("Where the new record is", "/client-data/orders/1001"),
  RateLimit: text("How many requests remain, and for how many seconds (IETF draft)", '"customer";r=599;t=60'),
  "RateLimit-Policy": text("How many requests in how many seconds", '"customer";q=600;w=60'),
  "Retry-After": { description: "Seconds to wait", schema: { type: "integer", minimum: 0 } },
  "WWW-Authenticate": { ...text("How to sign in", "Bearer"), required: true },
  "X-Request-Id": { ...text("The caller's, or a new one", "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c"), required: true }
}

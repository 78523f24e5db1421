import { Schema } from "effect"
import { example } from "./Example.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

export const ExportId = Text(1, 128, "The export's id")

/** Everything of an account, written into a file of the customer's own. */
export const AccountExport = Schema.Struct({
  id: Schema.String,
  status: Schema.Literals(["queued", "running", "ready", "failed"]),
  requestedAt: Timestamp,
  finishedAt: Schema.NullOr(Timestamp),
  path: Schema.NullOr(Schema.String).annotate({
    description: "Of the file, once it is ready; it can be read, and deleted, like any other of the customer's files"
  }),
  size: Schema.NullOr(Schema.Int).annotate({ description: "Bytes" })
}).annotate({
  identifier: "AccountExport",
  examples: [
    example({
      id: "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c",
      status: "ready" as const,
      requestedAt: new Date("2026-11-24T10:00:00.000Z"),
      finishedAt: new Date("2026-11-24T10:00:04.000Z"),
      path: "exports/account-2026-11-24.json",
      size: 48213
    })
  ]
})
export type AccountExport = typeof AccountExport.Type

/** Also the answer for an export of somebody else. */
export class ExportNotFound extends Problem<ExportNotFound>()("ExportNotFound", {
  code: "export_not_found",
  status: 404,
  title: "Export not found",
  detail: "There is no such export."
}) {}

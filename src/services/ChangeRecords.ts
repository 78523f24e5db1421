import { Schema, String } from "effect"
import { Attachment } from "../domain/Attachment.ts"
import { Benefit } from "../domain/Benefit.ts"
import { Conversation } from "../domain/Conversation.ts"
import { Enrollment } from "../domain/Enrollment.ts"
import { Message } from "../domain/Message.ts"
import { Reservation } from "../domain/Reservation.ts"
import { File } from "../domain/StoredFile.ts"
import { Ticket, TicketComment } from "../domain/Ticket.ts"
import { Timestamp } from "../domain/Timestamp.ts"
import { StoredReservation } from "./ReservationRows.ts"

export type JsonRecord = { readonly [key: string]: Schema.Json }

/** Reads a row as the record's own GET does. What the schema does not name stays here. */
export const as = (schema: Schema.Codec<never, unknown> | Schema.Top): ((row: unknown) => JsonRecord) => {
  const codec = Schema.toCodecJson(schema as Schema.Codec<unknown>)
  const decode = Schema.decodeUnknownSync(codec)
  const encode = Schema.encodeSync(codec)
  return (row) => encode(decode(named(row))) as JsonRecord
}

export const named = (row: unknown) =>
  Object.fromEntries(Object.entries(row as object).map(([name, value]) => [fieldOf(name), value]))

const fields = new Map<string, string>()
const fieldOf = (column: string) => {
  const known = fields.get(column)
  if (known !== undefined) return known
  fields.set(column, String.snakeToCamel(column))
  return fieldOf(column)
}

// A link is as good as a token, and would be stale by the time that a change is read.
const { url: _, ...unlinked } = Attachment.fields
const attachments = Schema.Array(Schema.Struct(unlinked))
const { url: _1, urlExpiresAt: _2, ...stored } = File.fields
export const withoutUrl = { url: null }
const unlinkedIn =
  (name: string) =>
  (record: JsonRecord): JsonRecord => ({
    ...record,
    [name]: (record[name] as ReadonlyArray<JsonRecord>).map((file) => ({ ...file, ...withoutUrl }))
  })
export const attached = unlinkedIn("attachments")
export const documented = unlinkedIn("documents")

export const message = as(Schema.Struct({ ...Message.fields, attachments }))
export const ticket = as(
  Schema.Struct({
    ...Ticket.fields,
    attachments,
    comments: Schema.Array(Schema.Struct({ ...TicketComment.fields, attachments }))
  })
)
export const conversation = as(
  Schema.Struct({ ...Conversation.fields, lastMessage: Schema.Struct({ ...Message.fields, attachments }) })
)
export const file = as(Schema.Struct(stored))

const enrollmentFields = { ...Enrollment.fields, documents: attachments }
export const enrollment = as(Schema.Struct(enrollmentFields))
const { enrollment: _3, ...offered } = Benefit.fields
export const benefit = as(Schema.Struct(offered))

export const decodeReservation = Schema.decodeUnknownSync(
  Schema.toCodecJson(Schema.Struct({ ...StoredReservation.fields, now: Timestamp }))
)
export const encodeReservation = Schema.encodeSync(Schema.toCodecJson(Reservation))

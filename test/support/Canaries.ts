import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import type { Answer, LogLine } from "./App.ts"

/** Whose a canary is: a customer's, or the org's as a whole. */
interface Owner {
  readonly orgId: string
  readonly customerId?: string
}

const canary = /cnry[0-9a-f]{12}/g
const owners = new Map<string, Owner>()

/** A word that stands in this owner's texts and nowhere else: whoever else reads it has read what is not theirs. */
export const canaryOf = (owner: Owner): string => {
  const word = `cnry${randomBytes(6).toString("hex")}`
  owners.set(word, owner)
  return word
}

/** A text as it stands, percent-decoded, and with what looks like base64 decoded: cursors, links and tokens. */
const readings = function* (text: string): Generator<string> {
  yield text
  if (text.includes("%")) yield text.replace(/%[0-9a-f]{2}/gi, (code) => decodeURIComponentOr(code))
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,}/g)) yield Buffer.from(run, "base64url").toString("latin1")
}

const decodeURIComponentOr = (code: string) => {
  try {
    return decodeURIComponent(code)
  } catch {
    return code
  }
}

/** Whether the reader may see what is the owner's: an org's platform sees all of its customers. */
const mayRead = (reader: Owner | undefined, owner: Owner) =>
  reader !== undefined &&
  reader.orgId === owner.orgId &&
  (reader.customerId === undefined || owner.customerId === undefined || reader.customerId === owner.customerId)

/** The owners whose canaries a reader finds in a text without being entitled to; nobody's canary is anybody's. */
export const trespasses = (reader: Owner | undefined, text: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const reading of readings(text)) {
    for (const [word] of reading.matchAll(canary)) {
      const owner = owners.get(word)
      if (owner !== undefined && !mayRead(reader, owner)) found.add(`${owner.orgId}/${owner.customerId ?? "*"}`)
    }
  }
  return [...found]
}

/** The same for an answer: its headers and its body. */
export const trespassesIn = (reader: Owner | undefined, answer: Answer): ReadonlyArray<string> =>
  trespasses(reader, `${JSON.stringify(answer.headers)}\n${answer.text}`)

/** Lines of the log that hold a text of any customer's. */
export const spilled = (logs: ReadonlyArray<LogLine>): ReadonlyArray<string> =>
  logs.map(({ text }) => text).filter((text) => trespasses(undefined, text).length > 0)

/**
 * Rows, of whatever table, that hold another customer's canary: answers kept for replay, what goes out by mail, push and
 * text, what stands in for a provider. A table that comes later is looked into without being named here.
 */
export const misplaced = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ readonly name: string; readonly hasCustomer: boolean }>`
    SELECT oid::regclass::text AS name,
      EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'customer_id') AS has_customer
    FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
      AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'org_id')`
  const wrong: Array<string> = []
  for (const { hasCustomer, name } of tables) {
    const customer = name === "customers" ? "id" : hasCustomer ? "customer_id" : "NULL"
    const bytes = name === "idempotency_keys" ? "|| ' ' || coalesce(encode(body, 'escape'), '')" : ""
    const rows = yield* sql<{ readonly orgId: string; readonly customerId: string | null; readonly text: string }>`
      SELECT org_id, ${sql.literal(customer)} AS customer_id, t::text ${sql.literal(bytes)} AS text
      FROM ${sql.literal(name)} AS t WHERE t::text ${sql.literal(bytes)} LIKE '%cnry%'`
    for (const { customerId, orgId, text } of rows) {
      // Of the platform's keys, `*` stands for the org.
      const reader = { orgId, ...(customerId !== null && customerId !== "*" && { customerId }) }
      if (trespasses(reader, text).length > 0) wrong.push(`${name}: ${text}`)
    }
  }
  return wrong
})

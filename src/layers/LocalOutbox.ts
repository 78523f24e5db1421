import { Console, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Channel } from "../domain/OutboxMessage.ts"
import type { Addressed } from "../services/Addressed.ts"

export interface Taken extends Addressed {
  readonly to: string
  readonly subject: string | null
  readonly text: string
}

/** How many messages are kept of each org; that many and some more, as not every one sweeps. */
export const kept = 1000
const sweepEvery = 100

/**
 * Takes messages in place of whoever would deliver them: into the outbox, and as a line on the console. The same
 * message twice is one. The console is the terminal's, not the log: codes are in no log.
 */
export const localOutbox = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const console = yield* Console.Console
  let taken = 0

  return (channel: Channel) =>
    Effect.fnUntraced(function* ({ customerId, id, orgId, subject, text, to, ...more }: Taken) {
      const code = more.code ?? null
      const rows = yield* sql`
        INSERT INTO outbox (org_id, customer_id, id, channel, recipient, subject, text, code)
        VALUES (${orgId}, ${customerId}, ${id}, ${channel}, ${storable(to)}, ${subject === null ? null : storable(subject)},
          ${storable(text)}, ${code})
        ON CONFLICT (org_id, id, channel) DO NOTHING
        RETURNING id`
      if (rows.length === 0) return
      const said = [
        `${channel} to ${to} (${customerId} of ${orgId})`,
        subject,
        text,
        code === null ? null : `code ${code}`
      ]
      console.log(
        said
          .filter((part) => part !== null)
          .map(printable)
          .join(" | ")
      )
      if (++taken % sweepEvery === 0) {
        yield* sql`
          DELETE FROM outbox WHERE org_id = ${orgId} AND (created_at, id) < (
            SELECT created_at, id FROM outbox WHERE org_id = ${orgId}
            ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ${kept - 1})`
      }
    }, Effect.orDie)
})

/** Postgres text takes no NUL. */
const storable = (text: string) => text.replaceAll("\u0000", "")

/** One line, that a terminal takes for text and nothing else. */
const printable = (text: string) =>
  text.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g, " ").trim()

import { PgConnection } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { type SqlConnection, SqlError } from "effect/sql"
import { certain } from "../../src/layers/CommitOutcome.ts"
import { OrgId } from "../../src/domain/Ids.ts"
import { type EventStream, listen, type ReceivedEvent } from "./EventStream.ts"
import { newcomer } from "./People.ts"
import { address, headersOf, loops, pause, type Reply, type ServerProcess } from "./ServerProcess.ts"

export const nina = headersOf(newcomer(OrgId.make("acme"), "nina"))

export const follow = ({ port }: ServerProcess, since?: string) =>
  listen(`http://127.0.0.1:${port}/client-data/events`, { ...nina, ...(since && { "last-event-id": since }) })

/** All that a reader is told who comes back whenever the stream has ended. */
export const following = (replica: ServerProcess) => {
  const told: Array<ReceivedEvent> = []
  const statuses = new Set<number>()
  let stream: EventStream | undefined
  let last: string | undefined
  const reader = { over: false }
  const reading = (async () => {
    while (!reader.over) {
      stream = await follow(replica, last)
      statuses.add(stream.response.statusCode!)
      await stream.ended
      told.push(...stream.events)
      last = stream.lastId() ?? last
      await pause(100)
    }
  })()
  return {
    count: () => told.length + (stream?.events.length ?? 0),
    stop: async () => {
      reader.over = true
      stream?.close()
      await reading
      return { told, statuses }
    }
  }
}

/** Writes one address after the other, each until it is taken, and keeps what was answered. */
export const writing = (replicas: ReadonlyArray<ServerProcess>) => {
  const answered = new Map<string, string>()
  const refused: Array<Reply> = []
  const load = loops(2, async (lane, round) => {
    const name = `nina.${lane}.${round}`
    const reply = await write(replicas[(lane + round) % 2]!, name)
    if (reply.status === 201) answered.set(name, reply.text)
    for (let again = reply; again.status !== 201 && refused.length < 1_000;) {
      refused.push(again)
      await pause(50)
      again = await write(replicas[round % 2]!, name)
      if (again.status === 201) answered.set(name, again.text)
    }
  })
  return { answered, refused, stop: load.stop }
}

/** Its name is its key. */
export const write = ({ ask }: ServerProcess, name: string) =>
  ask(nina, "POST", "/client-data/addresses", { body: address(name), headers: { "idempotency-key": name } })

const asked = (connection: PgConnection.PgConnection) =>
  ({
    execute: (sql: string, params: ReadonlyArray<unknown>) =>
      Effect.map(connection.query(sql, params), ({ rows }) => rows)
  }) as unknown as SqlConnection.Connection

/**
 * What is said of a transaction of which the new primary has never heard, whose connection is lost as it commits, once
 * another there has had its number and has committed.
 */
export const lostCommit = Effect.fnUntraced(function* (from: string, to: string, failover: Effect.Effect<void>) {
  const connect = (url: string) => PgConnection.make({ url: Redacted.make(url) })
  const next = "SELECT pg_current_xact_id()::text::float8 AS number"
  const old = yield* connect(from)
  yield* old.query("BEGIN")
  const { rows } = yield* old.query(next)
  const lost = new SqlError.ConnectionError({ cause: new Error("lost"), message: "lost", operation: "commit" })
  const commit = Effect.gen(function* () {
    yield* failover
    const numbers = yield* connect(to)
    yield* numbers
      .query(next)
      .pipe(Effect.repeat({ until: (taken) => Number(taken.rows[0]!["number"]) >= Number(rows[0]!["number"]) }))
    return yield* new SqlError.SqlError({ reason: lost })
  }).pipe(Effect.scoped)
  return yield* certain(asked(old), commit, (ask) =>
    Effect.scoped(Effect.flatMap(connect(to), (another) => ask(asked(another))))
  ).pipe(Effect.match({ onSuccess: () => "committed", onFailure: () => "unknown" }))
}, Effect.scoped)

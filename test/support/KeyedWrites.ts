import { Effect } from "effect"
import { type Answer, App } from "./App.ts"
import { form } from "./Forms.ts"
import { type Json, type Operation, operations } from "./OpenApiDocument.ts"
import { urlOf } from "./References.ts"
import { type Actor, fingerprints } from "./World.ts"

/** Every operation that takes an `Idempotency-Key`. */
export const writes = operations.filter(({ operation }) =>
  operation["parameters"].some(({ $ref = "" }: Json) => $ref.endsWith("/IdempotencyKey"))
)

/** How many rows an org has in each table, but for the keys themselves and what the background adds in its own time. */
const rowsOf = (orgId: string) =>
  Effect.map(fingerprints, (all) => {
    const rows = new Map<string, number>()
    for (const [whose, sum] of all) {
      const [table, org] = whose.split(" ")
      if (org !== orgId || ["idempotency_keys", "deliveries", "outbox_messages"].includes(table!)) continue
      rows.set(table!, (rows.get(table!) ?? 0) + Number(sum.split(" ")[0]))
    }
    return rows
  })

/** What an effect comes to, and by how many rows each table of the org has grown. */
export const growthOf = <A, E, R>(orgId: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* rowsOf(orgId)
    const value = yield* effect
    const after = yield* rowsOf(orgId)
    const tables = [...new Set([...before.keys(), ...after.keys()])].sort()
    const grown = tables.map((table) => [table, (after.get(table) ?? 0) - (before.get(table) ?? 0)] as const)
    return { value, grown: Object.fromEntries(grown.filter(([, rows]) => rows !== 0)) }
  })

/** Sends a request that a recipe has made, with a key. */
export const sendOf = ({ method, operation, path }: Operation, { customer, platform }: Actor) =>
  Effect.fnUntraced(function* (request: Parameters<typeof urlOf>[1], key: string) {
    const { call } = yield* App
    const isPlatform = "apiKey" in (operation["security"][0] ?? {})
    const sent = request.form === undefined ? { body: request.body } : form(request.form)
    return yield* call(isPlatform ? platform : customer, method.toUpperCase(), urlOf(path, request), {
      ...sent,
      headers: { ...sent.headers, ...request.headers, "idempotency-key": key }
    })
  })

export const isReplayed = ({ headers }: Answer) => headers["idempotency-replayed"] === "true"
/** All of an answer that a replay has to repeat. */
export const essence = ({ bytes, headers, status }: Answer) =>
  JSON.stringify([status, headers["etag"], headers["content-type"], Buffer.from(bytes).toString("base64")])

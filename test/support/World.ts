import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { createHmac } from "node:crypto"
import { App, type Platform, secret } from "./App.ts"
import { canaryOf } from "./Canaries.ts"
import { type Customer, erase, makeCustomer, makeOrg, nextNumber, type Person, user } from "./People.ts"

/** Somebody who has things: a customer, and the platform through which their org's servers act for them. */
export interface Actor {
  readonly customer: Customer
  readonly platform: Platform
  /** Stands in all that this customer writes. */
  readonly canary: string
}

/** A number that is one, and nobody else's. */
export const aPhone = () => `+44207946${String(1000 + (nextNumber() % 9000))}`

const actor = Effect.fnUntraced(function* (platform: Platform, id: string, columns: Record<string, unknown> = {}) {
  const canary = canaryOf({ orgId: platform.orgId, customerId: id })
  const texts = { name: canary, email: `${canary}@example.com`, about: canary, phone: aPhone(), ...columns }
  const made = yield* makeCustomer(platform.orgId, id, texts)
  const { userId } = columns
  const customer = typeof userId === "string" ? { ...made, ...user(platform.orgId, userId) } : made
  return { customer, platform, canary } satisfies Actor
})

/** Somebody in an org of their own. */
export const aLoner = Effect.gen(function* () {
  const { platformOf } = yield* App
  return yield* actor(yield* platformOf(yield* makeOrg("acme")), "ada-00001")
})

/** Two orgs; ada and somebody of her very id, others of both, one whose record is owned by a user, one who is erased. */
export const world = Effect.gen(function* () {
  const { platformOf } = yield* App
  const ours = yield* platformOf(yield* makeOrg("acme"))
  const theirs = yield* platformOf(yield* makeOrg("other"))
  const zoe = yield* actor(ours, "zoe-00007", { userId: null })
  yield* erase(zoe.customer)
  return {
    ada: yield* actor(ours, "ada-00001"),
    eve: yield* actor(ours, "eve-00002"),
    grace: yield* actor(ours, "grace-00003", { userId: "user-grace" }),
    bystander: yield* actor(ours, "bob-00004"),
    mallory: yield* actor(theirs, "mallory-00005"),
    namesake: yield* actor(theirs, "ada-00001"),
    trent: user(ours.orgId, "user-trent"),
    zoe: zoe.customer
  }
})

export type World = Effect.Success<typeof world>

/** A token signed by hand: what `portico token` would never make. */
export const tokenWith = (
  person: Person,
  { key = secret, ...more }: { readonly key?: string; readonly header?: object; readonly claims?: object } = {}
): string => {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const claims = { iat: now, exp: now + 3600, iss: undefined, ...person.claims, ...more.claims }
  const signed = `${part({ alg: "HS256", typ: "JWT", ...more.header })}.${part(claims)}`
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`
}

/**
 * What an org has as a whole and moves when customers write: numbers given out, and spots that are taken by nobody named.
 * The rest is what recipes have their org's platform push, for something to be asked about, and in the vaults of the stand-ins what nobody holds.
 */
export const orgWide: ReadonlyArray<string> = [
  "ticket_numbers",
  "reservation_numbers",
  "reservation_occupancy",
  "enrollment_numbers",
  "products",
  "reservation_definitions",
  "benefits",
  "broadcasts",
  "local_vaults",
  "local_vault_items"
]

/** Counters of limits are the system's; what is left over of uploads and payments it looks after in its own time. */
const nobodys = ["shared_limits", "file_leftovers", "payment_checks"]

const holder = (vault: string) =>
  `coalesce((SELECT customer_id FROM payment_customers WHERE org_id = t.org_id AND provider_id = t.${vault}), '*')`

/** Whose the rows of a table are, where they have no columns that say so. What is queued says it in its text. */
const whose = new Map([
  ["orgs", ["id", "'*'"]],
  ["customers", ["org_id", "id"]],
  ["delivery_queue", ["(element::jsonb ->> 'orgId')", "(element::jsonb ->> 'customerId')"]],
  ["local_vaults", ["org_id", holder("id")]],
  ["local_vault_items", ["org_id", holder("vault_id")]]
])

/**
 * One number for the rows of each customer in each table, by `table org customer`: shows whose rows have changed. What an
 * org has as a whole stands under `*`.
 */
export const fingerprints = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ readonly name: string; readonly org: string; readonly customer: string }>`
    SELECT oid::regclass::text AS name, CASE WHEN has_org THEN 'org_id' ELSE '''''' END AS org,
      CASE WHEN has_customer THEN 'coalesce(customer_id, ''*'')' ELSE '''*''' END AS customer
    FROM pg_class, LATERAL (
      SELECT 'org_id' = ANY (names) AS has_org, 'customer_id' = ANY (names) AS has_customer
      FROM (SELECT array_agg(attname) AS names FROM pg_attribute WHERE attrelid = pg_class.oid) AS attributes
    ) AS columns
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '%migrations'
      AND relname <> ALL (${nobodys}) ORDER BY 1`
  const each = tables.map(({ name, ...columns }) => {
    const [org, customer] = whose.get(name) ?? [columns.org, columns.customer]
    return `SELECT '${name} ' || ${org} || ' ' || ${customer} AS whose,
      count(*) || ' ' || sum(hashtextextended(t::text, 0)) AS sum FROM ${name} AS t GROUP BY 1`
  })
  const rows = yield* sql<{ readonly whose: string; readonly sum: string }>`${sql.literal(each.join(" UNION ALL "))}`
  return new Map(rows.map(({ sum, whose }) => [whose, sum] as const))
})

type Fingerprints = Effect.Success<typeof fingerprints>

/** Whose rows differ between two moments, but for those that may. */
export const changedBetween = (
  before: Fingerprints,
  after: Fingerprints,
  mayChange: (orgId: string, customerId: string, table: string) => boolean = () => false
): ReadonlyArray<string> =>
  [...new Set([...before.keys(), ...after.keys()])].filter((whose) => {
    const [table = "", orgId = "", customerId = ""] = whose.split(" ")
    return before.get(whose) !== after.get(whose) && !mayChange(orgId, customerId, table)
  })

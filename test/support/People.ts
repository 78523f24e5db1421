import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import { type Order, OrderId } from "../../src/domain/Order.ts"
import type { OrderPush } from "../../src/domain/OrderPush.ts"
import type { TokenClaims } from "../../src/domain/TokenClaims.ts"
import { PlatformSql } from "../../src/services/Database.ts"
import { Orders } from "../../src/services/Orders.ts"

type Claims = Omit<(typeof TokenClaims)["Encoded"], "iat" | "exp">

/** Somebody who can sign in: what their token says. */
export interface Person {
  readonly orgId: OrgId
  readonly claims: Claims
}

/** A person with a record. */
export interface Customer extends Person {
  readonly customerId: CustomerId
}

/** Counts through a whole run, so that no two tests meet in one org. */
let made = 0
export const nextNumber = () => ++made

/** An org that no other test knows. */
export const makeOrg = Effect.fnUntraced(function* (name: string) {
  const sql = yield* SqlClient.SqlClient
  const orgId = OrgId.make(`${name}-${nextNumber()}`)
  yield* sql`INSERT INTO orgs (id, name) VALUES (${orgId}, ${name})`
  return orgId
})

/** Somebody with a customer's token, whose record is made when they first call. */
export const newcomer = (orgId: OrgId, id: string, more: Partial<Claims> = {}): Customer => ({
  orgId,
  customerId: CustomerId.make(id),
  claims: { ...more, type: "customer", sub: id, org: orgId }
})

/** Somebody with a user's token. */
export const user = (orgId: OrgId, sub: string): Person => ({ orgId, claims: { type: "user", sub, org: orgId } })

/** A customer with a record, whose columns may be given. */
export const makeCustomer = Effect.fnUntraced(function* (
  orgId: OrgId,
  id: string,
  columns: Readonly<Record<string, unknown>> = {}
) {
  const sql = yield* PlatformSql
  yield* sql`INSERT INTO customers ${sql.insert({ orgId, id, ...columns })}`.pipe(asPlatform(orgId))
  return newcomer(orgId, id)
})

/**
 * Orgs and customers of the calling test's own.
 *
 * ada and eve are customers of acme; mallory and `namesake`, who has ada's id, are customers of another org. grace is a
 * user of acme with a record, trent one without.
 */
export const people = Effect.gen(function* () {
  const acme = yield* makeOrg("acme")
  const other = yield* makeOrg("other")
  const ada = yield* makeCustomer(acme, "ada", { name: "Ada", email: "ada@acme.example" })
  const eve = yield* makeCustomer(acme, "eve", { name: "Eve", email: "eve@acme.example" })
  const owned = yield* makeCustomer(acme, "grace", { name: "Grace", userId: "user-grace" })
  const mallory = yield* makeCustomer(other, "mallory", { name: "Mallory" })
  const namesake = yield* makeCustomer(other, "ada", { name: "Another Ada" })
  const grace: Customer = { ...owned, ...user(acme, "user-grace") }
  return { acme, other, ada, eve, grace, mallory, namesake, trent: user(acme, "user-trent") }
})

/** Runs an effect on behalf of a customer. */
export const as = ({ customerId, orgId }: Customer) => Effect.provideService(CurrentCustomer, { orgId, customerId })

/** Runs an effect on behalf of an org's platform. */
export const asPlatform = (orgId: OrgId) => Effect.provideService(CurrentPlatform, { orgId })

/** An order as the platform pushes it: paid, and later than every order before. */
export const anOrder = (customer: Customer, more: Partial<OrderPush> = {}): OrderPush => {
  const number = nextNumber()
  return {
    customerId: customer.customerId,
    number: `No. ${number}`,
    status: "paid",
    total: { amount: 1000 + number, currency: "USD" },
    placedAt: new Date(Date.UTC(2026, 0, 1) + number * 60_000),
    ...more
  }
}

/** Places an order of the customer's, under an id of its own. */
export const placeOrder = Effect.fnUntraced(function* (customer: Customer, more: Partial<OrderPush> = {}) {
  const orders = yield* Orders
  const id = OrderId.make(`order-${nextNumber()}`)
  const order: Order = yield* orders.push(id, anOrder(customer, more)).pipe(asPlatform(customer.orgId))
  return order
})

/** What erasure leaves of a customer. */
export const erase = ({ customerId, orgId }: Customer) =>
  PlatformSql.use(
    (sql) => sql`
      UPDATE customers SET erased_at = now(), name = NULL, email = NULL, phone = NULL, user_id = NULL
      WHERE org_id = ${orgId} AND id = ${customerId}`
  ).pipe(asPlatform(orgId))

/** Every row of every table, as one number for each table: shows whether anything has changed. */
export const fingerprint = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ readonly name: string }>`
    SELECT oid::regclass::text AS name FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '%migrations' ORDER BY 1`
  return yield* Effect.forEach(tables, ({ name }) =>
    Effect.map(
      sql<{ readonly sum: string }>`
        SELECT count(*) || ' ' || coalesce(sum(hashtextextended(rows::text, 0)), 0)::text AS sum
        FROM ${sql.literal(name)} AS rows`,
      ([row]) => `${name} ${row!.sum}`
    )
  )
})

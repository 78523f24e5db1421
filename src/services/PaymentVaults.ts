import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"

export type Provider = "stripe" | "paypal"

/** A customer at a provider. `defaultMirrored` trails `defaultVersion` while Stripe has yet to learn our default. */
export interface Vault {
  readonly id: string
  /** Counts what has been written about the customer's payment methods. */
  readonly changes: number
  readonly defaultVersion: number
  readonly defaultMirrored: number
}

export interface WantedDefault {
  readonly vaultId: string
  readonly cardId: string | null
  readonly version: number
  readonly pending: boolean
}

/** When work of a provider's that we have not written down is looked into: no call of ours takes that long. */
const patience = "15 seconds"

/** Our rows about the current customer at the providers, and about what has to be compared with them. */
export const paymentVaults = (sql: SqlClient.SqlClient) => {
  const vaultOf = Effect.fnUntraced(function* (provider: Provider) {
    const { customerId, orgId } = yield* CurrentCustomer
    const [row] = yield* sql<Vault>`
      SELECT provider_id AS id, changes, default_version, default_mirrored FROM payment_customers
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = ${provider}`
    return row
  }, Effect.orDie)

  return {
    vaultOf,

    /** The vault that is this customer's from now on; none if the id is somebody else's. The first claim stays. */
    claimVault: Effect.fnUntraced(function* (provider: Provider, id: string) {
      const { customerId, orgId } = yield* CurrentCustomer
      yield* Effect.orDie(sql`
        INSERT INTO payment_customers (org_id, customer_id, provider, provider_id)
        VALUES (${orgId}, ${customerId}, ${provider}, ${id}) ON CONFLICT DO NOTHING`)
      return yield* vaultOf(provider)
    }),

    /** Whether it was still there. */
    dropVault: Effect.fnUntraced(function* (provider: Provider, id: string) {
      const { customerId, orgId } = yield* CurrentCustomer
      const rows = yield* sql`
        DELETE FROM payment_customers
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = ${provider} AND provider_id = ${id}
        RETURNING provider`
      return rows.length > 0
    }, Effect.orDie),

    countChange: Effect.fnUntraced(function* (defaultBefore: string | null) {
      const { customerId, orgId } = yield* CurrentCustomer
      yield* sql`
        UPDATE payment_customers SET changes = changes + 1,
          default_version = default_version + (provider = 'stripe' AND ${defaultBefore}::text IS DISTINCT FROM (
            SELECT id FROM payment_methods WHERE org_id = ${orgId} AND customer_id = ${customerId} AND is_default
          ))::int
        WHERE org_id = ${orgId} AND customer_id = ${customerId}`
    }, Effect.orDie),

    /** Which card Stripe should charge by default, and whether it may not know. None where Stripe knows no customer. */
    wantedDefault: Effect.gen(function* () {
      const { customerId, orgId } = yield* CurrentCustomer
      const [row] = yield* sql<WantedDefault>`
        SELECT provider_id AS vault_id, default_version AS version, default_version > default_mirrored AS pending, (
          SELECT id FROM payment_methods
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND is_default AND type = 'card'
        ) AS card_id
        FROM payment_customers
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = 'stripe'`
      return row
    }).pipe(Effect.orDie),

    /** Stripe knows the default of this version. False if there is a later one. */
    mirrored: Effect.fnUntraced(function* (version: number) {
      const { customerId, orgId } = yield* CurrentCustomer
      const rows = yield* sql`
        UPDATE payment_customers SET default_mirrored = default_version
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = 'stripe' AND default_version = ${version}
        RETURNING provider`
      return rows.length > 0
    }, Effect.orDie),

    /** Stripe may have been told something else, so it is to be told the default again. */
    doubtDefault: CurrentCustomer.use(({ customerId, orgId }) =>
      Effect.orDie(sql`
        UPDATE payment_customers SET default_version = default_version + 1
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = 'stripe'`)
    ),

    /** Notes that a provider is about to be asked for something, in case we do not live to write down what it did. */
    openCheck: Effect.fnUntraced(function* (provider: Provider) {
      const { customerId, orgId } = yield* CurrentCustomer
      const id = randomUUID()
      yield* sql`
        INSERT INTO payment_checks (org_id, customer_id, provider, id, due_at)
        VALUES (${orgId}, ${customerId}, ${provider}, ${id}, now() + ${patience}::text::interval)`
      return id
    }, Effect.orDie),

    /** Leaves them open as long as Stripe has our default to learn. */
    closeChecks: Effect.fnUntraced(function* (provider: Provider, ids: ReadonlyArray<string>) {
      const { customerId, orgId } = yield* CurrentCustomer
      yield* sql`
        DELETE FROM payment_checks
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = ${provider} AND ${sql.in("id", ids)}
          AND NOT EXISTS (
            SELECT 1 FROM payment_customers
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND provider = 'stripe'
              AND default_version > default_mirrored)`
    }, Effect.orDie)
  }
}

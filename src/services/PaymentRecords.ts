import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { PaymentMethod, PaymentMethodInUse, PaymentMethodNotFound } from "../domain/PaymentMethod.ts"
import type { Card } from "./CardVault.ts"
import { transaction } from "./Database.ts"
import { type Provider, paymentVaults, type Vault } from "./PaymentVaults.ts"
import type { PayPalAccount } from "./PayPalVault.ts"

type Stored = Card | PayPalAccount

export const paymentMethodColumns = `id, type, brand, last4, exp_month, exp_year, email, is_default, created_at,
  CASE
    WHEN type <> 'card' THEN 'active'
    WHEN make_date(exp_year, exp_month, 1) + interval '1 month' <= now() AT TIME ZONE 'UTC' THEN 'expired'
    WHEN make_date(exp_year, exp_month, 1) <= now() AT TIME ZONE 'UTC' + interval '1 month' THEN 'expiring'
    ELSE 'active'
  END AS status`

const typeOf = { stripe: "card", paypal: "paypal" } as const

const decode = Schema.decodeUnknownEffect(PaymentMethod)

/** Our rows about the current customer's payment methods, whatever the providers say. */
export const paymentRecords = (sql: SqlClient.SqlClient) => {
  const vaults = paymentVaults(sql)

  const find = Effect.fnUntraced(function* (id: string) {
    const { customerId, orgId } = yield* CurrentCustomer
    const [row] = yield* sql`
      SELECT ${sql.literal(paymentMethodColumns)} FROM payment_methods
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
    return row === undefined ? undefined : yield* decode(row)
  }, Effect.orDie)

  // Whatever changes a customer's payment methods waits here first, so none of it can meet half of another change.
  const lockCustomer = CurrentCustomer.use(({ customerId, orgId }) =>
    Effect.orDie(sql`SELECT id FROM customers WHERE org_id = ${orgId} AND id = ${customerId} FOR NO KEY UPDATE`)
  )

  const selectDefault = CurrentCustomer.use(({ customerId, orgId }) =>
    sql<{ readonly id: string }>`
      SELECT id FROM payment_methods WHERE org_id = ${orgId} AND customer_id = ${customerId} AND is_default`.pipe(
      Effect.orDie,
      Effect.map(([row]) => row?.id ?? null)
    )
  )

  const promoteNewest = CurrentCustomer.use(({ customerId, orgId }) =>
    Effect.orDie(sql`
      UPDATE payment_methods SET is_default = true
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND NOT is_default AND id = (
        SELECT id FROM payment_methods WHERE org_id = ${orgId} AND customer_id = ${customerId}
        ORDER BY is_default DESC, created_at DESC, id DESC LIMIT 1)`)
  )

  /** A transaction that may add, remove or prefer payment methods, and leaves exactly one default if there are any. */
  const change = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      yield* lockCustomer
      const before = yield* selectDefault
      const result = yield* effect
      yield* promoteNewest
      yield* vaults.countChange(before)
      return result
    }).pipe(transaction(sql), Effect.catchTag("SqlError", Effect.die))

  // In two steps, because the unique index does not wait for the end of the statement.
  const preferOne = Effect.fnUntraced(function* (id: string) {
    const { customerId, orgId } = yield* CurrentCustomer
    yield* Effect.orDie(sql`
      UPDATE payment_methods SET is_default = false
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND is_default AND id <> ${id}`)
    const rows = yield* Effect.orDie(sql`
      UPDATE payment_methods SET is_default = true
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} RETURNING id`)
    if (rows.length === 0) return yield* new PaymentMethodNotFound()
  })

  const insertMissing = Effect.fnUntraced(function* (methods: ReadonlyArray<Stored>) {
    const { customerId, orgId } = yield* CurrentCustomer
    const rows = yield* sql`
      INSERT INTO payment_methods (org_id, id, customer_id, type, brand, last4, exp_month, exp_year, email, is_default)
      SELECT ${orgId}, id, ${customerId}, CASE WHEN last4 IS NULL THEN 'paypal' ELSE 'card' END,
        brand, last4, "expMonth", "expYear", email, false
      FROM jsonb_to_recordset(${JSON.stringify(methods)}::text::jsonb)
        AS seen (id text, brand text, last4 text, "expMonth" int, "expYear" int, email text)
      ON CONFLICT (org_id, id) DO NOTHING RETURNING id`
    return rows.length
  }, Effect.orDie)

  const updateKnown = Effect.fnUntraced(function* (methods: ReadonlyArray<Stored>) {
    const { customerId, orgId } = yield* CurrentCustomer
    yield* sql`
      UPDATE payment_methods SET brand = seen.brand, last4 = seen.last4, exp_month = seen."expMonth",
        exp_year = seen."expYear", email = seen.email
      FROM jsonb_to_recordset(${JSON.stringify(methods)}::text::jsonb)
        AS seen (id text, brand text, last4 text, "expMonth" int, "expYear" int, email text)
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND payment_methods.id = seen.id`
  }, Effect.orDie)

  const deleteOthers = Effect.fnUntraced(function* (provider: Provider, kept: ReadonlyArray<string>) {
    const { customerId, orgId } = yield* CurrentCustomer
    yield* sql`
      DELETE FROM payment_methods
      WHERE org_id = ${orgId} AND customer_id = ${customerId} AND type = ${typeOf[provider]}
        AND id NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(kept)}::text::jsonb))`
  }, Effect.orDie)

  return {
    ...vaults,
    find,

    /** Whether it is new; false when it was there already. */
    put: (method: Stored, asDefault: boolean) =>
      change(
        Effect.gen(function* () {
          const added = yield* insertMissing([method])
          if ((yield* find(method.id)) === undefined) return yield* new PaymentMethodInUse()
          if (asDefault) yield* Effect.orDie(preferOne(method.id))
          return added > 0
        })
      ),

    /** Whether it was there. */
    take: (id: string) =>
      change(
        Effect.gen(function* () {
          const { customerId, orgId } = yield* CurrentCustomer
          const rows = yield* sql`
            DELETE FROM payment_methods
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} RETURNING id`
          return rows.length > 0
        }).pipe(Effect.orDie)
      ),

    /** Also where it was the default already: Stripe has been told, and may have been told something else since. */
    prefer: (id: string) => change(Effect.andThen(preferOne(id), vaults.doubtDefault)),

    /** A vault that is gone takes with it what was in it. */
    forgetVault: (provider: Provider, id: string) =>
      change(
        Effect.flatMap(vaults.dropVault(provider, id), (dropped) =>
          dropped ? deleteOthers(provider, []) : Effect.void
        )
      ),

    /**
     * Makes our rows say what a provider has said. Says false, and does nothing, if somebody has written since `seen`
     * was read: then the provider may have said it before that.
     */
    agree: (provider: Provider, seen: Vault, methods: ReadonlyArray<Stored>, defaultId: string | null) =>
      Effect.gen(function* () {
        yield* lockCustomer
        const vault = yield* vaults.vaultOf(provider)
        if (vault?.changes !== seen.changes || vault.id !== seen.id) return false
        yield* change(
          Effect.gen(function* () {
            const ids = methods.map(({ id }) => id)
            yield* deleteOthers(provider, ids)
            yield* updateKnown(methods)
            yield* insertMissing(methods)
            const adopts = defaultId !== null && vault.defaultVersion === vault.defaultMirrored
            if (adopts && (yield* find(defaultId)) !== undefined) yield* Effect.orDie(preferOne(defaultId))
          })
        )
        // What Stripe told us it need not be told.
        if ((yield* selectDefault) === defaultId) yield* vaults.mirrored(vault.defaultVersion + 1)
        return true
      }).pipe(transaction(sql), Effect.catchTag("SqlError", Effect.die))
  }
}

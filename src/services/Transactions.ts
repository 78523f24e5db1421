import { Context, Effect, Layer, Schema } from "effect"
import type { Statement } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import { Transaction, type TransactionId, type TransactionPush, type TransactionsQuery } from "../domain/Transaction.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"
import { paginate } from "./Paging.ts"
import { within } from "./Period.ts"

export const transactionColumns = `
  id, type, status, gateway, order_id, reference, description, created_at,
  jsonb_build_object('amount', amount, 'currency', currency) AS amount,
  jsonb_build_object('type', method_type, 'label', method_label) AS method`

export class Transactions extends Context.Service<
  Transactions,
  {
    /** Newest first, unless the query sorts otherwise. */
    readonly list: (query: TransactionsQuery) => Effect.Effect<Page<Transaction>, InvalidRequest, CurrentCustomer>
    /** Creates the platform's transaction or brings it up to date; the same push again changes nothing. */
    readonly push: (
      id: TransactionId,
      transaction: TransactionPush
    ) => Effect.Effect<Transaction, CustomerNotFound, CurrentPlatform>
  }
>()("portico/services/Transactions") {
  static readonly layer = Layer.effect(
    Transactions,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql

      const columns = sql.literal(transactionColumns)

      const list = Effect.fn("Transactions.list")(function* (query: TransactionsQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        const filters: Array<Statement.Fragment> = [sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`]
        if (query.status !== undefined) filters.push(sql.in("status", query.status))
        const method = query.paymentMethod
        if (method !== undefined) filters.push(sql`(gateway = ${method} OR method_type = ${method})`)
        filters.push(...(yield* within(sql, "created_at", query)))

        return yield* paginate({
          sql,
          query,
          sorts: {
            createdAt: { type: "instant", column: "transactions.created_at" },
            id: { type: "text", column: "transactions.id" },
            type: { type: "text", column: "transactions.type" },
            status: { type: "text", column: "transactions.status" },
            amount: { type: "integer", column: "transactions.amount" }
          },
          byDefault: "createdAt",
          item: Transaction,
          columns,
          from: sql`transactions WHERE ${sql.and(filters)}`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      const push = Effect.fn("Transactions.push")(function* (id: TransactionId, pushed: TransactionPush) {
        const { orgId } = yield* CurrentPlatform
        const createdAt = pushed.createdAt ?? null
        const [row] = yield* platformSql`
          INSERT INTO transactions (
            org_id, id, customer_id, type, status, amount, currency, method_type, method_label, gateway, order_id,
            reference, description, created_at
          )
          SELECT org_id, ${id}, id, ${pushed.type}, ${pushed.status}, ${pushed.amount.amount}::bigint,
            ${pushed.amount.currency}, ${pushed.method.type}, ${pushed.method.label ?? null}, ${pushed.gateway ?? null},
            ${pushed.orderId ?? null}, ${pushed.reference ?? null}, ${pushed.description ?? null},
            coalesce(${createdAt}::timestamptz, now())
          FROM customers WHERE org_id = ${orgId} AND id = ${pushed.customerId} AND erased_at IS NULL
          ON CONFLICT (org_id, id) DO UPDATE SET
            customer_id = excluded.customer_id, type = excluded.type, status = excluded.status, amount = excluded.amount,
            currency = excluded.currency, method_type = excluded.method_type, method_label = excluded.method_label,
            gateway = excluded.gateway, order_id = excluded.order_id, reference = excluded.reference,
            description = excluded.description,
            created_at = coalesce(${createdAt}::timestamptz, transactions.created_at)
          RETURNING ${columns}`.pipe(Effect.orDie)
        if (row === undefined) return yield* new CustomerNotFound()
        return yield* Effect.orDie(Schema.decodeUnknownEffect(Transaction)(row))
      })

      return Transactions.of({ list, push })
    })
  )
}

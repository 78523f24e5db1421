import { Effect } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import customers from "./migrations/0001_customers.ts"
import orders from "./migrations/0002_orders.ts"
import access from "./migrations/0003_access.ts"
import limits from "./migrations/0004_limits.ts"
import addresses from "./migrations/0005_addresses.ts"
import paymentMethods from "./migrations/0006_payment_methods.ts"
import products from "./migrations/0007_products.ts"
import transactions from "./migrations/0008_transactions.ts"
import files from "./migrations/0009_files.ts"
import tickets from "./migrations/0010_tickets.ts"
import messages from "./migrations/0011_messages.ts"
import outbox from "./migrations/0012_outbox.ts"
import deliveries from "./migrations/0013_deliveries.ts"
import notifications from "./migrations/0014_notifications.ts"
import broadcasts from "./migrations/0015_broadcasts.ts"
import verification from "./migrations/0016_verification.ts"
import reservations from "./migrations/0017_reservations.ts"
import benefits from "./migrations/0019_benefits.ts"
import changes from "./migrations/0020_changes.ts"
import reminders from "./migrations/0021_reminders.ts"
import sections from "./migrations/0022_sections.ts"
import accountExports from "./migrations/0023_account_exports.ts"
import erasures from "./migrations/0024_erasures.ts"

const migrations = {
  "0001_customers": customers,
  "0002_orders": orders,
  "0003_access": access,
  "0004_limits": limits,
  "0005_addresses": addresses,
  "0006_payment_methods": paymentMethods,
  "0007_products": products,
  "0008_transactions": transactions,
  "0009_files": files,
  "0010_tickets": tickets,
  "0011_messages": messages,
  "0012_outbox": outbox,
  "0013_deliveries": deliveries,
  "0014_notifications": notifications,
  "0015_broadcasts": broadcasts,
  "0016_verification": verification,
  "0017_reservations": reservations,
  "0019_benefits": benefits,
  "0020_changes": changes,
  "0021_reminders": reminders,
  "0022_sections": sections,
  "0023_account_exports": accountExports,
  "0024_erasures": erasures
}

/** The id of the newest migration this version of the code knows. */
export const expected = Math.max(...Object.keys(migrations).map((name) => parseInt(name, 10)))

/** The id of the newest migration the database has seen; 0 when it has seen none. */
export const applied = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [newest] = yield* sql<{ readonly id: number | null }>`SELECT max(migration_id) AS id FROM effect_sql_migrations`
  return newest?.id ?? 0
})

/** Brings the database up to date. Replicas that start together take turns: the first migrates, the others find it done. */
export const run = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`SELECT pg_advisory_xact_lock(hashtext('portico/migrations'))`
  return yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations) })
}).pipe((migrate) => SqlClient.SqlClient.use((sql) => sql.withTransaction(migrate)))

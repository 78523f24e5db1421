import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE transactions (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    currency text COLLATE "C" NOT NULL,
    method_type text COLLATE "C" NOT NULL,
    method_label text,
    gateway text COLLATE "C",
    order_id text COLLATE "C",
    reference text,
    description text,
    created_at timestamptz(3) NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX transactions_created ON transactions (org_id, customer_id, created_at DESC, id DESC)`
  yield* sql`ALTER TABLE transactions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON transactions FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON transactions TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  // Nobody may delete one: a ledger only grows.
  yield* sql`GRANT SELECT ON transactions TO portico_customer`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON transactions TO portico_platform`

  yield* sql`CREATE TABLE wallets (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    balance bigint NOT NULL CHECK (balance >= 0),
    PRIMARY KEY (org_id, customer_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE TABLE wallet_entries (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    balance bigint NOT NULL CHECK (balance >= 0),
    currency text COLLATE "C" NOT NULL,
    description text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, reference),
    FOREIGN KEY (org_id, customer_id) REFERENCES wallets (org_id, customer_id)
  )`
  for (const table of [sql`wallets`, sql`wallet_entries`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY customer ON ${table} FOR SELECT TO portico_customer
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
    yield* sql`CREATE POLICY platform ON ${table} TO portico_platform
      USING (org_id = (SELECT current_org()))
      WITH CHECK (org_id = (SELECT current_org()))`
    yield* sql`GRANT SELECT ON ${table} TO portico_customer`
  }
  // Entries are only ever added.
  yield* sql`GRANT SELECT, INSERT, UPDATE ON wallets TO portico_platform`
  yield* sql`GRANT SELECT, INSERT ON wallet_entries TO portico_platform`
})

import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // '' is what a setting reads as once the transaction that set it locally is over: no context, no rows.
  yield* sql`CREATE FUNCTION current_org() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('app.org_id', true), '') $$`
  yield* sql`CREATE FUNCTION current_customer() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('app.customer_id', true), '') $$`

  yield* sql`CREATE TABLE orgs (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now()
  )`
  yield* sql`ALTER TABLE orgs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY own_org ON orgs FOR SELECT TO portico_customer, portico_platform
    USING (id = (SELECT current_org()))`
  yield* sql`GRANT SELECT ON orgs TO portico_customer, portico_platform`
  // Orgs are made by the operator, not by a tenant.
  yield* sql`CREATE POLICY operator ON orgs TO CURRENT_USER USING (true) WITH CHECK (true)`

  yield* sql`CREATE TABLE customers (
    org_id text COLLATE "C" NOT NULL REFERENCES orgs (id),
    id text COLLATE "C" NOT NULL,
    user_id text,
    email text,
    email_verified boolean NOT NULL DEFAULT false,
    name text,
    phone text,
    phone_verified boolean NOT NULL DEFAULT false,
    language text,
    timezone text,
    about text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    erased_at timestamptz(3),
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX customers_user ON customers (org_id, user_id) WHERE user_id IS NOT NULL`
  yield* sql`ALTER TABLE customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON customers TO portico_customer
    USING (org_id = (SELECT current_org()) AND id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON customers TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON customers TO portico_customer, portico_platform`
})

import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE api_keys (
    org_id text COLLATE "C" NOT NULL REFERENCES orgs (id),
    id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    hash text COLLATE "C" NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    revoked_at timestamptz(3),
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX api_keys_hash ON api_keys (org_id, hash)`
  yield* sql`ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY platform ON api_keys FOR SELECT TO portico_platform USING (org_id = (SELECT current_org()))`
  // Keys are made and revoked by the operator, from the command line.
  yield* sql`CREATE POLICY operator ON api_keys TO CURRENT_USER USING (true) WITH CHECK (true)`
  yield* sql`GRANT SELECT ON api_keys TO portico_platform`

  yield* sql`CREATE TABLE idempotency_keys (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    method text COLLATE "C" NOT NULL,
    route text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    claim text COLLATE "C" NOT NULL,
    claimed_until timestamptz(3) NOT NULL,
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, method, route, key)
  )`
  yield* sql`CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)`
  yield* sql`ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON idempotency_keys TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  // The platform's own keys: no customer is called *, and a customer's stored answers are not the platform's to read.
  yield* sql`CREATE POLICY platform ON idempotency_keys TO portico_platform
    USING (org_id = (SELECT current_org()) AND customer_id = '*')
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = '*')`
  yield* sql`CREATE POLICY sweeper ON idempotency_keys FOR DELETE TO CURRENT_USER USING (created_at < now() - interval '24 hours')`
  yield* sql`CREATE POLICY sweeper_sees ON idempotency_keys FOR SELECT TO CURRENT_USER USING (created_at < now() - interval '24 hours')`
  yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO portico_customer, portico_platform`
})

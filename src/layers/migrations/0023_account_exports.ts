import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // `due_at` is when a worker may take it, or take it over from one that has died; `attempts` says whose it is by now.
  yield* sql`CREATE TABLE account_exports (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'ready', 'failed')),
    path text COLLATE "C",
    size integer,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz(3) NOT NULL DEFAULT now(),
    requested_at timestamptz(3) NOT NULL DEFAULT now(),
    finished_at timestamptz(3),
    PRIMARY KEY (org_id, customer_id, id),
    CHECK ((status = 'ready') = (path IS NOT NULL)),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX account_exports_open ON account_exports (org_id, customer_id)
    WHERE status IN ('queued', 'running')`
  yield* sql`CREATE INDEX account_exports_due ON account_exports (due_at) WHERE status IN ('queued', 'running')`
  yield* sql`ALTER TABLE account_exports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON account_exports TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY operator ON account_exports TO CURRENT_USER USING (true) WITH CHECK (true)`
  yield* sql`GRANT SELECT, INSERT (org_id, customer_id, id), UPDATE (status, path, size, finished_at)
    ON account_exports TO portico_customer`
})

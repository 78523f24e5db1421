import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The id names the object in storage as well. A path is what the customer calls it, and no more than that.
  yield* sql`CREATE TABLE files (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL GENERATED ALWAYS AS (regexp_replace(path, '^.*/', '')) STORED,
    size integer NOT NULL CHECK (size > 0),
    content_type text COLLATE "C" NOT NULL,
    sha256 text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX files_path ON files (org_id, customer_id, path)`
  yield* sql`CREATE INDEX files_created ON files (org_id, customer_id, created_at DESC, id DESC)`

  // The sum of a customer's sizes. Whoever adds a file holds this row, so that two together cannot exceed the quota.
  yield* sql`CREATE TABLE file_usage (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    bytes bigint NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (org_id, customer_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`

  // Objects in storage that no file names, yet or any more: written before the first byte goes out, gone when the file
  // commits. What is still here when it is due is removed from storage, so a crash leaves nothing for good.
  yield* sql`CREATE TABLE file_leftovers (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    due_at timestamptz(3) NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX file_leftovers_due ON file_leftovers (due_at)`

  for (const table of [sql`files`, sql`file_usage`, sql`file_leftovers`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY customer ON ${table} TO portico_customer
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
      WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  }
  yield* sql`CREATE POLICY platform ON files FOR SELECT TO portico_platform USING (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, DELETE ON files TO portico_customer`
  // No file ever changes; this is what it takes to lock one against being deleted while it is attached.
  yield* sql`GRANT UPDATE (created_at) ON files TO portico_customer`
  yield* sql`GRANT SELECT ON files TO portico_platform`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON file_usage TO portico_customer`
  yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON file_leftovers TO portico_customer`
  yield* sql`CREATE POLICY sweeper ON file_leftovers TO CURRENT_USER
    USING (due_at <= now() OR tries > 0) WITH CHECK (tries > 0)`
})

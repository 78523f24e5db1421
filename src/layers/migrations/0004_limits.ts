import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Counters need not outlive a crash of the database: a window is short.
  yield* sql`CREATE UNLOGGED TABLE shared_limits (
    org_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    used integer NOT NULL,
    ends_at timestamptz(3) NOT NULL,
    PRIMARY KEY (org_id, name, key)
  )`
  yield* sql`CREATE INDEX shared_limits_end ON shared_limits (ends_at)`
  // Nobody's data, and counted by the system for all: no tenant can read or reset a counter.
  yield* sql`ALTER TABLE shared_limits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY operator ON shared_limits TO CURRENT_USER USING (true) WITH CHECK (true)`
})

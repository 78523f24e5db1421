import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // What local mode's stand-ins for mail, text messages and push were handed: kept for whoever develops, so without a
  // say over the customers that it was for.
  yield* sql`CREATE TABLE outbox (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'sms', 'push')),
    recipient text NOT NULL,
    subject text,
    text text NOT NULL,
    code text,
    created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (org_id, id, channel)
  )`
  yield* sql`CREATE INDEX outbox_age ON outbox (org_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX outbox_customer ON outbox (org_id, customer_id, created_at DESC, id DESC)`
  yield* sql`ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY platform ON outbox FOR SELECT TO portico_platform USING (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY operator ON outbox TO CURRENT_USER USING (true) WITH CHECK (true)`
  yield* sql`GRANT SELECT ON outbox TO portico_platform`
})

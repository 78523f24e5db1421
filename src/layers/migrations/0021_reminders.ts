import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Which starts customers have been reminded of: a mark in the reservation's row would make it another version.
  yield* sql`CREATE TABLE reservation_reminders (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    reservation_id text COLLATE "C" NOT NULL,
    starts_at timestamptz(3) NOT NULL,
    told_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, reservation_id, starts_at),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`ALTER TABLE reservation_reminders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY platform ON reservation_reminders TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT ON reservation_reminders TO portico_platform`

  // Workers look for what is due in any org, and go on with it as that org's platform.
  yield* sql`CREATE POLICY operator ON reservation_reminders FOR SELECT TO CURRENT_USER USING (true)`
  yield* sql`CREATE POLICY operator ON reservations FOR SELECT TO CURRENT_USER USING (remind_at IS NOT NULL)`

  // Those who write down that enrollments are over tell their customers, so they do it as the org's platform too.
  yield* sql`DROP POLICY sweeper ON enrollments`
  yield* sql`DROP POLICY sweeper ON enrollment_steps`
  yield* sql`DROP POLICY sweeper_sees ON enrollment_steps`
})

import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // `audience` names customers, or is null for all. Those up to `told_to`, in the order of their ids, have been told: a
  // batch and the step of this mark are one transaction, so that whoever goes on after a crash repeats nobody.
  yield* sql`CREATE TABLE broadcasts (
    org_id text COLLATE "C" NOT NULL REFERENCES orgs (id),
    id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    data jsonb NOT NULL,
    link text,
    channels jsonb,
    audience jsonb,
    total integer NOT NULL,
    told integer NOT NULL DEFAULT 0,
    told_to text COLLATE "C" NOT NULL DEFAULT '',
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    finished_at timestamptz(3),
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE INDEX broadcasts_open ON broadcasts (org_id, created_at) WHERE finished_at IS NULL`
  yield* sql`ALTER TABLE broadcasts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY platform ON broadcasts TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  // Workers look for what is open in any org, and go on with it as that org's platform.
  yield* sql`CREATE POLICY operator ON broadcasts FOR SELECT TO CURRENT_USER USING (true)`
  yield* sql`GRANT SELECT, INSERT, UPDATE (told, told_to, finished_at) ON broadcasts TO portico_platform`

  // Which cards have been told about, by the month they expire in: each is told about once.
  yield* sql`CREATE TABLE card_notices (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    payment_method_id text COLLATE "C" NOT NULL,
    expires text COLLATE "C" NOT NULL,
    told_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, payment_method_id, expires),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`ALTER TABLE card_notices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY platform ON card_notices TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT ON card_notices TO portico_platform`
})

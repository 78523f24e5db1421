import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Each code that was sent, for a day: what it was for, which value of the profile's it stood beside (once that is
  // another, the code is of no use), and how many wrong guesses were made while it was the newest.
  yield* sql`CREATE TABLE verification_codes (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'phone')),
    destination text NOT NULL,
    beside text,
    hash text COLLATE "C" NOT NULL,
    guesses integer NOT NULL DEFAULT 0,
    ended text COLLATE "C" CHECK (ended IN ('used', 'killed')),
    sent_at timestamptz(3) NOT NULL,
    expires_at timestamptz(3) NOT NULL,
    PRIMARY KEY (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX verification_codes_sent ON verification_codes (org_id, customer_id, channel, sent_at DESC)`

  // When which address or number was proven here.
  yield* sql`CREATE TABLE verifications (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'phone')),
    value text NOT NULL,
    verified_at timestamptz(3) NOT NULL,
    PRIMARY KEY (org_id, customer_id, channel),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`

  for (const table of [sql`verification_codes`, sql`verifications`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY customer ON ${table} TO portico_customer
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
      WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  }
  yield* sql`GRANT SELECT, INSERT, UPDATE (guesses, ended) ON verification_codes TO portico_customer`
  yield* sql`GRANT SELECT, INSERT, UPDATE (value, verified_at) ON verifications TO portico_customer`
  yield* sql`CREATE POLICY sweeper ON verification_codes TO CURRENT_USER USING (sent_at < now() - interval '2 days')`
})

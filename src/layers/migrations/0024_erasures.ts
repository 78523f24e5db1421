import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // `erases_at` is null as long as a code is all there is. `due_at` is when a worker may go on with it.
  yield* sql`CREATE TABLE erasures (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    requested_by text COLLATE "C" NOT NULL CHECK (requested_by IN ('customer', 'platform')),
    requested_at timestamptz(3) NOT NULL,
    erases_at timestamptz(3),
    code_hash text COLLATE "C",
    code_sent_at timestamptz(3),
    code_expires_at timestamptz(3),
    guesses integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz(3) NOT NULL DEFAULT now(),
    started_at timestamptz(3),
    finished_at timestamptz(3),
    PRIMARY KEY (org_id, customer_id),
    CHECK (erases_at IS NOT NULL OR started_at IS NULL),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX erasures_due ON erasures (due_at) WHERE erases_at IS NOT NULL AND finished_at IS NULL`

  // What each system has said: when it was done, or what was last in the way.
  yield* sql`CREATE TABLE erasure_receipts (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    system text COLLATE "C" NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    done_at timestamptz(3),
    last_error text COLLATE "C",
    PRIMARY KEY (org_id, customer_id, system),
    FOREIGN KEY (org_id, customer_id) REFERENCES erasures (org_id, customer_id) ON DELETE CASCADE
  )`
  for (const table of [sql`erasures`, sql`erasure_receipts`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY operator ON ${table} TO CURRENT_USER USING (true) WITH CHECK (true)`
  }
  // Nobody calls off what the platform wants, or what has begun.
  yield* sql`CREATE POLICY customer ON erasures FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY customer_asks ON erasures FOR INSERT TO portico_customer
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()) AND requested_by = 'customer')`
  for (const [name, action] of [
    ["customer_goes_on", "UPDATE"],
    ["customer_calls_off", "DELETE"]
  ] as const) {
    yield* sql`CREATE POLICY ${sql.literal(name)} ON erasures FOR ${sql.literal(action)} TO portico_customer
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer())
        AND requested_by = 'customer' AND started_at IS NULL)`
  }
  yield* sql`CREATE POLICY platform ON erasures TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()) AND requested_by = 'platform')`
  yield* sql`CREATE POLICY platform ON erasure_receipts FOR SELECT TO portico_platform
    USING (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY customer ON erasure_receipts FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`GRANT SELECT, INSERT (org_id, customer_id, requested_by, requested_at, code_hash, code_sent_at, code_expires_at),
    UPDATE (requested_at, erases_at, code_hash, code_sent_at, code_expires_at, guesses), DELETE ON erasures TO portico_customer`
  yield* sql`GRANT SELECT (org_id, customer_id, requested_by, requested_at, erases_at, started_at, finished_at),
    INSERT (org_id, customer_id, requested_by, requested_at, erases_at),
    UPDATE (requested_by, requested_at, erases_at, due_at) ON erasures TO portico_platform`
  yield* sql`GRANT SELECT ON erasure_receipts TO portico_customer, portico_platform`

  yield* sql`CREATE FUNCTION is_erasing() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM erasures WHERE org_id = current_org() AND customer_id = current_customer()
      AND started_at IS NOT NULL AND finished_at IS NULL) $$`

  // A token is believed for five seconds after its customer has gone. Whatever would be written later than that is refused
  // here: behind the lock that erasing holds, so that it is either there to be erased or never comes.
  yield* sql`CREATE FUNCTION refuse_erased() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM customers WHERE org_id = NEW.org_id AND id = NEW.customer_id FOR KEY SHARE;
      IF EXISTS (SELECT 1 FROM customers WHERE org_id = NEW.org_id AND id = NEW.customer_id
        AND erased_at < clock_timestamp() - interval '5 seconds')
      THEN
        RAISE restrict_violation USING MESSAGE = 'the customer is erased';
      END IF;
      RETURN NEW;
    END $$`

  // The owner sees of a customer what it takes to erase them, while it does.
  const tables = yield* sql<{ readonly name: string }>`
    SELECT relname AS name FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'customer_id'
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT LIKE 'erasure%' ORDER BY 1`
  for (const { name } of tables) {
    yield* sql`CREATE POLICY erasure ON ${sql(name)} TO CURRENT_USER
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()) AND (SELECT is_erasing()))`
    // The log is written by what erasing deletes, and the outbox by the owner: they are emptied last.
    if (["customer_changes", "customer_change_counters", "outbox"].includes(name)) continue
    // What is kept must not be filled in again. Erasing itself, which is the owner, may write.
    const isKept = ["orders", "transactions", "wallets", "reservations"].includes(name)
    yield* sql`CREATE TRIGGER refuse_erased BEFORE ${sql.literal(isKept ? "INSERT OR UPDATE" : "INSERT")} ON ${sql(name)}
      FOR EACH ROW WHEN (current_user IN ('portico_customer', 'portico_platform')) EXECUTE FUNCTION refuse_erased()`
  }
  yield* sql`CREATE POLICY erasure ON customers TO CURRENT_USER
    USING (org_id = (SELECT current_org()) AND id = (SELECT current_customer()) AND (SELECT is_erasing()))`
  // A notice to customers that were named: one of them may be this one.
  yield* sql`CREATE POLICY erasure ON broadcasts TO CURRENT_USER
    USING (org_id = (SELECT current_org()) AND audience ? (SELECT current_customer()) AND (SELECT is_erasing()))
    WITH CHECK (org_id = (SELECT current_org()) AND (SELECT is_erasing()))`
})

import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE addresses (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    company text COLLATE "C",
    phone text COLLATE "C",
    street1 text COLLATE "C" NOT NULL,
    street2 text COLLATE "C",
    city text COLLATE "C" NOT NULL,
    state text COLLATE "C",
    zip text COLLATE "C",
    country text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    is_primary boolean NOT NULL,
    is_mailing boolean NOT NULL,
    place_id text COLLATE "C",
    latitude double precision,
    longitude double precision,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX addresses_primary ON addresses (org_id, customer_id) WHERE is_primary`
  yield* sql`CREATE UNIQUE INDEX addresses_mailing ON addresses (org_id, customer_id) WHERE is_mailing`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON addresses FOR EACH ROW EXECUTE FUNCTION count_version()`

  // The index keeps it from being two; this keeps it from being none. At the end, since primary moves in two steps.
  yield* sql`CREATE FUNCTION keep_primary_address() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT coalesce((SELECT bool_or(is_primary) FROM addresses
        WHERE org_id = coalesce(NEW.org_id, OLD.org_id) AND customer_id = coalesce(NEW.customer_id, OLD.customer_id)), true)
      THEN
        RAISE check_violation USING MESSAGE = 'a customer with addresses needs a primary one';
      END IF;
      RETURN NULL;
    END $$`
  yield* sql`CREATE CONSTRAINT TRIGGER keep_primary AFTER INSERT OR DELETE OR UPDATE OF is_primary ON addresses
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_primary_address()`

  yield* sql`ALTER TABLE addresses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON addresses TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON addresses TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON addresses TO portico_customer, portico_platform`

  // What a customer is typing need not outlive a crash of the database.
  yield* sql`CREATE UNLOGGED TABLE place_sessions (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    token text COLLATE "C" NOT NULL,
    input text NOT NULL,
    language text,
    ends_at timestamptz(3) NOT NULL,
    PRIMARY KEY (org_id, customer_id, name)
  )`
  yield* sql`CREATE INDEX place_sessions_end ON place_sessions (ends_at)`
  yield* sql`ALTER TABLE place_sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON place_sessions TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY sweeper ON place_sessions FOR DELETE TO CURRENT_USER USING (ends_at < now())`
  yield* sql`CREATE POLICY sweeper_sees ON place_sessions FOR SELECT TO CURRENT_USER USING (ends_at < now())`
  yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON place_sessions TO portico_customer`
})

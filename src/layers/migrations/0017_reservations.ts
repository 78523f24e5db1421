import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE reservation_definitions (
    org_id text COLLATE "C" NOT NULL REFERENCES orgs (id),
    id text COLLATE "C" NOT NULL,
    title text COLLATE "C" NOT NULL,
    description text,
    timezone text COLLATE "C" NOT NULL,
    hours jsonb NOT NULL,
    services jsonb NOT NULL,
    spots integer NOT NULL CHECK (spots > 0),
    blocked jsonb NOT NULL,
    horizon_days integer NOT NULL,
    booking_notice_minutes integer NOT NULL,
    cancel_notice_minutes integer NOT NULL,
    requires_confirmation boolean NOT NULL,
    max_per_customer integer NOT NULL,
    location text,
    active boolean NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON reservation_definitions
    FOR EACH ROW EXECUTE FUNCTION count_version()`
  yield* sql`ALTER TABLE reservation_definitions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  // What can be booked is for all customers of the org.
  yield* sql`CREATE POLICY customer ON reservation_definitions FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY platform ON reservation_definitions TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY operator ON reservation_definitions FOR SELECT TO CURRENT_USER USING (true)`
  yield* sql`GRANT SELECT ON reservation_definitions TO portico_customer`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON reservation_definitions TO portico_platform`

  yield* sql`CREATE TABLE reservation_numbers (
    org_id text COLLATE "C" PRIMARY KEY REFERENCES orgs (id),
    last integer NOT NULL
  )`
  yield* sql`ALTER TABLE reservation_numbers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON reservation_numbers TO portico_customer
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON reservation_numbers TO portico_customer`

  // Instants are half-open. An empty interval would overlap nothing, and so be free of every limit.
  yield* sql`CREATE TABLE reservations (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL,
    definition_id text COLLATE "C" NOT NULL,
    service text COLLATE "C" NOT NULL,
    title text COLLATE "C" NOT NULL,
    starts_at timestamptz(3) NOT NULL,
    ends_at timestamptz(3) NOT NULL,
    busy_until timestamptz(3) NOT NULL,
    timezone text COLLATE "C" NOT NULL,
    party_size integer NOT NULL CHECK (party_size > 0),
    status text COLLATE "C" NOT NULL
      CHECK (status IN ('pending', 'confirmed', 'used', 'rescheduled', 'cancelled', 'no_show')),
    note text,
    location text,
    cancel_until timestamptz(3) NOT NULL,
    remind_at timestamptz(3),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, number),
    CHECK (starts_at < ends_at AND ends_at <= busy_until),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id),
    FOREIGN KEY (org_id, definition_id) REFERENCES reservation_definitions (org_id, id)
  )`
  yield* sql`CREATE INDEX reservations_start ON reservations (org_id, customer_id, starts_at DESC, id DESC)`
  yield* sql`CREATE INDEX reservations_start_in_org ON reservations (org_id, starts_at DESC, id DESC)`
  yield* sql`CREATE INDEX reservations_remind ON reservations (org_id, remind_at) WHERE remind_at IS NOT NULL`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION count_version()`
  yield* sql`ALTER TABLE reservations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON reservations TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer())
      AND status IN ('pending', 'confirmed', 'rescheduled', 'cancelled'))`
  yield* sql`CREATE POLICY platform ON reservations TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE (starts_at, ends_at, busy_until, party_size, status, note, cancel_until, remind_at)
    ON reservations TO portico_customer`
  yield* sql`GRANT SELECT, UPDATE (status, note, title, timezone, location, remind_at) ON reservations TO portico_platform`

  // How many spots are taken when, and not by whom: all that one customer may know of the others' reservations.
  yield* sql`CREATE TABLE reservation_occupancy (
    org_id text COLLATE "C" NOT NULL,
    definition_id text COLLATE "C" NOT NULL,
    busy_until timestamptz(3) NOT NULL,
    starts_at timestamptz(3) NOT NULL,
    taken integer NOT NULL CHECK (taken >= 0),
    PRIMARY KEY (org_id, definition_id, busy_until, starts_at),
    FOREIGN KEY (org_id, definition_id) REFERENCES reservation_definitions (org_id, id)
  )`
  yield* sql`ALTER TABLE reservation_occupancy ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON reservation_occupancy FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY platform ON reservation_occupancy FOR SELECT TO portico_platform
    USING (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY operator ON reservation_occupancy TO CURRENT_USER USING (true) WITH CHECK (true)`
  yield* sql`GRANT SELECT ON reservation_occupancy TO portico_customer, portico_platform`

  // The judge of every booking and move, whoever writes it: runs as the owner, because no tenant may write the occupancy.
  // An exclusion constraint cannot count, so the lock comes first and what was committed before is then seen and counted.
  yield* sql`CREATE FUNCTION keep_occupancy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    DECLARE
      adds boolean := TG_OP <> 'DELETE' AND NEW.status <> 'cancelled';
      frees boolean := TG_OP <> 'INSERT' AND OLD.status <> 'cancelled';
      most integer;
    BEGIN
      PERFORM lock_definition(coalesce(NEW.org_id, OLD.org_id), coalesce(NEW.definition_id, OLD.definition_id));
      IF frees THEN
        UPDATE reservation_occupancy SET taken = taken - OLD.party_size
        WHERE org_id = OLD.org_id AND definition_id = OLD.definition_id
          AND busy_until = OLD.busy_until AND starts_at = OLD.starts_at;
        DELETE FROM reservation_occupancy
        WHERE org_id = OLD.org_id AND definition_id = OLD.definition_id
          AND busy_until = OLD.busy_until AND starts_at = OLD.starts_at AND taken = 0;
      END IF;
      IF adds THEN
        INSERT INTO reservation_occupancy AS held (org_id, definition_id, busy_until, starts_at, taken)
        VALUES (NEW.org_id, NEW.definition_id, NEW.busy_until, NEW.starts_at, NEW.party_size)
        ON CONFLICT (org_id, definition_id, busy_until, starts_at) DO UPDATE SET taken = held.taken + excluded.taken;
        -- A definition may have fewer spots than before: who has one keeps it.
        IF NOT frees OR NEW.party_size > OLD.party_size
          OR (NEW.starts_at, NEW.busy_until) IS DISTINCT FROM (OLD.starts_at, OLD.busy_until) THEN
          SELECT max(load) INTO most FROM (
            SELECT sum(busy.taken) AS load
            FROM (
              SELECT DISTINCT greatest(starts_at, NEW.starts_at) AS moment FROM reservation_occupancy
              WHERE org_id = NEW.org_id AND definition_id = NEW.definition_id
                AND busy_until > NEW.starts_at AND starts_at < NEW.busy_until
            ) AS moments
            JOIN reservation_occupancy AS busy ON busy.org_id = NEW.org_id AND busy.definition_id = NEW.definition_id
              AND busy.busy_until > moment AND busy.starts_at <= moment
            GROUP BY moment
          ) AS loads;
          IF most > (SELECT spots FROM reservation_definitions WHERE org_id = NEW.org_id AND id = NEW.definition_id) THEN
            RAISE EXCEPTION 'more spots taken than there are' USING ERRCODE = 'exclusion_violation';
          END IF;
        END IF;
      END IF;
      RETURN NULL;
    END $$`
  // Held until the transaction ends. Everything that takes or frees a spot waits here before it writes a row: with the
  // row first and the lock second, two such transactions would wait for each other.
  yield* sql`CREATE FUNCTION lock_definition(org text, definition text) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_advisory_xact_lock(hashtextextended('reservations ' || org || ' ' || definition, 0)) $$`
  yield* sql`CREATE FUNCTION lock_bookings_of(org text, customer text) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_advisory_xact_lock(hashtextextended('bookings of ' || org || ' ' || customer, 0)) $$`
  yield* sql`CREATE TRIGGER keep_occupancy
    AFTER INSERT OR DELETE OR UPDATE OF definition_id, starts_at, busy_until, party_size, status ON reservations
    FOR EACH ROW EXECUTE FUNCTION keep_occupancy()`
})

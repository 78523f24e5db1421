import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { recordChanges } from "./recordChanges.ts"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* recordChanges({ table: "notifications", type: "notification", only: "touched.in_app" })
  yield* recordChanges({ table: "push_tokens", type: "pushToken" })
  yield* recordChanges({ table: "reservations", type: "reservation" })

  // What is verified stands in the profile, when that was, and what is still to be, beside it. A wrong guess shows nowhere.
  yield* recordChanges({ table: "verifications", type: "verification", id: "customer_id", part: true })
  yield* recordChanges({
    table: "verification_codes",
    type: "verification",
    id: "customer_id",
    part: true,
    when: "OLD.ended IS DISTINCT FROM NEW.ended"
  })
  yield* sql`CREATE FUNCTION record_verified() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
      PERFORM log_change(NEW.org_id, NEW.id, 'verification', NEW.id, 'upsert');
      RETURN NULL;
    END $$`
  yield* sql`REVOKE EXECUTE ON FUNCTION record_verified() FROM PUBLIC`
  yield* sql`CREATE CONSTRAINT TRIGGER record_verified AFTER UPDATE ON customers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.email, OLD.email_verified, OLD.phone, OLD.phone_verified)
      IS DISTINCT FROM (NEW.email, NEW.email_verified, NEW.phone, NEW.phone_verified))
    EXECUTE FUNCTION record_verified()`

  // A programme shows its customer's newest enrollment. Steps and documents are written with their enrollment only.
  yield* recordChanges({
    table: "enrollments",
    type: "enrollment",
    also: `PERFORM log_change(touched.org_id, touched.customer_id, 'benefit', touched.benefit_id, 'upsert');`
  })

  // What the org offers is for all of its customers. Whoever is new waits for a programme that is just being written,
  // or is waited for: either the programme finds them, or they find it.
  yield* sql`CREATE FUNCTION hold_benefits() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(hashtextextended('benefits of ' || NEW.org_id, 0));
      RETURN NULL;
    END $$`
  yield* sql`CREATE TRIGGER hold_benefits AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION hold_benefits()`
  yield* sql`CREATE FUNCTION record_benefits() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE holder text;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('benefits of ' || NEW.org_id, 0));
      FOR holder IN
        SELECT customer_id FROM customer_change_counters WHERE org_id = NEW.org_id ORDER BY customer_id
      LOOP
        PERFORM log_change(NEW.org_id, holder, 'benefit', NEW.id, 'upsert');
      END LOOP;
      RETURN NULL;
    END $$`
  yield* sql`REVOKE EXECUTE ON FUNCTION hold_benefits(), record_benefits() FROM PUBLIC`
  yield* sql`CREATE CONSTRAINT TRIGGER record_made AFTER INSERT ON benefits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record_benefits()`
  yield* sql`CREATE CONSTRAINT TRIGGER record_changed AFTER UPDATE ON benefits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION record_benefits()`
})

import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { recordChanges } from "./recordChanges.ts"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Whoever changes anything of a customer's takes the next number here and holds the row until the commit: numbers
  // have no holes, and none turns up after a later one has been seen. `seal` signs cursors; `forgotten` is the newest
  // number that the log no longer has; the rest is about the last entry, and whether anybody waits for the next.
  yield* sql`CREATE TABLE customer_change_counters (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    last bigint NOT NULL DEFAULT 0,
    forgotten bigint NOT NULL DEFAULT 0,
    seal text COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    xid xid8,
    type text COLLATE "C",
    id text COLLATE "C",
    op text COLLATE "C",
    watched_until timestamptz(3),
    PRIMARY KEY (org_id, customer_id)
  ) WITH (fillfactor = 50)`
  yield* sql`CREATE TABLE customer_changes (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    op text COLLATE "C" NOT NULL CHECK (op IN ('upsert', 'delete')),
    at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (org_id, customer_id, sequence)
  )`
  // Rows arrive in the order of time, so this costs a write next to nothing.
  yield* sql`CREATE INDEX customer_changes_at ON customer_changes USING brin (at)`
  for (const table of [sql`customer_change_counters`, sql`customer_changes`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY customer ON ${table} FOR SELECT TO portico_customer
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
    // Written by the triggers alone, which run as the owner: nobody can write into their own log.
    yield* sql`CREATE POLICY operator ON ${table} TO CURRENT_USER USING (true) WITH CHECK (true)`
    yield* sql`GRANT SELECT ON ${table} TO portico_customer`
  }

  // Several changes of one record one after the other in one transaction are one entry. Only who is waited for is
  // announced: announcements make all commits of a database wait for each other.
  yield* sql`CREATE FUNCTION log_change(of_org text, of_customer text, of_type text, of_id text, of_op text) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
      number bigint;
      watched timestamptz;
    BEGIN
      INSERT INTO customer_change_counters AS held (org_id, customer_id, last, xid, type, id, op)
      VALUES (of_org, of_customer, 1, pg_current_xact_id(), of_type, of_id, of_op)
      ON CONFLICT (org_id, customer_id) DO UPDATE SET
        last = held.last + 1, xid = excluded.xid, type = excluded.type, id = excluded.id, op = excluded.op
      WHERE (held.xid, held.type, held.id, held.op) IS DISTINCT FROM (excluded.xid, excluded.type, excluded.id, excluded.op)
      RETURNING last, watched_until INTO number, watched;
      IF number IS NULL THEN RETURN; END IF;
      INSERT INTO customer_changes (org_id, customer_id, sequence, type, id, op)
      VALUES (of_org, of_customer, number, of_type, of_id, of_op);
      IF watched > now() THEN
        PERFORM pg_notify('portico_changes', encode(sha256(convert_to(of_org || ' ' || of_customer, 'UTF8')), 'hex'));
      END IF;
    END $$`
  yield* sql`REVOKE EXECUTE ON FUNCTION log_change(text, text, text, text, text) FROM PUBLIC`

  // A conversation shows its customer's name. Their counter is held by now: a conversation that this does not see yet
  // gets a later number, and is read with the new name.
  yield* sql`CREATE POLICY change_log ON conversations FOR SELECT TO CURRENT_USER USING (true)`
  yield* recordChanges({
    table: "customers",
    type: "profile",
    customer: "id",
    also: `
      IF TG_OP = 'UPDATE' AND OLD.name IS DISTINCT FROM NEW.name THEN
        PERFORM log_change(org_id, customer_id, 'conversation', id, 'upsert') FROM conversations
        WHERE org_id = NEW.org_id AND customer_id = NEW.id;
      END IF;`
  })
  yield* recordChanges({ table: "addresses", type: "address" })
  yield* recordChanges({ table: "payment_methods", type: "paymentMethod" })
  yield* recordChanges({ table: "orders", type: "order" })
  yield* recordChanges({ table: "tickets", type: "ticket" })
  yield* recordChanges({ table: "ticket_comments", type: "ticket", id: "ticket_id", part: true })
  yield* recordChanges({ table: "ticket_attachments", type: "ticket", id: "ticket_id", part: true })
  yield* recordChanges({ table: "conversations", type: "conversation" })
  // A new message changes its conversation's row anyway; one that has been read changes what the conversation counts.
  yield* recordChanges({
    table: "messages",
    type: "message",
    also: `
      IF TG_OP <> 'INSERT' THEN
        PERFORM log_change(touched.org_id, touched.customer_id, 'conversation', touched.conversation_id, 'upsert');
      END IF;`
  })
  yield* recordChanges({ table: "message_attachments", type: "message", id: "message_id", part: true })
  yield* recordChanges({ table: "files", type: "file", id: "path" })
  yield* recordChanges({ table: "transactions", type: "transaction" })
  yield* recordChanges({ table: "wallets", type: "wallet", id: "customer_id" })

  // An item shows what its product costs now. A product that changes is waited for, so that either it finds the item or
  // the item's entry comes after it.
  yield* sql`CREATE INDEX wishlist_items_product ON wishlist_items (org_id, product_id, customer_id)`
  yield* sql`CREATE POLICY change_log ON wishlist_items FOR SELECT TO CURRENT_USER USING (true)`
  yield* sql`CREATE POLICY change_log ON products TO CURRENT_USER USING (true)`
  yield* recordChanges({ table: "wishlist_items", type: "wishlistItem", id: "product_id" })
  yield* sql`CREATE FUNCTION hold_product() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
      PERFORM 1 FROM products WHERE org_id = NEW.org_id AND id = NEW.product_id FOR SHARE;
      RETURN NULL;
    END $$`
  yield* sql`REVOKE EXECUTE ON FUNCTION hold_product() FROM PUBLIC`
  yield* sql`CREATE TRIGGER hold_product AFTER INSERT ON wishlist_items FOR EACH ROW EXECUTE FUNCTION hold_product()`
  yield* sql`CREATE FUNCTION record_products() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE holder text;
    BEGIN
      FOR holder IN
        SELECT customer_id FROM wishlist_items WHERE org_id = NEW.org_id AND product_id = NEW.id ORDER BY customer_id
      LOOP
        PERFORM log_change(NEW.org_id, holder, 'wishlistItem', NEW.id, 'upsert');
      END LOOP;
      RETURN NULL;
    END $$`
  yield* sql`REVOKE EXECUTE ON FUNCTION record_products() FROM PUBLIC`
  yield* sql`CREATE CONSTRAINT TRIGGER record_changed AFTER UPDATE ON products
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION record_products()`

  // Who is here already starts at nothing, and reads what there is first. Row security hides them from the owner too.
  yield* sql`ALTER TABLE customers NO FORCE ROW LEVEL SECURITY`
  yield* sql`INSERT INTO customer_change_counters (org_id, customer_id) SELECT org_id, id FROM customers`
  yield* sql`ALTER TABLE customers FORCE ROW LEVEL SECURITY`
})

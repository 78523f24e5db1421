import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // A write that changes nothing is no new version: sync jobs repeat themselves.
  yield* sql`CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := now();
      END IF;
      RETURN NEW;
    END $$`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION count_version()`

  yield* sql`CREATE TABLE orders (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    subtotal bigint NOT NULL,
    discount bigint NOT NULL,
    tax bigint NOT NULL,
    shipping bigint NOT NULL,
    total bigint NOT NULL,
    items jsonb NOT NULL,
    shipping_address jsonb,
    billing_address jsonb,
    shipments jsonb NOT NULL,
    placed_at timestamptz(3) NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX orders_placed ON orders (org_id, customer_id, placed_at DESC, id DESC)`
  yield* sql`CREATE INDEX orders_number ON orders (org_id, customer_id, number)`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION count_version()`
  yield* sql`ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON orders FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON orders TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT ON orders TO portico_customer`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON orders TO portico_platform`
})

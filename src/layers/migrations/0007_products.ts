import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE products (
    org_id text COLLATE "C" NOT NULL REFERENCES orgs (id),
    id text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    price bigint NOT NULL,
    currency text COLLATE "C" NOT NULL,
    image text,
    available boolean NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE INDEX products_sku ON products (org_id, sku)`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION count_version()`
  yield* sql`ALTER TABLE products ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  // The org's catalogue is for all of its customers.
  yield* sql`CREATE POLICY customer ON products FOR SELECT TO portico_customer USING (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY platform ON products TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT ON products TO portico_customer`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON products TO portico_platform`

  yield* sql`CREATE TABLE wishlist_items (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    product_id text COLLATE "C" NOT NULL,
    price_when_added bigint NOT NULL,
    currency_when_added text COLLATE "C" NOT NULL,
    added_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, product_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id),
    FOREIGN KEY (org_id, product_id) REFERENCES products (org_id, id)
  )`
  yield* sql`ALTER TABLE wishlist_items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON wishlist_items TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON wishlist_items TO portico_customer`
})

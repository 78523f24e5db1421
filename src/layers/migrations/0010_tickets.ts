import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The last number that an org has given out: a row to wait for, so that no two tickets get the same.
  yield* sql`CREATE TABLE ticket_numbers (
    org_id text COLLATE "C" PRIMARY KEY REFERENCES orgs (id),
    last integer NOT NULL
  )`
  yield* sql`ALTER TABLE ticket_numbers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON ticket_numbers TO portico_customer
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON ticket_numbers TO portico_customer`

  yield* sql`CREATE TABLE tickets (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    status text COLLATE "C" NOT NULL
      CHECK (status IN ('new', 'open', 'pending', 'inprogress', 'blocked', 'done', 'canceled')),
    priority text COLLATE "C" NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    order_id text COLLATE "C",
    comment_count integer NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, number),
    UNIQUE (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id),
    FOREIGN KEY (org_id, order_id) REFERENCES orders (org_id, id)
  )`
  yield* sql`CREATE INDEX tickets_created ON tickets (org_id, customer_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX tickets_created_in_org ON tickets (org_id, created_at DESC, id DESC)`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION count_version()`
  yield* sql`ALTER TABLE tickets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON tickets TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON tickets TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE (title, description, status, priority, comment_count) ON tickets TO portico_customer`
  yield* sql`GRANT SELECT, UPDATE (status, priority, comment_count) ON tickets TO portico_platform`

  // What was said stays said: comments are only ever added.
  yield* sql`CREATE TABLE ticket_comments (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    ticket_id text COLLATE "C" NOT NULL,
    sequence integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    author_kind text COLLATE "C" NOT NULL CHECK (author_kind IN ('customer', 'staff')),
    author_name text,
    text text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, ticket_id, sequence),
    FOREIGN KEY (org_id, customer_id, ticket_id) REFERENCES tickets (org_id, customer_id, id)
  )`
  yield* sql`ALTER TABLE ticket_comments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON ticket_comments FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  // Nobody speaks for the staff but the staff.
  yield* sql`CREATE POLICY customer_says ON ticket_comments FOR INSERT TO portico_customer
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()) AND author_kind = 'customer')`
  yield* sql`CREATE POLICY platform ON ticket_comments TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT ON ticket_comments TO portico_customer, portico_platform`

  // A file that is attached cannot be deleted. Comment 0 is the ticket itself.
  yield* sql`CREATE TABLE ticket_attachments (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    ticket_id text COLLATE "C" NOT NULL,
    comment_sequence integer NOT NULL,
    position integer NOT NULL,
    file_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, customer_id, ticket_id, comment_sequence, position),
    FOREIGN KEY (org_id, customer_id, ticket_id) REFERENCES tickets (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id, file_id) REFERENCES files (org_id, customer_id, id) ON DELETE RESTRICT
  )`
  yield* sql`CREATE INDEX ticket_attachments_file ON ticket_attachments (org_id, customer_id, file_id)`
  yield* sql`ALTER TABLE ticket_attachments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON ticket_attachments TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON ticket_attachments FOR SELECT TO portico_platform
    USING (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT ON ticket_attachments TO portico_customer`
  yield* sql`GRANT SELECT ON ticket_attachments TO portico_platform`
})

import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // `parties` are the others, as [{ kind, id, name }]; the customer is one anyway. Whoever writes locks this row, so
  // that `last_sequence` counts without holes and a later message has no earlier time.
  yield* sql`CREATE TABLE conversations (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    subject text,
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'closed')),
    parties jsonb NOT NULL,
    last_sequence integer NOT NULL,
    last_message_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX conversations_last ON conversations (org_id, customer_id, last_message_at DESC, id DESC)`
  yield* sql`CREATE INDEX conversations_last_in_org ON conversations (org_id, last_message_at DESC, id DESC)`

  yield* sql`CREATE TABLE messages (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    conversation_id text COLLATE "C" NOT NULL,
    sequence integer NOT NULL,
    from_kind text COLLATE "C" NOT NULL CHECK (from_kind IN ('customer', 'staff', 'expert')),
    from_id text COLLATE "C" NOT NULL,
    from_name text,
    text text NOT NULL,
    client_message_id text COLLATE "C",
    status text COLLATE "C" NOT NULL CHECK (status IN ('sent', 'delivered', 'read', 'archived')),
    created_at timestamptz(3) NOT NULL,
    read_at timestamptz(3),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, customer_id, id),
    UNIQUE (org_id, customer_id, conversation_id, sequence),
    CHECK ((read_at IS NULL) = (status IN ('sent', 'delivered'))),
    FOREIGN KEY (org_id, customer_id, conversation_id) REFERENCES conversations (org_id, customer_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX messages_client ON messages (org_id, customer_id, client_message_id)
    WHERE client_message_id IS NOT NULL`
  yield* sql`CREATE INDEX messages_created ON messages (org_id, customer_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX messages_created_in_org ON messages (org_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX messages_unread ON messages (org_id, customer_id, conversation_id)
    WHERE read_at IS NULL AND from_kind <> 'customer'`

  for (const table of [sql`conversations`, sql`messages`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY platform ON ${table} TO portico_platform
      USING (org_id = (SELECT current_org()))
      WITH CHECK (org_id = (SELECT current_org()))`
    yield* sql`GRANT SELECT, INSERT ON ${table} TO portico_customer, portico_platform`
  }
  yield* sql`CREATE POLICY customer ON conversations TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`GRANT UPDATE (status, last_sequence, last_message_at, updated_at) ON conversations TO portico_customer`
  yield* sql`GRANT UPDATE ON conversations TO portico_platform`

  yield* sql`CREATE POLICY customer ON messages FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  // A customer speaks for nobody else, and has read only what others wrote.
  yield* sql`CREATE POLICY customer_writes ON messages FOR INSERT TO portico_customer
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()) AND from_kind = 'customer')`
  yield* sql`CREATE POLICY customer_reads ON messages FOR UPDATE TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()) AND from_kind <> 'customer')
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()) AND from_kind <> 'customer')`
  yield* sql`GRANT UPDATE (status, read_at) ON messages TO portico_customer, portico_platform`

  // A file that is attached cannot be deleted.
  yield* sql`CREATE TABLE message_attachments (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    position integer NOT NULL,
    file_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, customer_id, message_id, position),
    FOREIGN KEY (org_id, customer_id, message_id) REFERENCES messages (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id, file_id) REFERENCES files (org_id, customer_id, id) ON DELETE RESTRICT
  )`
  yield* sql`CREATE INDEX message_attachments_file ON message_attachments (org_id, customer_id, file_id)`
  yield* sql`ALTER TABLE message_attachments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON message_attachments TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON message_attachments FOR SELECT TO portico_platform
    USING (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT ON message_attachments TO portico_customer`
  yield* sql`GRANT SELECT ON message_attachments TO portico_platform`
})

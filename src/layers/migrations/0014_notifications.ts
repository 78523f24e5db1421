import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // One that goes by push or mail alone is not `in_app`: the customer's list does not show it. `withheld` says why other
  // channels were left out, as {"push": "no_device"}.
  yield* sql`CREATE TABLE notifications (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    data jsonb NOT NULL,
    link text,
    in_app boolean NOT NULL,
    withheld jsonb NOT NULL,
    broadcast_id text COLLATE "C",
    read_at timestamptz(3),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX notifications_created ON notifications (org_id, customer_id, created_at DESC, id DESC) WHERE in_app`
  yield* sql`CREATE INDEX notifications_unread ON notifications (org_id, customer_id) WHERE in_app AND read_at IS NULL`
  yield* sql`CREATE UNIQUE INDEX notifications_broadcast ON notifications (org_id, broadcast_id, customer_id)
    WHERE broadcast_id IS NOT NULL`
  yield* sql`ALTER TABLE notifications ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON notifications TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON notifications TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  // What a customer does may be confirmed to them in the same transaction, so they insert as well.
  yield* sql`GRANT SELECT, INSERT, UPDATE (read_at) ON notifications TO portico_customer`
  yield* sql`GRANT SELECT, INSERT ON notifications TO portico_platform`

  yield* sql`CREATE TABLE notification_preferences (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    types jsonb NOT NULL,
    quiet_start text COLLATE "C" CHECK (quiet_start ~ '^[0-2][0-9]:[0-5][0-9]$'),
    quiet_end text COLLATE "C" CHECK (quiet_end ~ '^[0-2][0-9]:[0-5][0-9]$'),
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id),
    CHECK ((quiet_start IS NULL) = (quiet_end IS NULL)),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON notification_preferences
    FOR EACH ROW EXECUTE FUNCTION count_version()`
  yield* sql`ALTER TABLE notification_preferences ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON notification_preferences TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON notification_preferences FOR SELECT TO portico_platform
    USING (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE (types, quiet_start, quiet_end) ON notification_preferences TO portico_customer`
  yield* sql`GRANT SELECT ON notification_preferences TO portico_platform`

  // A row is one token of one device: a device's next token is another row. Tokens are found by hash, since they may be
  // longer than an index takes. Orgs are apart here too: what one of them registers takes nothing from another.
  yield* sql`CREATE TABLE push_tokens (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    token text COLLATE "C" NOT NULL,
    token_hash text COLLATE "C" NOT NULL,
    platform text COLLATE "C" NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    provider text COLLATE "C" NOT NULL CHECK (provider IN ('fcm', 'apns')),
    device_id text COLLATE "C",
    app_version text,
    last_seen_at timestamptz(3) NOT NULL DEFAULT now(),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX push_tokens_token ON push_tokens (org_id, token_hash)`
  yield* sql`CREATE UNIQUE INDEX push_tokens_device ON push_tokens (org_id, customer_id, device_id)
    WHERE device_id IS NOT NULL`
  yield* sql`ALTER TABLE push_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON push_tokens TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON push_tokens FOR SELECT TO portico_platform
    USING (org_id = (SELECT current_org()))`
  // Workers read a token at the moment they send to it, and delete it when its provider knows it no more.
  yield* sql`CREATE POLICY operator ON push_tokens TO CURRENT_USER USING (true) WITH CHECK (true)`
  yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON push_tokens TO portico_customer`
  // Which devices there are is the platform's business, their tokens are not.
  yield* sql`GRANT SELECT (org_id, customer_id, id) ON push_tokens TO portico_platform`

  // The one place where a customer's call reaches past their own rows: whoever holds a device's token takes it away from
  // another customer of the org. It answers nothing, so nobody learns whether it was anybody's, and until the
  // transaction ends nobody else can take the same token.
  yield* sql`CREATE FUNCTION take_push_token(hash text) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('portico/push_tokens/' || current_org() || '/' || hash, 0));
      DELETE FROM push_tokens
      WHERE org_id = current_org() AND customer_id <> current_customer() AND token_hash = hash;
    END $$`
  yield* sql`REVOKE ALL ON FUNCTION take_push_token(text) FROM PUBLIC`
  yield* sql`GRANT EXECUTE ON FUNCTION take_push_token(text) TO portico_customer`
})

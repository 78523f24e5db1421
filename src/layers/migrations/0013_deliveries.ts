import { Effect } from "effect"
import { PersistedQueue } from "effect/persistence"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // What is on its way out and what has become of it. `attempts` counts the tries that were begun and `finished` those
  // whose end is known: the difference is what a process that died may or may not have sent.
  yield* sql`CREATE TABLE deliveries (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    notification_id text COLLATE "C",
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'sms', 'push')),
    target text NOT NULL,
    message jsonb,
    sealed_code text COLLATE "C",
    state text COLLATE "C" NOT NULL DEFAULT 'queued'
      CHECK (state IN ('queued', 'sent', 'delivered', 'failed', 'skipped')),
    reason text COLLATE "C",
    detail text,
    attempts integer NOT NULL DEFAULT 0,
    finished integer NOT NULL DEFAULT 0,
    claim text COLLATE "C",
    claimed_until timestamptz(3),
    not_before timestamptz(3),
    next_try_at timestamptz(3),
    expires_at timestamptz(3),
    sent_at timestamptz(3),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id),
    CHECK (state = 'queued' OR sealed_code IS NULL)
  )`
  yield* sql`CREATE INDEX deliveries_notification ON deliveries (org_id, notification_id, id)
    WHERE notification_id IS NOT NULL`
  yield* sql`ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON deliveries TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON deliveries TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY operator ON deliveries TO CURRENT_USER USING (true) WITH CHECK (true)`
  yield* sql`GRANT INSERT (org_id, customer_id, id, notification_id, channel, target, message, sealed_code, not_before,
    next_try_at, expires_at) ON deliveries TO portico_customer, portico_platform`
  yield* sql`GRANT SELECT (org_id, customer_id, id) ON deliveries TO portico_customer`
  // Neither what it says nor where it goes: what has become of it.
  yield* sql`GRANT SELECT (org_id, customer_id, id, notification_id, channel, state, reason, detail, attempts, finished,
    not_before, next_try_at, sent_at, created_at, updated_at) ON deliveries TO portico_platform`

  // Ids of what is due, as Effect keeps them; later versions of its table are made when the queue is opened.
  yield* Effect.scoped(PersistedQueue.makeStoreSql({ tableName: "delivery_queue" }))
  yield* sql`ALTER TABLE delivery_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY operator ON delivery_queue TO CURRENT_USER USING (true) WITH CHECK (true)`
  // A tenant puts in what it has recorded itself, and sees no more than that.
  yield* sql`CREATE POLICY customer ON delivery_queue TO portico_customer
    USING (EXISTS (SELECT 1 FROM deliveries WHERE org_id = (SELECT current_org())
      AND customer_id = (SELECT current_customer()) AND deliveries.id = delivery_queue.id))
    WITH CHECK (EXISTS (SELECT 1 FROM deliveries WHERE org_id = (SELECT current_org())
      AND customer_id = (SELECT current_customer()) AND deliveries.id = delivery_queue.id))`
  yield* sql`CREATE POLICY platform ON delivery_queue TO portico_platform
    USING (EXISTS (SELECT 1 FROM deliveries WHERE org_id = (SELECT current_org()) AND deliveries.id = delivery_queue.id))
    WITH CHECK (EXISTS (SELECT 1 FROM deliveries WHERE org_id = (SELECT current_org()) AND deliveries.id = delivery_queue.id))`
  yield* sql`GRANT INSERT (id, queue_name, element, state, attempts, visible_at, created_at, updated_at),
    SELECT (id, queue_name) ON delivery_queue TO portico_customer, portico_platform`
  yield* sql`GRANT USAGE ON SEQUENCE delivery_queue_sequence_seq TO portico_customer, portico_platform`
})

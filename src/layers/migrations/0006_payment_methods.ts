import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // What a customer is called at a provider. `changes` counts what has been written since, so that who has read the
  // provider's list before a change does not undo it; the other two say whether the provider knows our default yet.
  yield* sql`CREATE TABLE payment_customers (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    provider_id text COLLATE "C" NOT NULL,
    changes integer NOT NULL DEFAULT 0,
    default_version integer NOT NULL DEFAULT 0,
    default_mirrored integer NOT NULL DEFAULT 0,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, provider),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX payment_customers_provider_id ON payment_customers (org_id, provider, provider_id)`

  yield* sql`CREATE TABLE payment_methods (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL CHECK (type IN ('card', 'paypal')),
    brand text COLLATE "C",
    last4 text COLLATE "C" CHECK (last4 ~ '^[0-9]{4}$'),
    exp_month integer CHECK (exp_month BETWEEN 1 AND 12),
    exp_year integer CHECK (exp_year BETWEEN 2000 AND 9999),
    email text,
    is_default boolean NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CHECK (type <> 'card' OR (brand IS NOT NULL AND last4 IS NOT NULL AND exp_month IS NOT NULL AND exp_year IS NOT NULL)),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX payment_methods_customer ON payment_methods (org_id, customer_id, created_at DESC, id DESC)`
  yield* sql`CREATE UNIQUE INDEX payment_methods_default ON payment_methods (org_id, customer_id) WHERE is_default`

  // The index keeps it from being two; this keeps it from being none. At the end, since it moves in two steps.
  yield* sql`CREATE FUNCTION keep_default_payment_method() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT coalesce((SELECT bool_or(is_default) FROM payment_methods
        WHERE org_id = coalesce(NEW.org_id, OLD.org_id) AND customer_id = coalesce(NEW.customer_id, OLD.customer_id)), true)
      THEN
        RAISE check_violation USING MESSAGE = 'a customer with payment methods needs a default one';
      END IF;
      RETURN NULL;
    END $$`
  yield* sql`CREATE CONSTRAINT TRIGGER keep_default AFTER INSERT OR DELETE OR UPDATE OF is_default ON payment_methods
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_default_payment_method()`

  // What has to be compared with a provider: written before it is asked to do something, gone when our rows say so too.
  yield* sql`CREATE TABLE payment_checks (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    due_at timestamptz(3) NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, customer_id, provider, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id)
  )`
  yield* sql`CREATE INDEX payment_checks_due ON payment_checks (due_at)`

  for (const table of [sql`payment_customers`, sql`payment_methods`, sql`payment_checks`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY customer ON ${table} TO portico_customer
      USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
      WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
    yield* sql`CREATE POLICY platform ON ${table} TO portico_platform
      USING (org_id = (SELECT current_org()))
      WITH CHECK (org_id = (SELECT current_org()))`
    yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO portico_customer, portico_platform`
  }
  yield* sql`CREATE POLICY queue ON payment_checks FOR UPDATE TO CURRENT_USER USING (due_at <= now()) WITH CHECK (true)`
  yield* sql`CREATE POLICY queue_sees ON payment_checks FOR SELECT TO CURRENT_USER USING (true)`

  // Events of Stripe's that have been taken in; it repeats itself for three days.
  yield* sql`CREATE TABLE stripe_events (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE INDEX stripe_events_age ON stripe_events (created_at)`
  yield* sql`ALTER TABLE stripe_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY platform ON stripe_events TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY sweeper ON stripe_events FOR DELETE TO CURRENT_USER USING (created_at < now() - interval '30 days')`
  yield* sql`CREATE POLICY sweeper_sees ON stripe_events FOR SELECT TO CURRENT_USER USING (created_at < now() - interval '30 days')`
  yield* sql`GRANT SELECT, INSERT ON stripe_events TO portico_platform`

  // What the local stand-ins for Stripe and PayPal remember: theirs, so none of a tenant's business. An item is free
  // until a vault holds it, and used up once it is taken out again; `origin` is the test id or approval it is made from.
  yield* sql`CREATE TABLE local_vaults (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    default_id text COLLATE "C",
    said_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX local_vaults_name ON local_vaults (org_id, name)`
  yield* sql`CREATE INDEX local_vaults_id ON local_vaults (id)`
  yield* sql`CREATE TABLE local_vault_items (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    vault_id text COLLATE "C",
    origin text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('free', 'held', 'removed')),
    facts jsonb NOT NULL,
    said_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE UNIQUE INDEX local_vault_items_held ON local_vault_items (org_id, vault_id, origin) WHERE state = 'held'`
  yield* sql`CREATE INDEX local_vault_items_id ON local_vault_items (id)`
  yield* sql`CREATE INDEX local_vault_items_origin ON local_vault_items (origin)`
  for (const table of [sql`local_vaults`, sql`local_vault_items`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY operator ON ${table} TO CURRENT_USER USING (true) WITH CHECK (true)`
  }
})

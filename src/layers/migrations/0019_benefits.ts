import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE benefits (
    org_id text COLLATE "C" NOT NULL REFERENCES orgs (id),
    id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    title text COLLATE "C" NOT NULL,
    description text,
    requires_approval boolean NOT NULL,
    agreement_version integer,
    perks jsonb NOT NULL,
    validity jsonb,
    active boolean NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
  )`
  yield* sql`CREATE INDEX benefits_name ON benefits (org_id, name)`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON benefits FOR EACH ROW EXECUTE FUNCTION count_version()`

  // A text that somebody has agreed to stays as it was: texts are only ever added.
  yield* sql`CREATE TABLE benefit_agreements (
    org_id text COLLATE "C" NOT NULL,
    benefit_id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    text text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, benefit_id, version)
  )`
  yield* sql`ALTER TABLE benefits ADD FOREIGN KEY (org_id, id, agreement_version)
    REFERENCES benefit_agreements (org_id, benefit_id, version)`

  // What the org offers is for all of its customers to see.
  for (const table of [sql`benefits`, sql`benefit_agreements`]) {
    yield* sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
    yield* sql`CREATE POLICY customer ON ${table} FOR SELECT TO portico_customer USING (org_id = (SELECT current_org()))`
    yield* sql`CREATE POLICY platform ON ${table} TO portico_platform
      USING (org_id = (SELECT current_org()))
      WITH CHECK (org_id = (SELECT current_org()))`
    yield* sql`GRANT SELECT ON ${table} TO portico_customer`
    yield* sql`GRANT SELECT, INSERT ON ${table} TO portico_platform`
  }
  yield* sql`GRANT UPDATE ON benefits TO portico_platform`

  // The last number given out in each org.
  yield* sql`CREATE TABLE enrollment_numbers (
    org_id text COLLATE "C" PRIMARY KEY REFERENCES orgs (id),
    last integer NOT NULL
  )`
  yield* sql`ALTER TABLE enrollment_numbers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON enrollment_numbers TO portico_customer
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT, UPDATE ON enrollment_numbers TO portico_customer`

  // An active one whose time is over counts as expired before the sweeper has written it down.
  yield* sql`CREATE TABLE enrollments (
    org_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    benefit_id text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'in_progress', 'under_review', 'approved', 'rejected',
      'active', 'expired', 'cancelled')),
    form_data jsonb,
    agreement_version integer,
    agreed_at timestamptz(3),
    submitted_at timestamptz(3) NOT NULL,
    reviewed_at timestamptz(3),
    approved_at timestamptz(3),
    expires_at timestamptz(3),
    rejection_reason text,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, number),
    UNIQUE (org_id, customer_id, id),
    CHECK ((agreement_version IS NULL) = (agreed_at IS NULL)),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id),
    FOREIGN KEY (org_id, benefit_id) REFERENCES benefits (org_id, id),
    FOREIGN KEY (org_id, benefit_id, agreement_version) REFERENCES benefit_agreements (org_id, benefit_id, version)
  )`
  yield* sql`CREATE UNIQUE INDEX enrollments_live ON enrollments (org_id, customer_id, benefit_id)
    WHERE status IN ('pending', 'in_progress', 'under_review', 'approved', 'active')`
  yield* sql`CREATE INDEX enrollments_submitted ON enrollments (org_id, customer_id, submitted_at DESC, id DESC)`
  yield* sql`CREATE INDEX enrollments_submitted_in_org ON enrollments (org_id, submitted_at DESC, id DESC)`
  yield* sql`CREATE INDEX enrollments_expiry ON enrollments (expires_at) WHERE status = 'active'`
  yield* sql`CREATE TRIGGER count_version BEFORE UPDATE ON enrollments FOR EACH ROW EXECUTE FUNCTION count_version()`
  yield* sql`ALTER TABLE enrollments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON enrollments FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  // Nobody approves their own.
  yield* sql`CREATE POLICY customer_enrolls ON enrollments FOR INSERT TO portico_customer
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer())
      AND (status = 'pending' OR (status = 'active' AND EXISTS (
        SELECT 1 FROM benefits WHERE benefits.org_id = enrollments.org_id AND benefits.id = benefit_id AND NOT requires_approval))))`
  yield* sql`CREATE POLICY customer_ends ON enrollments FOR UPDATE TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer())
      AND status IN ('cancelled', 'expired'))`
  yield* sql`CREATE POLICY platform ON enrollments TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY sweeper ON enrollments FOR UPDATE TO CURRENT_USER
    USING (status = 'active') WITH CHECK (status = 'expired')`
  yield* sql`CREATE POLICY sweeper_sees ON enrollments FOR SELECT TO CURRENT_USER USING (status IN ('active', 'expired'))`
  yield* sql`GRANT SELECT, INSERT, UPDATE (status) ON enrollments TO portico_customer`
  yield* sql`GRANT SELECT, UPDATE (status, reviewed_at, approved_at, expires_at, rejection_reason) ON enrollments
    TO portico_platform`

  // What was done stays done: steps are only ever added.
  yield* sql`CREATE TABLE enrollment_steps (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    enrollment_id text COLLATE "C" NOT NULL,
    sequence integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    at timestamptz(3) NOT NULL,
    by text COLLATE "C" NOT NULL CHECK (by IN ('customer', 'staff', 'system')),
    reason text,
    PRIMARY KEY (org_id, customer_id, enrollment_id, sequence),
    FOREIGN KEY (org_id, customer_id, enrollment_id) REFERENCES enrollments (org_id, customer_id, id)
  )`
  yield* sql`ALTER TABLE enrollment_steps ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON enrollment_steps FOR SELECT TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY customer_steps ON enrollment_steps FOR INSERT TO portico_customer
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()) AND by <> 'staff')`
  yield* sql`CREATE POLICY platform ON enrollment_steps TO portico_platform
    USING (org_id = (SELECT current_org()))
    WITH CHECK (org_id = (SELECT current_org()))`
  yield* sql`CREATE POLICY sweeper ON enrollment_steps FOR INSERT TO CURRENT_USER
    WITH CHECK (status = 'expired' AND by = 'system')`
  yield* sql`CREATE POLICY sweeper_sees ON enrollment_steps FOR SELECT TO CURRENT_USER USING (true)`
  yield* sql`GRANT SELECT, INSERT ON enrollment_steps TO portico_customer, portico_platform`

  // A file that is evidence cannot be deleted.
  yield* sql`CREATE TABLE enrollment_documents (
    org_id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    enrollment_id text COLLATE "C" NOT NULL,
    position integer NOT NULL,
    file_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, customer_id, enrollment_id, position),
    FOREIGN KEY (org_id, customer_id, enrollment_id) REFERENCES enrollments (org_id, customer_id, id),
    FOREIGN KEY (org_id, customer_id, file_id) REFERENCES files (org_id, customer_id, id) ON DELETE RESTRICT
  )`
  yield* sql`CREATE INDEX enrollment_documents_file ON enrollment_documents (org_id, customer_id, file_id)`
  yield* sql`ALTER TABLE enrollment_documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`
  yield* sql`CREATE POLICY customer ON enrollment_documents TO portico_customer
    USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))
    WITH CHECK (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
  yield* sql`CREATE POLICY platform ON enrollment_documents FOR SELECT TO portico_platform
    USING (org_id = (SELECT current_org()))`
  yield* sql`GRANT SELECT, INSERT ON enrollment_documents TO portico_customer`
  yield* sql`GRANT SELECT ON enrollment_documents TO portico_platform`
})

import { by, type Defect } from "./Defect.ts"

const policy = "AND customer_id = (SELECT current_customer())"

const weakened = (noun: string, file: string, find: string, replace: string): Defect => ({
  name: `${noun}: ${replace.includes("ENABLE") ? "row security is not forced" : "the policy is weakened"}`,
  file: `src/layers/migrations/${file}.ts`,
  find,
  replace,
  ...by("layers/RowSecurity")
})

/** What row security lets through, whatever the statements say. */
export const policies: ReadonlyArray<Defect> = [
  weakened(
    "customers",
    "0001_customers",
    "USING (org_id = (SELECT current_org()) AND id = (SELECT current_customer()))",
    "USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "orders",
    "0002_orders",
    `USING (org_id = (SELECT current_org()) ${policy})`,
    "USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "orders of other orgs",
    "0002_orders",
    "TO portico_platform\n    USING (org_id = (SELECT current_org()))",
    "TO portico_platform\n    USING (true)"
  ),
  weakened(
    "stored answers",
    "0003_access",
    `USING (org_id = (SELECT current_org()) ${policy})\n    WITH CHECK (org_id = (SELECT current_org()) ${policy})\``,
    "USING (org_id = (SELECT current_org()))`"
  ),
  weakened(
    "API keys",
    "0003_access",
    "TO portico_platform USING (org_id = (SELECT current_org()))",
    "TO portico_platform USING (true)"
  ),
  weakened(
    "messages",
    "0011_messages",
    `FOR SELECT TO portico_customer\n    USING (org_id = (SELECT current_org()) ${policy})`,
    "FOR SELECT TO portico_customer\n    USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "conversations",
    "0011_messages",
    `WITH CHECK (org_id = (SELECT current_org()) ${policy})\`\n  yield* sql\`GRANT UPDATE (status, last_sequence`,
    "WITH CHECK (true)`\n  yield* sql`GRANT UPDATE (status, last_sequence"
  ),
  weakened(
    "notifications",
    "0014_notifications",
    `CREATE POLICY customer ON notifications TO portico_customer\n    USING (org_id = (SELECT current_org()) ${policy})`,
    "CREATE POLICY customer ON notifications TO portico_customer\n    USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "reservations",
    "0017_reservations",
    `CREATE POLICY customer ON reservations TO portico_customer\n    USING (org_id = (SELECT current_org()) ${policy})`,
    "CREATE POLICY customer ON reservations TO portico_customer\n    USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "enrollments",
    "0019_benefits",
    `CREATE POLICY customer ON enrollments FOR SELECT TO portico_customer\n    USING (org_id = (SELECT current_org()) ${policy})`,
    "CREATE POLICY customer ON enrollments FOR SELECT TO portico_customer\n    USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "deliveries",
    "0013_deliveries",
    `CREATE POLICY customer ON deliveries TO portico_customer\n    USING (org_id = (SELECT current_org()) ${policy})`,
    "CREATE POLICY customer ON deliveries TO portico_customer\n    USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "changes",
    "0020_changes",
    `FOR SELECT TO portico_customer\n      USING (org_id = (SELECT current_org()) ${policy})`,
    "FOR SELECT TO portico_customer\n      USING (org_id = (SELECT current_org()))"
  ),
  weakened(
    "tickets",
    "0010_tickets",
    "ALTER TABLE tickets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "ALTER TABLE tickets ENABLE ROW LEVEL SECURITY"
  ),
  weakened(
    "no context",
    "0001_customers",
    "$$ SELECT nullif(current_setting('app.org_id', true), '') $$",
    "$$ SELECT coalesce(nullif(current_setting('app.org_id', true), ''), 'x') $$"
  )
]

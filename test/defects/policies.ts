import { by, type Defect } from "./Defect.ts"

const org = "org_id = (SELECT current_org())"
const customer = " AND customer_id = (SELECT current_customer())"

/** A policy that lets more through than it should, whatever the statements say. */
const policy = (name: string, file: string, find: string, replace: string): Defect => ({
  name,
  file: `src/layers/migrations/${file}.ts`,
  find,
  replace,
  ...by("layers/RowSecurity")
})

/** `rows` is how the policy begins. */
const forgets = (whom: "customer" | "org", noun: string, file: string, rows: string) => {
  const [held, left] = whom === "customer" ? [org + customer, org] : [org, "true"]
  const using = `CREATE POLICY ${rows}\n${rows.includes("${table}") ? "      " : "    "}USING`
  return policy(`${noun}: the policy forgets the ${whom}`, file, `${using} (${held})`, `${using} (${left})`)
}
const byCustomer = (noun: string, file: string, table: string, action = "") =>
  forgets("customer", noun, file, `customer ON ${table} ${action}TO portico_customer`)
const byOrg = (noun: string, file: string, table: string) =>
  forgets("org", noun, file, `platform ON ${table} TO portico_platform`)

export const policies: ReadonlyArray<Defect> = [
  byCustomer("orders", "0002_orders", "orders", "FOR SELECT "),
  byCustomer("addresses", "0005_addresses", "addresses"),
  byCustomer("address look-ups", "0005_addresses", "place_sessions"),
  byCustomer("payment methods", "0006_payment_methods", "${table}"),
  byCustomer("the wishlist", "0007_products", "wishlist_items"),
  byCustomer("transactions", "0008_transactions", "transactions", "FOR SELECT "),
  byCustomer("the wallet", "0008_transactions", "${table}", "FOR SELECT "),
  byCustomer("files", "0009_files", "${table}"),
  byCustomer("tickets", "0010_tickets", "tickets"),
  byCustomer("comments of tickets", "0010_tickets", "ticket_comments", "FOR SELECT "),
  byCustomer("conversations", "0011_messages", "conversations"),
  byCustomer("messages", "0011_messages", "messages", "FOR SELECT "),
  byCustomer("attachments of messages", "0011_messages", "message_attachments"),
  byCustomer("deliveries", "0013_deliveries", "deliveries"),
  byCustomer("notifications", "0014_notifications", "notifications"),
  byCustomer("preferences", "0014_notifications", "notification_preferences"),
  byCustomer("devices", "0014_notifications", "push_tokens"),
  byCustomer("codes", "0016_verification", "${table}"),
  byCustomer("reservations", "0017_reservations", "reservations"),
  byCustomer("enrollments", "0019_benefits", "enrollments", "FOR SELECT "),
  {
    ...policy(
      "withdrawing enrollments: the policy forgets the customer",
      "0019_benefits",
      `USING (${org}${customer})\n    WITH CHECK (${org}${customer}\n      AND status IN ('cancelled'`,
      `USING (${org})\n    WITH CHECK (${org}\n      AND status IN ('cancelled'`
    ),
    ...by("services/Enrollments", "who writes SQL")
  },
  byCustomer("evidence of enrollments", "0019_benefits", "enrollment_documents"),
  byCustomer("changes", "0020_changes", "${table}", "FOR SELECT "),
  byCustomer("exports", "0023_account_exports", "account_exports"),
  byCustomer("erasures", "0024_erasures", "erasures", "FOR SELECT "),

  byOrg("customers of other orgs", "0001_customers", "customers"),
  byOrg("orders of other orgs", "0002_orders", "orders"),
  byOrg("payment methods of other orgs", "0006_payment_methods", "${table}"),
  byOrg("products of other orgs", "0007_products", "products"),
  byOrg("transactions of other orgs", "0008_transactions", "transactions"),
  byOrg("tickets of other orgs", "0010_tickets", "tickets"),
  byOrg("conversations and messages of other orgs", "0011_messages", "${table}"),
  byOrg("notifications of other orgs", "0014_notifications", "notifications"),
  byOrg("notices of other orgs", "0015_broadcasts", "broadcasts"),
  byOrg("reservations of other orgs", "0017_reservations", "reservations"),
  byOrg("programmes of other orgs", "0019_benefits", "${table}"),
  byOrg("enrollments of other orgs", "0019_benefits", "enrollments"),
  byOrg("erasures of other orgs", "0024_erasures", "erasures"),

  policy(
    "customers: the policy forgets the customer",
    "0001_customers",
    "USING (org_id = (SELECT current_org()) AND id = (SELECT current_customer()))",
    "USING (org_id = (SELECT current_org()))"
  ),
  policy(
    "stored answers: the policy forgets the customer",
    "0003_access",
    `USING (${org}${customer})\n    WITH CHECK (${org}${customer})\``,
    `USING (${org})\``
  ),
  policy(
    "API keys: the policy forgets the org",
    "0003_access",
    `TO portico_platform USING (${org})`,
    "TO portico_platform USING (true)"
  ),
  policy(
    "conversations: any may be written",
    "0011_messages",
    `WITH CHECK (${org}${customer})\`\n  yield* sql\`GRANT UPDATE (status, last_sequence`,
    "WITH CHECK (true)`\n  yield* sql`GRANT UPDATE (status, last_sequence"
  ),
  {
    ...policy(
      "calling off erasures: the policy forgets the customer",
      "0024_erasures",
      `USING (${org}${customer}\n        AND requested_by = 'customer'`,
      `USING (${org}\n        AND requested_by = 'customer'`
    ),
    ...by("http/Erasure", "its own customer")
  },
  policy(
    "the outbox: the policy forgets the org",
    "0012_outbox",
    `TO portico_platform USING (${org})`,
    "TO portico_platform USING (true)"
  ),
  policy(
    "tickets: row security is not forced",
    "0010_tickets",
    "ALTER TABLE tickets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "ALTER TABLE tickets ENABLE ROW LEVEL SECURITY"
  ),
  policy(
    "no tenant: an org all the same",
    "0001_customers",
    "$$ SELECT nullif(current_setting('app.org_id', true), '') $$",
    "$$ SELECT coalesce(nullif(current_setting('app.org_id', true), ''), 'x') $$"
  )
]

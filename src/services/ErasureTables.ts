/**
 * Where customers are in the database, and what becomes of them there. A table that names a customer and is in none of
 * these lists breaks the build.
 */

/** Rows that go with the customer, in an order that no reference stands in the way of. */
export const erasedTables = [
  "enrollment_documents",
  "message_attachments",
  "ticket_attachments",
  "ticket_comments",
  "tickets",
  "messages",
  "conversations",
  "enrollment_steps",
  "enrollments",
  "wishlist_items",
  "addresses",
  "place_sessions",
  "payment_methods",
  "payment_checks",
  "card_notices",
  "reservation_reminders",
  "account_exports",
  "verification_codes",
  "verifications",
  "notification_preferences",
  "notifications",
  "push_tokens",
  "deliveries",
  "outbox"
] as const

/** Rows of steps of their own: once a provider has forgotten the customer, and once storage has nothing of them left. */
export const otherwiseErasedTables = ["payment_customers", "files", "file_usage", "file_leftovers"] as const

/** What erasing itself writes, so what goes last of all. */
export const lastErasedTables = ["outbox", "idempotency_keys", "customer_changes", "customer_change_counters"] as const

/**
 * What the org's books need for as long as the law has it, which is longer than any customer: rows stay under an id that
 * leads to nobody any more, without what would, and say which columns that is.
 */
export const keptTables: Readonly<Record<string, string>> = {
  orders: "shipping_address = NULL, billing_address = NULL, shipments = '[]'",
  transactions: "method_label = NULL, description = NULL",
  wallet_entries: "description = NULL",
  wallets: "",
  reservations: "note = NULL, remind_at = NULL"
}

/** Who was erased when, and who asked for it: nothing of who that was. */
export const receiptTables = ["erasures", "erasure_receipts"] as const

import { by, type Defect, matrix } from "./Defect.ts"
import { forgets, listed, mine, owned } from "./forgets.ts"

/** Statements that find what is another customer's of the org. */
export const customers: ReadonlyArray<Defect> = [
  forgets("reading an order", "Orders", `${mine} AND (id = \${idOrNumber} OR`, "orders.get"),
  forgets("listing orders", "Orders", listed, "orders.list"),
  forgets("listing transactions", "Transactions", listed, "transactions.list"),
  forgets("listing files", "Files", listed, "files.list"),
  forgets("reading a file", "Files", `${mine} AND \${sql(column)} =`, "files.download"),
  forgets("attaching a file", "Files", `${mine} AND \${sql.in("path", wanted)}`, "tickets.open"),
  forgets(
    "reading an address",
    "Addresses",
    `SELECT \${columns} FROM addresses WHERE ${owned} AND id = \${id}\``,
    "addresses.get"
  ),
  forgets("listing addresses", "Addresses", `from: sql\`addresses WHERE ${owned}\``, "addresses.list"),
  forgets(
    "reading a ticket",
    "Tickets",
    `${mine} AND (id = \${numberOrId} OR number = \${numberOrId})\``,
    "tickets.get"
  ),
  forgets("listing tickets", "Tickets", `selectTickets(sql, query, sql\`${owned}\`)`, "tickets.list"),
  forgets("changing a ticket", "Tickets", `${mine} AND (id = \${ticketNumber}`, "tickets.change"),
  forgets("an order of a new ticket", "Tickets", `${mine} AND id = \${orderId}`, "tickets.open"),
  forgets("reading a message", "Messages", `FROM messages WHERE ${owned} AND id = \${id}\``, "messages.get"),
  forgets("listing messages", "Messages", `selectPage(sql, query, sql\`${owned}\`)`, "messages.list"),
  forgets("marking a message", "Messages", `${mine} AND id = \${id} AND from_kind <>`, "messages.mark"),
  forgets("listing conversations", "Conversations", `sql\`${owned}\``, "conversations.list"),
  forgets(
    "writing into a conversation",
    "MessageSending",
    `${mine} AND id = \${id}\n          RETURNING id`,
    "messages.send"
  ),
  forgets("a message sent before", "MessageSending", `${mine} AND client_message_id`, "messages.send"),
  forgets(
    "reading a payment method",
    "PaymentRecords",
    `FROM payment_methods\n      WHERE ${owned} AND id = \${id}\``,
    "paymentMethods.setDefault"
  ),
  forgets("listing the wishlist", "Wishlist", `${mine} AND products.id = product_id\``, "wishlist.list"),
  forgets(
    "listing notifications",
    "Notifications",
    "sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`, sql`in_app`",
    "notifications.list"
  ),
  forgets("reading a notification", "Notifications", `${mine} AND id = \${id} AND in_app`, "notifications.read"),
  forgets("removing a device", "PushTokens", `${mine} AND id = \${id} RETURNING id`, "pushTokens.remove"),
  forgets("reading a reservation", "ReservationRows", `${mine} AND (id = \${numberOrId}`, "reservations.get"),
  forgets(
    "counting on the dashboard",
    "Dashboards",
    `const mine = sql\`${owned}\``,
    by("services/Accounts", "another customer has")
  ),
  forgets(
    "comparing codes",
    "VerificationRows",
    `WHERE ${owned} AND channel = \${channel}\n          AND sent_at`,
    by("services/Verification", "each other's codes")
  ),
  {
    name: "reading the profile: any of the org's will do",
    file: "src/services/Profiles.ts",
    find: "FROM customers WHERE org_id = ${orgId} AND id = ${customerId}`",
    replace: "FROM customers WHERE org_id = ${orgId} AND id >= ${customerId} ORDER BY id DESC`",
    ...matrix("profile.get")
  },
  {
    name: "changing the profile: everybody's of the org",
    file: "src/services/Profiles.ts",
    find: "WHERE org_id = ${orgId} AND id = ${customerId}\n            AND",
    replace: "WHERE org_id = ${orgId}\n            AND",
    ...matrix("profile.change")
  },
  {
    name: "listing payment methods: AND becomes OR",
    file: "src/services/PaymentMethods.ts",
    find: "payment_methods WHERE org_id = ${orgId} AND customer_id",
    replace: "payment_methods WHERE org_id = ${orgId} OR customer_id",
    ...matrix("paymentMethods.list")
  },
  {
    name: "reading an order: parentheses lost around OR",
    file: "src/services/Orders.ts",
    find: "(id = ${idOrNumber} OR number = ${idOrNumber})",
    replace: "id = ${idOrNumber} OR number = ${idOrNumber}",
    ...matrix("orders.get")
  }
]

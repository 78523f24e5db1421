import { by, type Defect, matrix } from "./Defect.ts"
import { forgetsOrg } from "./forgets.ts"

const org = "org_id = ${orgId} AND "

const all = (noun: string, file: string, operation: string): Defect => ({
  name: `${noun}: those of all orgs`,
  file: `src/services/${file}.ts`,
  find: "platformSql`org_id = ${orgId}`",
  replace: "platformSql`true`",
  ...matrix(operation)
})

/** Statements that find what is another org's. */
export const orgs: ReadonlyArray<Defect> = [
  forgetsOrg(
    "the platform's ticket",
    "TicketAnswers",
    `FROM tickets WHERE ${org}(id = \${numberOrId} OR number = \${numberOrId})\``,
    "platformTickets.get"
  ),
  forgetsOrg(
    "a ticket to answer",
    "TicketAnswers",
    `FROM tickets WHERE ${org}(id = \${numberOrId} OR number = \${numberOrId})\``,
    "platformTickets.answer"
  ),
  all("the platform's tickets", "TicketAnswers", "platformTickets.list"),
  all("the platform's conversations", "Conversations", "platformConversations.list"),
  all("the platform's messages", "Messages", "platformMessages.list"),
  all("the platform's reservations", "Reservations", "platformReservations.list"),
  {
    name: "the platform's enrollments: those of all orgs",
    file: "src/services/EnrollmentDecisions.ts",
    find: "const ours = sql`org_id = ${orgId}`",
    replace: "const ours = sql`true`",
    ...matrix("platformBenefits.listEnrollments")
  },
  forgetsOrg(
    "the platform's conversation",
    "Conversations",
    `FROM conversations WHERE ${org}id`,
    "platformConversations.change"
  ),
  forgetsOrg(
    "closing a conversation",
    "Conversations",
    `WHERE ${org}id = \${id} AND status <>`,
    "platformConversations.change"
  ),
  forgetsOrg("the platform's message", "Messages", `FROM messages WHERE ${org}id = \${id}\``, "platformMessages.get"),
  forgetsOrg(
    "receiving a message",
    "Messages",
    `WHERE ${org}id = \${id} AND from_kind = 'customer'`,
    "platformMessages.receive"
  ),
  forgetsOrg(
    "the platform's reservation",
    "ReservationRows",
    `FROM reservations\n    WHERE ${org}(id`,
    "platformReservations.get"
  ),
  forgetsOrg(
    "deciding on a reservation",
    "ReservationRows",
    `FROM reservations\n    WHERE ${org}(id`,
    "platformReservations.decide"
  ),
  forgetsOrg(
    "the platform's definition",
    "ReservationDefinitions",
    `FROM reservation_definitions WHERE ${org}id`,
    "platformReservationDefinitions.get"
  ),
  forgetsOrg("the platform's programme", "Benefits", `FROM benefits WHERE ${org}id`, "platformBenefits.get"),
  forgetsOrg(
    "the platform's enrollment",
    "EnrollmentDecisions",
    `FROM enrollments\n          WHERE ${org}(id = \${numberOrId} OR number = \${numberOrId})\``,
    "platformBenefits.getEnrollment"
  ),
  forgetsOrg(
    "the platform's customer",
    "Profiles",
    `FROM customers WHERE ${org}id = \${id} AND erased_at IS NULL\``,
    "platformCustomers.get"
  ),
  forgetsOrg(
    "whom the platform has erased",
    "Erasures",
    `SELECT 1 FROM customers WHERE ${org}id = \${id}\``,
    "platformCustomers.erase"
  ),
  forgetsOrg(
    "a notice to customers by name",
    "Broadcasts",
    `WHERE ${org}erased_at IS NULL\n                AND (audience`,
    "platformNotifications.broadcast"
  ),
  forgetsOrg(
    "the report of a notice",
    "Broadcasts",
    `FROM broadcasts WHERE ${org}id = \${id}\n          \${sql`,
    "platformNotifications.get"
  ),
  {
    name: "the outbox: that of all orgs",
    file: "src/services/Outbox.ts",
    find: "outbox WHERE org_id = ${orgId} ${ofCustomer}",
    replace: "outbox WHERE true ${ofCustomer}",
    ...matrix("platformOutbox.list")
  },
  forgetsOrg(
    "a file of another org's namesake",
    "Files",
    `WHERE ${org}customer_id = \${customerId} AND \${sql(column)} =`,
    "files.download"
  ),
  forgetsOrg(
    "an order of another org's namesake",
    "Orders",
    `WHERE ${org}customer_id = \${customerId} AND (id = \${idOrNumber}`,
    "orders.get"
  ),
  forgetsOrg(
    "a ticket of another org's namesake",
    "Tickets",
    `FROM tickets\n          WHERE ${org}customer_id`,
    "tickets.get"
  ),
  {
    name: "the platform's orders: a customer of any org",
    file: "src/services/Orders.ts",
    find: "FROM customers WHERE org_id = ${orgId} AND id = ${order.customerId}",
    replace: "FROM customers WHERE id = ${order.customerId}",
    ...matrix("platformOrders.push")
  },
  {
    name: "an API key of any org",
    file: "src/services/ApiKeys.ts",
    find: "WHERE org_id = ${orgId} AND hash = ${hash}",
    replace: "WHERE hash = ${hash}",
    ...by("services/ApiKeys")
  }
]

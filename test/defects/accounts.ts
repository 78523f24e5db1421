import { by, type Defect, matrix } from "./Defect.ts"
import { forgets, mine, owned } from "./forgets.ts"

/** Statements about an account as a whole, and about what was booked and enrolled in, that find another customer's. */
export const accounts: ReadonlyArray<Defect> = [
  {
    name: "the whole account: the sections are everybody's of the org",
    file: "src/services/Accounts.ts",
    find: "WHERE ${sql.literal(org)} = ${orgId} AND ${sql.literal(customer)} = ${customerId}",
    replace: "WHERE ${sql.literal(org)} = ${orgId}",
    ...matrix("account.all")
  },
  forgets(
    "the whole account's cursor",
    "Accounts",
    `FROM customer_change_counters WHERE ${owned}\n        \${sql.join(`,
    "account.changes"
  ),
  forgets(
    "the whole account's tag",
    "Accounts",
    `WHERE ${owned}) AS tagged`,
    by("services/Accounts", "another customer has")
  ),
  {
    name: "a page of changes: the customer is dropped from the WHERE",
    file: "src/services/Changes.ts",
    find: "AND changes.customer_id = ${customerId}",
    replace: "",
    ...by("services/Changes", "another customer has")
  },
  forgets("the log that changes are read from", "Changes", `WHERE ${owned}\n          ) AS counter`, "account.changes"),
  forgets("a position in the log", "Changes", `WHERE ${owned}\`\n      )`, "account.changes"),
  {
    name: "the record of a change: the customer is dropped from the WHERE",
    file: "src/services/ChangeSections.ts",
    find: "AND ${customer} = ${entry}.customer_id AND ${id} = ${entry}.id) AS shown)`",
    replace: "AND ${id} = ${entry}.id) AS shown)`",
    ...by("services/Changes", "another customer has")
  },
  {
    name: "events: what has changed is everybody's of the org",
    file: "src/services/Changes.ts",
    find: "AND changes.customer_id = ${customerId}",
    replace: "",
    ...matrix("account.events")
  },
  forgets("an export of the account", "AccountExports", `WHERE ${owned} AND id = \${id}\`)`, "account.exported"),
  forgets("a scheduled erasure", "ErasureRows", `FROM erasures WHERE ${owned}`, by("http/Erasure", "its own customer")),
  forgets("calling an erasure off", "Erasures", `WHERE ${owned}\n              AND requested_by`, "account.keep"),

  forgets(
    "reading an enrollment",
    "Enrollments",
    `FROM enrollments\n          WHERE ${owned} AND (id = \${numberOrId} OR number = \${numberOrId})\``,
    "benefits.getEnrollment"
  ),
  forgets(
    "an enrollment to withdraw",
    "Enrollments",
    `FROM enrollments\n          WHERE ${owned} AND (id = \${numberOrId} OR number = \${numberOrId})\``,
    "benefits.withdraw"
  ),
  forgets("listing enrollments", "Enrollments", `const mine = sql\`${owned}\``, "benefits.listEnrollments"),
  forgets("the enrollments of programmes", "Benefits", `${mine} AND \${sql.in("benefit_id", ids)}`, "benefits.list"),
  forgets(
    "enrolling",
    "Enrollments",
    `WHERE ${owned}\n                AND benefit_id`,
    by("services/Enrollments", "hinder others")
  ),
  forgets(
    "cancelling a reservation",
    "ReservationRows",
    `FROM reservations\n    WHERE ${owned} AND (id`,
    "reservations.cancel"
  ),
  forgets("listing reservations", "Reservations", `const whose = sql\`${owned}\``, "reservations.list"),
  forgets("listing devices", "PushTokens", `from: sql\`push_tokens WHERE ${owned}`, "pushTokens.list"),
  forgets(
    "reading all notifications",
    "Notifications",
    `SET read_at = now()\n            WHERE ${owned}`,
    "notifications.readAll"
  ),
  forgets(
    "counting unread notifications",
    "Notifications",
    `AS unread FROM notifications\n            WHERE ${owned}`,
    by("services/Accounts", "another customer has")
  ),
  forgets("removing a file", "Files", `${mine} AND path = \${path.normalize()}`, "files.remove"),
  forgets(
    "preferring a payment method",
    "PaymentRecords",
    `${mine} AND is_default AND id <> \${id}`,
    "paymentMethods.setDefault"
  ),
  forgets(
    "taking off the wishlist",
    "Wishlist",
    `${mine} AND product_id = coalesce`,
    by("services/Wishlist", "nobody else's")
  ),
  {
    name: "a stored answer: the customer is dropped from the WHERE",
    file: "src/services/Idempotency.ts",
    find: "FROM idempotency_keys\n        WHERE org_id = ${at.orgId} AND customer_id = ${at.customerId}",
    replace: "FROM idempotency_keys\n        WHERE org_id = ${at.orgId}",
    ...by("services/Idempotency", "may carry a key")
  }
]

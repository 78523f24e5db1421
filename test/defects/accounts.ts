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
    "the account's tag",
    "AccountTags",
    `AS counter WHERE ${owned}`,
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
  forgets(
    "making room for files",
    "Files",
    `SET bytes = bytes - gone.size FROM gone\n            WHERE ${owned}`,
    by("services/Files", "A stranger")
  ),
  forgets(
    "the room for files",
    "FileUploads",
    `SELECT bytes FROM file_usage WHERE ${owned}`,
    by("services/Files", "A stranger")
  ),
  forgets(
    "names of files",
    "FileUploads",
    `WHERE ${owned}\n              AND path`,
    by("services/Files", "A stranger")
  ),
  forgets("preferences", "Preferences", `WHERE ${owned}\``, by("http/Notifications", "own preferences")),
  forgets("a device's old token", "PushTokens", `${mine} AND device_id`, by("services/PushTokens", "A stranger")),
  forgets(
    "what a vault no longer holds",
    "PaymentRecords",
    `${mine} AND type =`,
    by("services/PaymentMethods", "A stranger")
  ),
  forgets(
    "the next primary address",
    "Addresses",
    `FROM addresses\n            WHERE ${owned} AND id <>`,
    by("services/Addresses", "as safe by its statements")
  ),
  forgets(
    "an address look-up",
    "AddressLookup",
    `${mine} AND ends_at > now()`,
    by("services/AddressLookup", "is not another's")
  ),
  forgets(
    "other reservations at that time",
    "Availability",
    `${mine} AND status <> 'cancelled'`,
    by("services/Reservations", "nobody else's way")
  ),
  forgets(
    "how many reservations one may hold",
    "Availability",
    `${mine} AND definition_id`,
    by("services/Reservations", "nobody else's way")
  ),
  forgets(
    "reservations that overlap",
    "ReservationWrites",
    `${mine} AND id <> \${id} AND status`,
    by("services/Reservations", "nobody else's way")
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
    file: "src/services/IdempotencyLock.ts",
    find: "held.org_id = ${at.orgId} AND held.customer_id = ${at.customerId}",
    replace: "held.org_id = ${at.orgId}",
    ...by("services/Idempotency", "may carry a key")
  },
  {
    name: "a stored answer of a write that calls out: the customer is dropped from the WHERE",
    file: "src/services/IdempotencyRows.ts",
    find: "WHERE org_id = ${at.orgId} AND customer_id = ${at.customerId}",
    replace: "WHERE org_id = ${at.orgId}",
    ...by("services/Idempotency", "may carry a key")
  }
]

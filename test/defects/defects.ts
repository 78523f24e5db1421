/** One deliberate mistake, and the tests that have to notice it. */
export interface Defect {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Test files. */
  readonly tests: ReadonlyArray<string>
  /** Which of their tests, where not all are needed. */
  readonly only?: string
}

const matrix = (...operations: ReadonlyArray<string>) => ({
  tests: ["test/http/IsolationMatrix.test.ts"],
  only: operations.map((id) => `\\b${id.replace(".", "\\.")} finds`).join("|")
})
const of = (test: string, only?: string) => ({ tests: [`test/${test}.test.ts`], ...(only !== undefined && { only }) })
const rowSecurity = of("layers/RowSecurity")

const customer = "AND customer_id = ${customerId} "
const listed = "[sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`]"
/** A statement that forgets whose row it is about, and would be right as long as row security holds. */
const forgets = (noun: string, file: string, find: string, operation: string): Defect => ({
  name: `${noun}: the customer is dropped from the WHERE`,
  file: `src/services/${file}.ts`,
  find,
  replace: find.includes(customer)
    ? find.replace(customer, "")
    : find.replace(", sql`customer_id = ${customerId}`", ""),
  ...matrix(operation)
})

const policy = "AND customer_id = (SELECT current_customer())"
const weakened = (noun: string, file: string, find: string, replace: string): Defect => ({
  name: `${noun}: ${replace.includes("ENABLE") ? "row security is not forced" : "the policy is weakened"}`,
  file: `src/layers/migrations/${file}.ts`,
  find,
  replace,
  ...rowSecurity
})

export const defects: ReadonlyArray<Defect> = [
  forgets("reading an order", "Orders", `${customer}AND (id = \${idOrNumber} OR`, "orders.get"),
  forgets("listing orders", "Orders", listed, "orders.list"),
  forgets("listing transactions", "Transactions", listed, "transactions.list"),
  forgets("listing files", "Files", listed, "files.list"),
  forgets("reading a file", "Files", `${customer}AND \${sql(column)} =`, "files.download"),
  forgets("attaching a file", "Files", `${customer}AND \${sql.in("path", wanted)}`, "tickets.open"),
  forgets(
    "reading an address",
    "Addresses",
    `SELECT \${columns} FROM addresses WHERE org_id = \${orgId} ${customer}AND id = \${id}\``,
    "addresses.get"
  ),
  {
    name: "listing addresses: the customer is dropped from the WHERE",
    file: "src/services/Addresses.ts",
    find: "from: sql`addresses WHERE org_id = ${orgId} AND customer_id = ${customerId}`",
    replace: "from: sql`addresses WHERE org_id = ${orgId}`",
    ...matrix("addresses.list")
  },
  forgets(
    "reading a ticket",
    "Tickets",
    `${customer}AND (id = \${numberOrId} OR number = \${numberOrId})\``,
    "tickets.get"
  ),
  forgets("changing a ticket", "Tickets", `${customer}AND (id = \${ticketNumber}`, "tickets.change"),
  forgets("an order of a new ticket", "Tickets", `${customer}AND id = \${orderId}`, "tickets.open"),
  forgets(
    "reading a message",
    "Messages",
    `FROM messages WHERE org_id = \${orgId} ${customer}AND id = \${id}\``,
    "messages.get"
  ),
  forgets("marking a message", "Messages", `${customer}AND id = \${id} AND from_kind <>`, "messages.mark"),
  forgets(
    "writing into a conversation",
    "MessageSending",
    `${customer}AND id = \${id}\n          RETURNING id`,
    "messages.send"
  ),
  forgets("a message sent before", "MessageSending", `${customer}AND client_message_id`, "messages.send"),
  forgets(
    "reading a payment method",
    "PaymentRecords",
    `FROM payment_methods\n      WHERE org_id = \${orgId} ${customer}AND id = \${id}\``,
    "paymentMethods.setDefault"
  ),
  forgets("listing the wishlist", "Wishlist", `${customer}AND products.id = product_id\``, "wishlist.list"),
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
    name: "listing messages: the customer is dropped from the WHERE",
    file: "src/services/Messages.ts",
    find: "selectPage(sql, query, sql`org_id = ${orgId} AND customer_id = ${customerId}`)",
    replace: "selectPage(sql, query, sql`org_id = ${orgId}`)",
    ...matrix("messages.list")
  },
  {
    name: "listing conversations: the customer is dropped from the WHERE",
    file: "src/services/Conversations.ts",
    find: "sql`org_id = ${orgId} AND customer_id = ${customerId}`",
    replace: "sql`org_id = ${orgId}`",
    ...matrix("conversations.list")
  },
  {
    name: "listing tickets: the customer is dropped from the WHERE",
    file: "src/services/Tickets.ts",
    find: "selectTickets(sql, query, sql`org_id = ${orgId} AND customer_id = ${customerId}`)",
    replace: "selectTickets(sql, query, sql`org_id = ${orgId}`)",
    ...matrix("tickets.list")
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
  },
  {
    name: "the platform's ticket: the org is dropped from the WHERE",
    file: "src/services/Tickets.ts",
    find: "FROM tickets WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})`",
    replace: "FROM tickets WHERE (id = ${numberOrId} OR number = ${numberOrId})`",
    ...matrix("platformTickets.get")
  },
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
    ...of("services/ApiKeys")
  },
  {
    name: "an API key that was revoked",
    file: "src/services/ApiKeys.ts",
    find: "AND hash = ${hash} AND revoked_at IS NULL",
    replace: "AND hash = ${hash}",
    ...of("services/ApiKeys")
  },

  forgets(
    "listing notifications",
    "Notifications",
    "sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`, sql`in_app`",
    "notifications.list"
  ),
  forgets("reading a notification", "Notifications", `${customer}AND id = \${id} AND in_app`, "notifications.read"),
  forgets("removing a device", "PushTokens", `${customer}AND id = \${id} RETURNING id`, "pushTokens.remove"),
  forgets(
    "a reservation by number or id",
    "ReservationRows",
    `${customer}AND (id = \${numberOrId}`,
    "reservations.get"
  ),
  {
    name: "counting on the dashboard: the customer is dropped from the WHERE",
    file: "src/services/Dashboards.ts",
    find: "const mine = sql`org_id = ${orgId} AND customer_id = ${customerId}`",
    replace: "const mine = sql`org_id = ${orgId}`",
    ...of("services/Accounts", "another customer has")
  },
  {
    name: "cursors of changes are bound to nobody",
    file: "src/services/ChangeCursors.ts",
    find: "timingSafeEqual(Buffer.from(sent), Buffer.from(made)) &&\n    cursorOf(counter, customer, Number(sequence)) === cursor",
    replace: "sequence.length > 0",
    ...matrix("account.changes")
  },
  {
    name: "wrong guesses of a code are not counted",
    file: "src/services/VerificationRows.ts",
    find: "SET guesses = guesses + 1",
    replace: "SET guesses = guesses",
    ...of("services/Verification", "leave four more tries")
  },
  {
    name: "codes of one customer are compared with another's",
    file: "src/services/VerificationRows.ts",
    find: "WHERE org_id = ${orgId} AND customer_id = ${customerId} AND channel = ${channel}\n          AND sent_at",
    replace: "WHERE org_id = ${orgId} AND channel = ${channel}\n          AND sent_at",
    ...of("services/Verification", "each other's codes")
  },
  {
    name: "prices ask for no active enrollment",
    file: "src/services/Pricing.ts",
    find: "AND status = 'active' AND NOT",
    replace: "AND NOT",
    ...of("services/Benefits", "for no other status")
  },
  {
    name: "a device stays with who had it before",
    file: "src/services/PushTokens.ts",
    find: "yield* sql`SELECT take_push_token(${hash})`",
    replace: "",
    ...of("services/PushTokens", "moves to whoever registers it")
  },
  {
    name: "nobody counts the spots at last",
    file: "src/layers/migrations/0017_reservations.ts",
    find: "IF most > (SELECT spots",
    replace: "IF most < 0 * (SELECT spots",
    ...of("services/ReservationsAtOnce", "exactly one gets each slot")
  },

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
  ),

  {
    name: "the tenant's setting outlives its statement",
    file: "src/layers/TenantWire.ts",
    find: "set_config('app.org_id', $1, true), set_config('app.customer_id', $2, true)",
    replace: "set_config('app.org_id', $1, false), set_config('app.customer_id', $2, false)",
    ...of("layers/TenantClient")
  },
  {
    name: "a transaction keeps the first tenant it had",
    file: "src/layers/TenantWire.ts",
    find: "(inTransaction && tenantSet?.equals(tenant) === true)",
    replace: "(inTransaction && tenantSet !== undefined)",
    ...of("layers/Isolation")
  },
  {
    name: "a savepoint's rollback is forgotten",
    file: "src/layers/TenantWire.ts",
    find: "if (tenant === undefined) tenantSet = undefined\n    else if",
    replace: "if",
    ...of("layers/Isolation")
  },
  {
    name: "two customers' identities are one in the cache",
    file: "src/services/Identities.ts",
    find: 'const known = new WeakMap<TokenClaims, { readonly current: CurrentCustomer["Service"]; readonly until: number }>()',
    replace:
      'const bySub = new Map<string, { readonly current: CurrentCustomer["Service"]; readonly until: number }>()\n      const known = { get: (c: TokenClaims) => bySub.get(c.sub), set: (c: TokenClaims, v: never) => bySub.set(c.sub, v) }',
    ...matrix("profile.get")
  },
  {
    name: "an erased customer's token still works",
    file: "src/services/Identities.ts",
    find: "if (found.erased) return yield* new InvalidToken()",
    replace: "",
    ...matrix("profile.get")
  },
  {
    name: "a user without a record gets one",
    file: "src/services/Identities.ts",
    find: 'claims.type === "customer" ? ownRecord(claims) : ownedRecord(claims)',
    replace: "ownRecord(claims)",
    ...matrix("profile.get")
  },
  {
    name: "the org of the header is not compared with the token's",
    file: "src/http/Authentication.ts",
    find: "claims.org === orgId ?",
    replace: "claims.org.length > 0 ?",
    ...matrix("profile.get")
  },
  {
    name: "the org may come twice",
    file: "src/http/Authentication.ts",
    find: 'if (orgid.includes(",")) return Effect.fail(sentTwice)',
    replace: 'if (orgid.includes(",")) return Effect.succeed(orgid.split(",")[0]! as OrgId)',
    ...matrix("profile.get")
  },
  {
    name: "the audience is not asked for",
    file: "src/layers/TokensJwt.ts",
    find: "terms.audience.length > 0 && ",
    replace: "false && ",
    ...of("layers/Tokens", "issuer and the audience")
  },
  {
    name: "the issuer is not asked for",
    file: "src/layers/TokensJwt.ts",
    find: 'terms.issuer !== "" && ',
    replace: "false && ",
    ...of("layers/Tokens", "issuer and the audience")
  },
  {
    name: "the algorithm is the token's choice",
    file: "src/layers/TokensSecret.ts",
    find: 'algorithms: ["HS256"]',
    replace: 'algorithms: ["HS256", "HS384", "HS512", "none"]',
    ...of("layers/Tokens", "pins the algorithm")
  },
  {
    name: "a public key is taken for a secret",
    file: "src/layers/TokensJwt.ts",
    find: "if (!keys.algorithms.includes(header.alg)) return",
    replace: "if (header.alg === undefined) return",
    ...of("layers/Tokens")
  },
  {
    name: "a token needs no end",
    file: "src/domain/TokenClaims.ts",
    find: 'exp: claim("exp")',
    replace: 'exp: claim("exp") ?? 253402300799',
    ...of("layers/Tokens", "must say who and where|exact JWT|differ by five")
  },
  {
    name: "an expired token is good for an hour",
    file: "src/layers/TokensJwt.ts",
    find: "const toleranceSeconds = 5",
    replace: "const toleranceSeconds = 3900",
    ...matrix("profile.get")
  },
  {
    name: "a remembered token outlives its end",
    file: "src/layers/TokensJwt.ts",
    find: "now < known.until && ",
    replace: "",
    ...of("layers/Tokens", "spares the second look")
  },

  {
    name: "idempotency keys are the org's, not the customer's",
    file: "src/services/Idempotency.ts",
    find: "Effect.succeed({ sql: customerSql, ...customer })",
    replace: 'Effect.succeed({ sql: customerSql, ...customer, customerId: "everybody" })',
    ...matrix("profile.change")
  },
  {
    name: "an idempotency key says nothing of the body",
    file: "src/http/IdempotencyKeys.ts",
    find: '${request.headers["if-match"] ?? ""}\\n${body}',
    replace: '${request.headers["if-match"] ?? ""}\\n${body.length > 0}',
    ...of("http/IdempotencyKeys", "is refused when it is another")
  },
  {
    name: "403 instead of 404",
    file: "src/domain/Order.ts",
    find: 'code: "order_not_found",\n  status: 404',
    replace: 'code: "order_not_found",\n  status: 403',
    ...matrix("orders.get")
  },
  {
    name: "unknown keys are dropped in silence",
    file: "src/http/Api.ts",
    find: 'onExcessProperty: "error"',
    replace: 'onExcessProperty: "ignore"',
    ...matrix("profile.change")
  },
  {
    name: "bodies have no limit",
    file: "src/http/Bodies.ts",
    find: 'most !== undefined && Number(headers["content-length"]) > Number(most)',
    replace: "most === null",
    ...of("http/Bodies", "refused by its length")
  },
  {
    name: "a link's seal is not looked at",
    file: "src/services/FileLinks.ts",
    find: "|| !timingSafeEqual(sent, made)",
    replace: "",
    ...matrix("fileLinks.download")
  },
  {
    name: "a link is not bound to its file",
    file: "src/services/FileLinks.ts",
    find: "update(claims).digest",
    replace: "update(claims.slice(0, 40)).digest",
    ...matrix("fileLinks.download")
  },
  {
    name: "a link has no end",
    file: "src/services/FileLinks.ts",
    find: "if (expires <= (yield* Clock.currentTimeMillis)) return yield* new FileNotFound()",
    replace: "void expires",
    ...of("services/Files", "quarter of an hour")
  },
  {
    name: "what customers write stands in the log",
    file: "src/services/Profiles.ts",
    find: "        const [row] = yield* sql`\n          UPDATE customers SET",
    replace:
      "        yield* Effect.logInfo(JSON.stringify(changes))\n        const [row] = yield* sql`\n          UPDATE customers SET",
    ...matrix("profile.change"),
    only: "profile\\.change finds|all of it has left"
  },
  {
    name: "limits count two orgs' customers of one id as one",
    file: "src/http/RateLimits.ts",
    find: "countOf(`${orgId} ${customerId}`, now)",
    replace: "countOf(`${customerId} ${orgId.length < 0}`, now)",
    ...of("http/RateLimits", "nobody else's")
  },
  {
    name: "shared limits count all orgs as one",
    file: "src/services/SharedLimits.ts",
    find: "VALUES (${orgId}, ${name}, ${key}, 1,",
    replace: "VALUES (${orgId.slice(0, 0)}, ${name}, ${key}, 1,",
    ...of("services/SharedLimits", "each org, name and key")
  },
  {
    name: "caches may share answers",
    file: "src/http/Edge.ts",
    find: '"Authorization, orgid"',
    replace: '"orgid"',
    ...of("http/Conventions", "out of caches")
  },
  {
    name: "any page may read answers",
    file: "src/http/Edge.ts",
    find: "allowedOrigins: (origin) => origins.has(origin)",
    replace: "allowedOrigins: (origin) => origin.length > 0",
    ...of("http/Browsers", "on any other page")
  },
  {
    name: "paths are told before the caller is let in",
    file: "src/http/Edge.ts",
    find: "if (/^\\/client-data(?:\\/|$)/.test(path)) yield* verifyBearer(tokens, request.headers)",
    replace: "",
    ...of("http/Problems", "is 401 to whoever")
  },
  {
    name: "the details of a failure are told",
    file: "src/http/Problems.ts",
    find: 'detail: "Something went wrong on our side; name the requestId when you report it."',
    replace: 'detail: "SqlError: relation orders does not exist"',
    ...of("http/Failures")
  }
]

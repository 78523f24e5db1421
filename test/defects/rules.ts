import { by, type Defect, matrix } from "./Defect.ts"

/** What holds within one account, and between accounts without anybody's reading a row. */
export const rules: ReadonlyArray<Defect> = [
  {
    name: "who sends many at once takes everybody's turn",
    file: "src/http/Turns.ts",
    find: "(begun.get(client) ?? 0) < enough.ofOne",
    replace: "client.length >= 0",
    ...by("http/Turns", "Who sends few")
  },
  {
    name: "what one customer has waiting is nobody's share",
    file: "src/http/Turns.ts",
    find: " + (queues.get(client)?.length ?? 0)",
    replace: "",
    ...by("http/Load", "Requests of one customer that wait")
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
    ...by("services/Verification", "leave four more tries")
  },
  {
    name: "prices ask for no active enrollment",
    file: "src/services/Pricing.ts",
    find: "AND status = 'active' AND NOT",
    replace: "AND NOT",
    ...by("services/Benefits", "for no other status")
  },
  {
    name: "a device stays with who had it before",
    file: "src/services/PushTokens.ts",
    find: "yield* sql`SELECT take_push_token(${hash})`",
    replace: "",
    ...by("services/PushTokens", "moves to whoever registers it")
  },
  {
    name: "nobody counts the spots at last",
    file: "src/layers/migrations/0017_reservations.ts",
    find: "IF most > (SELECT spots",
    replace: "IF most < 0 * (SELECT spots",
    ...by("services/ReservationsAtOnce", "exactly one gets each slot")
  },
  {
    name: "idempotency keys are the org's, not the customer's",
    file: "src/services/Idempotency.ts",
    find: "Effect.succeed({ sql: customerSql, ...customer })",
    replace: 'Effect.succeed({ sql: customerSql, ...customer, customerId: "everybody" })',
    ...matrix("profile.change")
  },
  {
    name: "a write with an idempotency key takes no lock",
    file: "src/services/IdempotencyLock.ts",
    find: "SELECT pg_try_advisory_xact_lock(${lockOf(at, named)}::text::bigint) AS locked",
    replace: "SELECT true AS locked",
    ...by("layers/IdempotencyLock", "turns away who comes with its key")
  },
  {
    name: "the lock of an idempotency key is the org's, not the customer's",
    file: "src/services/IdempotencyLock.ts",
    find: "[orgId, customerId, method, route, key]",
    replace: "[orgId, method, route, key]",
    ...by("layers/IdempotencyLock", "stands in nobody's way")
  },
  {
    name: "a write stays that stored no answer under its idempotency key",
    file: "src/services/IdempotencyLock.ts",
    find: "if (stored.length === 0) return yield* new Overtaken()",
    replace: "",
    ...by("layers/IdempotencyLock", "is undone when another has stored an answer")
  },
  {
    name: "an answer is stored over that of another",
    file: "src/services/IdempotencyRows.ts",
    find: "held.created_at < now() - interval '24 hours'",
    replace: "held.status IS NOT NULL",
    ...by("layers/IdempotencyLock", "is undone when another has stored an answer")
  },
  {
    name: "an idempotency key says nothing of the body",
    file: "src/http/IdempotencyKeys.ts",
    find: '${request.headers["if-match"] ?? ""}\\n${body}',
    replace: '${request.headers["if-match"] ?? ""}\\n${body.length > 0}',
    ...by("http/IdempotencyKeys", "is refused when it is another")
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
    ...by("services/Files", "quarter of an hour")
  },
  {
    name: "limits count two orgs' customers of one id as one",
    file: "src/http/RateLimits.ts",
    find: "countOf(`${orgId} ${customerId}`, now)",
    replace: "countOf(`${customerId} ${orgId.length < 0}`, now)",
    ...by("http/RateLimits", "nobody else's")
  },
  {
    name: "shared limits count all orgs as one",
    file: "src/services/SharedLimits.ts",
    find: "VALUES (${orgId}, ${name}, ${key}, 1,",
    replace: "VALUES (${orgId.slice(0, 0)}, ${name}, ${key}, 1,",
    ...by("services/SharedLimits", "each org, name and key")
  },
  {
    name: "codes are hashed without their customer",
    file: "src/services/Verification.ts",
    find: "codes.hash(orgId, customerId, channel, destination, code)",
    replace: "codes.hash(orgId, channel, destination, code)",
    ...by("services/Verification", "copied from another customer")
  },
  {
    name: "codes of erasures are hashed without their customer",
    file: "src/services/Erasures.ts",
    find: 'codes.hash(orgId, customerId, "erasure", code)',
    replace: 'codes.hash(orgId, "erasure", code)',
    ...matrix("account.erase")
  },
  {
    name: "two enrollments in one programme may be live",
    file: "src/layers/migrations/0019_benefits.ts",
    find: "CREATE UNIQUE INDEX enrollments_live",
    replace: "CREATE INDEX enrollments_live",
    ...by("services/Enrollments", "fifty times at once|who writes SQL")
  },
  {
    name: "addresses leave nothing in the log of changes",
    file: "src/layers/migrations/0020_changes.ts",
    find: '  yield* recordChanges({ table: "addresses", type: "address" })\n',
    replace: "",
    ...by("services/Changes", "for every table that has a customer")
  },
  {
    name: "a changed record leaves nothing in the log, only new ones and deleted ones do",
    file: "src/layers/migrations/recordChanges.ts",
    find: "CREATE CONSTRAINT TRIGGER record_changed AFTER UPDATE ON ${table}",
    replace: "CREATE CONSTRAINT TRIGGER record_changed AFTER UPDATE OF org_id ON ${table}",
    ...by("services/Changes")
  },
  {
    name: "streams of changes are read for whoever opened the first one",
    file: "src/services/ChangeFeed.ts",
    find: "Effect.provideService(CurrentCustomer, mine)",
    replace: 'Effect.provideService(CurrentCustomer, [...all.values()][0] as unknown as CurrentCustomer["Service"])',
    ...by("http/Account", "to their customer alone")
  },
  {
    name: "whom a notice reaches: the devices of everybody of the org",
    file: "src/services/NotificationRows.ts",
    find: "WHERE push_tokens.org_id = ${orgId} AND push_tokens.customer_id = customers.id)",
    replace: "WHERE push_tokens.org_id = ${orgId})",
    ...by("services/Notices")
  },
  {
    name: "a wallet entry moves every wallet of the org",
    file: "src/services/Wallet.ts",
    find: "WHERE org_id = ${orgId} AND customer_id = ${customerId}\n            AND balance +",
    replace: "WHERE org_id = ${orgId}\n            AND balance +",
    ...by("services/Wallet", "nobody else's")
  },
  {
    name: "references of wallet entries are the org's, not the customer's",
    file: "src/services/Wallet.ts",
    find: "AND customer_id = ${customerId} AND reference = ${reference}",
    replace: "AND reference = ${reference}",
    ...by("services/Wallet", "nobody else's")
  },
  {
    name: "remembered answers are kept by their address alone",
    file: "src/http/Remembered.ts",
    find: "JSON.stringify([orgId, customerId, url])",
    replace: "JSON.stringify([orgId.length < 0, customerId.length < 0, url])",
    ...by("http/Remembered", "where two accounts' tags are the same")
  },
  {
    name: "remembered answers are given whatever their tag",
    file: "src/http/Remembered.ts",
    find: 'known?.headers["etag"] === etag',
    replace: "known !== undefined",
    ...by("http/Remembered", "until something of the account has changed")
  },
  {
    name: "remembered dashboards are kept without their org",
    file: "src/services/Dashboards.ts",
    find: "JSON.stringify([current.orgId, current.customerId])",
    replace: "JSON.stringify([current.customerId])",
    ...by("http/Remembered", "where two accounts' tags are the same")
  },
  {
    name: "entity tags say nothing of whose they are",
    file: "src/services/ChangeTags.ts",
    find: "left(${counter}.seal, 8) || '.' || ${counter}.last",
    replace: "'' || ${counter}.last",
    ...by("http/Remembered", "tags of two accounts")
  }
]

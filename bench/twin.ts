// What Portico is measured against: a few of its operations as one would write them by hand with Fastify and
// postgres.js. No metrics, no rate limit. ROW_SECURITY=true runs each request's statements in a transaction that is told
// whose it is, as one does it by hand; without it, org and customer are in the `WHERE` alone.
import fastify, { type FastifyRequest, LogController } from "fastify"
import { type JWTPayload, jwtVerify } from "jose"
import { createHash, randomUUID } from "node:crypto"
import { createReadStream, createWriteStream } from "node:fs"
import { stat } from "node:fs/promises"
import path from "node:path"
import { type Readable, Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import postgres from "postgres"

const { AUTH_AUDIENCE, AUTH_ISSUER, AUTH_JWT_SECRET, DATABASE_URL, DATA_DIR, PORT, ROW_SECURITY, TOKEN_CACHE } =
  process.env as Record<string, string>

const sql = postgres(DATABASE_URL!, {
  max: 10,
  connection: { application_name: "twin" },
  types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  onnotice: () => {}
})

type Sql = postgres.Sql | postgres.TransactionSql
type Tenant = Pick<FastifyRequest, "customerId" | "orgId">

const asTenant = <A>({ customerId, orgId }: Tenant, run: (sql: Sql) => Promise<A>) =>
  ROW_SECURITY === "true"
    ? sql.begin(async (sql) => {
        await sql`
          SELECT set_config('role', 'portico_customer', true), set_config('app.org_id', ${orgId}, true),
            set_config('app.customer_id', ${customerId}, true)`
        return run(sql)
      })
    : run(sql)

const key = await crypto.subtle.importKey(
  "raw",
  Buffer.from(AUTH_JWT_SECRET!),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["verify"]
)

const verifyAnew = async (token: string) =>
  (await jwtVerify(token, key, { algorithms: ["HS256"], issuer: AUTH_ISSUER!, audience: AUTH_AUDIENCE! })).payload

const known = new Map<string, JWTPayload>()
const verifyOnce = async (token: string) => {
  const hit = known.get(token)
  if (hit !== undefined && hit.exp! * 1000 > Date.now()) return hit
  const payload = await verifyAnew(token)
  if (known.size >= 10_000) known.clear()
  known.set(token, payload)
  return payload
}
const verify = TOKEN_CACHE === "true" ? verifyOnce : verifyAnew

class Refused extends Error {
  readonly statusCode: number
  constructor(statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

declare module "fastify" {
  interface FastifyRequest {
    orgId: string
    customerId: string
  }
}

const authenticate = async (request: FastifyRequest) => {
  const { authorization, orgid } = request.headers
  if (!authorization?.startsWith("Bearer ")) throw new Refused(401, "Not signed in")
  const claims = await verify(authorization.slice(7)).catch(() => {
    throw new Refused(401, "Token not accepted")
  })
  if (typeof orgid !== "string") throw new Refused(400, "No org named")
  if (claims["org"] !== orgid) throw new Refused(403, "Not this org")
  request.orgId = orgid
  request.customerId = claims.sub!
}

const text = { type: "string" }
const nullable = { type: "string", nullable: true }
const int = { type: "integer" }
const bool = { type: "boolean" }
const instant = { type: "string", format: "date-time" }
const object = (properties: Record<string, unknown>) => ({ type: "object", properties })
const optional = (properties: Record<string, unknown>) => ({ type: "object", nullable: true, properties })
const array = (items: unknown) => ({ type: "array", items })

const money = object({ amount: int, currency: text })
const address = optional({
  name: nullable,
  company: nullable,
  phone: nullable,
  street1: nullable,
  street2: nullable,
  city: nullable,
  state: nullable,
  zip: nullable,
  country: nullable
})

const profile = object({
  id: text,
  email: nullable,
  name: nullable,
  phone: nullable,
  language: nullable,
  timezone: nullable,
  about: nullable,
  emailVerified: bool,
  phoneVerified: bool,
  version: int,
  createdAt: instant,
  updatedAt: instant
})

const order = object({
  id: text,
  number: text,
  status: text,
  currency: text,
  subtotal: money,
  discount: money,
  tax: money,
  shipping: money,
  total: money,
  items: array(
    object({
      id: text,
      productId: nullable,
      sku: nullable,
      name: text,
      image: nullable,
      quantity: int,
      unitPrice: money,
      total: money
    })
  ),
  shippingAddress: address,
  billingAddress: address,
  shipments: array(
    object({
      carrier: nullable,
      trackingNumber: nullable,
      trackingUrl: nullable,
      status: nullable,
      shippedAt: nullable,
      deliveredAt: nullable
    })
  ),
  placedAt: instant,
  version: int,
  createdAt: instant,
  updatedAt: instant
})

const page = object({
  data: array(order),
  total: int,
  hasNext: bool,
  page: int,
  pageSize: int,
  totalPages: int,
  nextCursor: nullable
})

const paging = {
  type: "object",
  properties: {
    p: { type: "integer", minimum: 1, maximum: 1_000_000, default: 1 },
    ps: { type: "integer", minimum: 1, maximum: 200, default: 50 }
  }
}

// One line a request, as Portico writes one; Fastify's own would be two.
const app = fastify({
  logger: true,
  logController: new LogController({ disableRequestLogging: true }),
  keepAliveTimeout: 65_000
})
app.decorateRequest("orgId", "")
app.decorateRequest("customerId", "")
app.addHook("onRequest", authenticate)
app.addHook("onResponse", async (request, reply) => {
  const { customerId: customer, id: requestId, method, orgId: org } = request
  const route = request.routeOptions.url
  const ms = Math.round(reply.elapsedTime * 10) / 10
  request.log.info({ requestId, method, route, status: reply.statusCode, ms, org, customer }, "Answered")
})

const profileOf = (row: postgres.Row) => ({
  id: row["id"],
  email: row["email"],
  name: row["name"],
  phone: row["phone"],
  language: row["language"],
  timezone: row["timezone"],
  about: row["about"],
  emailVerified: row["email_verified"],
  phoneVerified: row["phone_verified"],
  version: row["version"],
  createdAt: row["created_at"],
  updatedAt: row["updated_at"]
})

app.get("/client-data/profile", { schema: { response: { 200: profile } } }, async ({ customerId, orgId }, reply) => {
  const row = await asTenant({ customerId, orgId }, async (sql) => {
    const [row] = await sql`
      SELECT id, email, name, phone, language, timezone, about, email_verified, phone_verified, version, created_at,
        updated_at
      FROM customers WHERE org_id = ${orgId} AND id = ${customerId}`
    return row
  })
  if (row === undefined) throw new Refused(404, "Customer not found")
  reply.header("etag", `"${row["version"]}"`)
  return profileOf(row)
})

// Keys by hand, in the transaction of the write: a second request with the key waits for the first one's commit.
await sql`CREATE TABLE IF NOT EXISTS twin_keys (
  org_id text, customer_id text, key text, fingerprint text NOT NULL, answer jsonb, PRIMARY KEY (org_id, customer_id, key))`
await sql`ALTER TABLE twin_keys ENABLE ROW LEVEL SECURITY`
await sql`DROP POLICY IF EXISTS customer ON twin_keys`
await sql`CREATE POLICY customer ON twin_keys TO portico_customer
  USING (org_id = (SELECT current_org()) AND customer_id = (SELECT current_customer()))`
await sql`GRANT SELECT, INSERT, UPDATE ON twin_keys TO portico_customer`

app.put<{ Body: { readonly about: string | null } }>(
  "/client-data/profile",
  {
    schema: {
      body: { type: "object", properties: { about: nullable }, additionalProperties: false },
      response: { 200: profile }
    }
  },
  async ({ body, customerId, headers, orgId }, reply) => {
    const key = headers["idempotency-key"]
    if (typeof key !== "string") throw new Refused(400, "No key")
    const fingerprint = createHash("sha256").update(JSON.stringify(body)).digest("hex")
    const write = async (sql: Sql) => {
      const claimed = await sql`
        INSERT INTO twin_keys (org_id, customer_id, key, fingerprint) VALUES (${orgId}, ${customerId}, ${key}, ${fingerprint})
        ON CONFLICT DO NOTHING RETURNING key`
      if (claimed.length === 0) {
        const [held] = await sql`
          SELECT fingerprint, answer FROM twin_keys
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND key = ${key}`
        if (held!["fingerprint"] !== fingerprint) throw new Refused(409, "Another request had this key")
        return held!["answer"]
      }
      const [row] = await sql`
        UPDATE customers SET about = ${body.about} WHERE org_id = ${orgId} AND id = ${customerId}
        RETURNING id, email, name, phone, language, timezone, about, email_verified, phone_verified, version, created_at,
          updated_at`
      if (row === undefined) throw new Refused(404, "Customer not found")
      const answer = profileOf(row)
      await sql`
        UPDATE twin_keys SET answer = ${sql.json(answer as never)}
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND key = ${key}`
      return answer
    }
    const tenant = { customerId, orgId }
    const answer = await (ROW_SECURITY === "true" ? asTenant(tenant, write) : sql.begin(write))
    reply.header("etag", `"${answer["version"]}"`)
    return answer
  }
)

const count = object({ total: int, open: int })
const dashboard = object({
  orders: count,
  tickets: object({ pending: int }),
  messages: object({ unread: int }),
  notifications: object({ unread: int }),
  reservations: object({ upcoming: int }),
  wallet: object({ balance: { ...money, nullable: true } }),
  recentActivity: array(object({ type: text, id: text, title: text, at: instant })),
  asOf: instant
})

const open =
  "new,awaiting-payment,paid-partial,paid,confirmed,processing,on-hold,shipped,partially-shipped,partially-delivered"

// A query for each thing on the page, all sent at once; the titles of what was changed need one more.
app.get("/client-data/dashboard", { schema: { response: { 200: dashboard } } }, (tenant) =>
  asTenant(tenant, (sql) => dashboardOf(tenant, sql))
)

const dashboardOf = async ({ customerId, orgId }: Tenant, sql: Sql) => {
  const mine = sql`org_id = ${orgId} AND customer_id = ${customerId}`
  const [[total], [isOpen], [pending], [unread], [news], [upcoming], [wallet], changes] = await Promise.all([
    sql`SELECT count(*)::int AS n FROM orders WHERE ${mine}`,
    sql`SELECT count(*)::int AS n FROM orders WHERE ${mine} AND status = ANY (${open.split(",")})`,
    sql`SELECT count(*)::int AS n FROM tickets WHERE ${mine} AND status = 'pending'`,
    sql`SELECT count(*)::int AS n FROM messages WHERE ${mine} AND read_at IS NULL AND from_kind <> 'customer'`,
    sql`SELECT count(*)::int AS n FROM notifications WHERE ${mine} AND in_app AND read_at IS NULL`,
    sql`SELECT count(*)::int AS n FROM reservations
      WHERE ${mine} AND status IN ('pending', 'confirmed', 'rescheduled') AND ends_at > now()`,
    sql`SELECT balance, currency FROM wallets WHERE ${mine}`,
    sql`SELECT type, id, at FROM customer_changes WHERE ${mine} ORDER BY sequence DESC LIMIT 100`
  ])
  const newest = new Map<string, postgres.Row>()
  for (const change of changes) {
    const name = `${change["type"]} ${change["id"]}`
    if (newest.size < 10 && !newest.has(name)) newest.set(name, change)
  }
  const latest = [...newest.values()]
  const ids = latest.filter(({ type }) => type === "order").map(({ id }) => id as string)
  const orders = await sql`SELECT id, number, status FROM orders WHERE ${mine} AND id = ANY (${ids})`
  const titles = new Map(
    orders.map(({ id, number, status }) => [id, `Order ${number}: ${String(status).replaceAll("-", " ")}`])
  )
  return {
    orders: { total: total!["n"], open: isOpen!["n"] },
    tickets: { pending: pending!["n"] },
    messages: { unread: unread!["n"] },
    notifications: { unread: news!["n"] },
    reservations: { upcoming: upcoming!["n"] },
    wallet: { balance: wallet === undefined ? null : { amount: wallet["balance"], currency: wallet["currency"] } },
    recentActivity: latest.map(({ at, id, type }) => ({ type, id, title: titles.get(id) ?? "Profile changed", at })),
    asOf: new Date()
  }
}

// The body is the file: a form would need a parser that Fastify does not bring.
app.addContentTypeParser("text/plain", (_request, body, done) => done(null, body))

app.post<{ Body: Readable }>("/client-data/files/upload", { bodyLimit: 25 * 2 ** 20 }, async ({ body }, reply) => {
  const id = randomUUID()
  const hash = createHash("sha256")
  const hashed = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    }
  })
  await pipeline(body, hashed, createWriteStream(path.join(DATA_DIR!, id)))
  reply.code(201)
  return { path: id, sha256: hash.digest("hex") }
})

app.get<{ Params: { path: string } }>("/client-data/files/:path", async ({ params }, reply) => {
  if (!/^[0-9a-f-]{36}$/.test(params.path)) throw new Refused(404, "No such file")
  const file = path.join(DATA_DIR!, params.path)
  const { size } = await stat(file)
  return reply.header("content-length", size).type("text/plain").send(createReadStream(file))
})

app.get<{ Querystring: { p: number; ps: number } }>(
  "/client-data/orders",
  { schema: { querystring: paging, response: { 200: page } } },
  async ({ customerId, orgId, query: { p, ps } }) => {
    const [rows, [counted]] = await asTenant({ customerId, orgId }, (sql) =>
      Promise.all([
        sql`
          SELECT id, number, status, currency, subtotal, discount, tax, shipping, total, items, shipping_address,
            billing_address, shipments, placed_at, version, created_at, updated_at
          FROM orders WHERE org_id = ${orgId} AND customer_id = ${customerId}
          ORDER BY placed_at DESC, id DESC LIMIT ${ps} OFFSET ${(p - 1) * ps}`,
        sql`SELECT count(*)::int AS total FROM orders WHERE org_id = ${orgId} AND customer_id = ${customerId}`
      ])
    )
    const total: number = counted!["total"]
    const last = rows.at(-1)
    const hasNext = p * ps < total
    return {
      data: rows.map((row) => ({
        id: row["id"],
        number: row["number"],
        status: row["status"],
        currency: row["currency"],
        subtotal: { amount: row["subtotal"], currency: row["currency"] },
        discount: { amount: row["discount"], currency: row["currency"] },
        tax: { amount: row["tax"], currency: row["currency"] },
        shipping: { amount: row["shipping"], currency: row["currency"] },
        total: { amount: row["total"], currency: row["currency"] },
        items: row["items"],
        shippingAddress: row["shipping_address"],
        billingAddress: row["billing_address"],
        shipments: row["shipments"],
        placedAt: row["placed_at"],
        version: row["version"],
        createdAt: row["created_at"],
        updatedAt: row["updated_at"]
      })),
      total,
      hasNext,
      page: p,
      pageSize: ps,
      totalPages: Math.ceil(total / ps),
      nextCursor:
        hasNext && last !== undefined
          ? Buffer.from(JSON.stringify([last["placed_at"], last["id"]])).toString("base64url")
          : null
    }
  }
)

process.once("SIGTERM", async () => {
  await app.close()
  await sql.end({ timeout: 1 })
})
await app.listen({ host: "127.0.0.1", port: Number(PORT) })

// What Portico is measured against: the two reads as one would write them by hand with Fastify and postgres.js. No row
// security, no metrics, no rate limit; the org is scoped by `WHERE` alone.
import fastify, { type FastifyRequest, LogController } from "fastify"
import { type JWTPayload, jwtVerify } from "jose"
import postgres from "postgres"

const { AUTH_AUDIENCE, AUTH_ISSUER, AUTH_JWT_SECRET, DATABASE_URL, PORT, TOKEN_CACHE } = process.env as Record<
  string,
  string
>

const sql = postgres(DATABASE_URL!, {
  max: 10,
  connection: { application_name: "twin" },
  types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  onnotice: () => {}
})

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

app.get("/client-data/profile", { schema: { response: { 200: profile } } }, async ({ customerId, orgId }, reply) => {
  const [row] = await sql`
    SELECT id, email, name, phone, language, timezone, about, email_verified, phone_verified, version, created_at,
      updated_at
    FROM customers WHERE org_id = ${orgId} AND id = ${customerId}`
  if (row === undefined) throw new Refused(404, "Customer not found")
  reply.header("etag", `"${row["version"]}"`)
  return {
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
  }
})

app.get<{ Querystring: { p: number; ps: number } }>(
  "/client-data/orders",
  { schema: { querystring: paging, response: { 200: page } } },
  async ({ customerId, orgId, query: { p, ps } }) => {
    const [rows, [counted]] = await Promise.all([
      sql`
        SELECT id, number, status, currency, subtotal, discount, tax, shipping, total, items, shipping_address,
          billing_address, shipments, placed_at, version, created_at, updated_at
        FROM orders WHERE org_id = ${orgId} AND customer_id = ${customerId}
        ORDER BY placed_at DESC, id DESC LIMIT ${ps} OFFSET ${(p - 1) * ps}`,
      sql`SELECT count(*)::int AS total FROM orders WHERE org_id = ${orgId} AND customer_id = ${customerId}`
    ])
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

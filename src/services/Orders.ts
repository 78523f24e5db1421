import { Clock, Context, Effect, Layer } from "effect"
import type { Statement } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import { Order, type OrderId, OrderNotFound, orderSorts, type OrdersQuery, type Shipment } from "../domain/Order.ts"
import { itemTotalOf, type OrderPush, subtotalOf } from "../domain/OrderPush.ts"
import type { Page } from "../domain/Page.ts"
import { type IfMatch, VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import { Notices } from "./Notices.ts"
import { paginate } from "./Paging.ts"
import { within } from "./Period.ts"

const amounts = ["subtotal", "discount", "tax", "shipping", "total"] as const
const others = `id, number, status, currency, items, shipping_address, billing_address, shipments, placed_at, version,
  created_at, updated_at`

/** For what Postgres makes JSON of. */
export const orderColumns = [
  others,
  ...amounts.map((name) => `jsonb_build_object('amount', ${name}, 'currency', currency) AS ${name}`)
].join()

const rowColumns = [others, ...amounts].join()

type Row = Omit<Order, Amount | "shipments"> &
  Readonly<Record<Amount, bigint>> & { readonly shipments: ReadonlyArray<StoredShipment> }
type Amount = (typeof amounts)[number]
type ShipmentTime = "shippedAt" | "deliveredAt"
type StoredShipment = Omit<typeof Shipment.Type, ShipmentTime> & Readonly<Record<ShipmentTime, string | null>>

/**
 * A row by hand: fifty orders are two thousand values, which were checked when they came in and are again when they are
 * answered. To decode them as well, and their amounts from JSON, would take longer than the query.
 */
const orderOf = (row: Row): Order => {
  const money = (amount: bigint) => ({ amount: Number(amount), currency: row.currency })
  return {
    id: row.id,
    number: row.number,
    status: row.status,
    currency: row.currency,
    subtotal: money(row.subtotal),
    discount: money(row.discount),
    tax: money(row.tax),
    shipping: money(row.shipping),
    total: money(row.total),
    items: row.items,
    shippingAddress: row.shippingAddress,
    billingAddress: row.billingAddress,
    shipments: row.shipments.map(shipmentOf),
    placedAt: row.placedAt,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt
  }
}

const shipmentOf = (stored: StoredShipment): typeof Shipment.Type => ({
  ...stored,
  shippedAt: stored.shippedAt === null ? null : new Date(stored.shippedAt),
  deliveredAt: stored.deliveredAt === null ? null : new Date(stored.deliveredAt)
})

export class Orders extends Context.Service<
  Orders,
  {
    /** Newest first, unless the query sorts otherwise. */
    readonly list: (query: OrdersQuery) => Effect.Effect<Page<Order>, InvalidRequest, CurrentCustomer>
    /** By id, or by the number that the customer knows. */
    readonly get: (idOrNumber: string) => Effect.Effect<Order, OrderNotFound, CurrentCustomer>
    /**
     * Creates or replaces the platform's order; the same push again changes nothing. The customer is told of a new order
     * that is under way, and of each new status.
     */
    readonly push: (
      id: OrderId,
      order: OrderPush,
      ifMatch?: typeof IfMatch.Type
    ) => Effect.Effect<Order, CustomerNotFound | VersionMismatch, CurrentPlatform>
  }
>()("portico/services/Orders") {
  static readonly layer = Layer.effect(
    Orders,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const notices = yield* Notices

      const columns = sql.literal(rowColumns)

      const sorts = Object.fromEntries(
        Object.entries(orderSorts).map(([field, type]) => [field, { type, column: columnOf(field) }])
      ) as Record<
        keyof typeof orderSorts,
        { type: (typeof orderSorts)[keyof typeof orderSorts]; column: `orders.${string}` }
      >

      const list = Effect.fn("Orders.list")(function* (query: OrdersQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        const filters: Array<Statement.Fragment> = [sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`]
        if (query.status !== undefined) filters.push(sql.in("status", query.status))
        filters.push(...(yield* within(sql, "placed_at", query)))

        return yield* paginate({
          sql,
          query,
          sorts,
          byDefault: "placedAt",
          item: Order,
          read: orderOf,
          columns,
          from: sql`orders WHERE ${sql.and(filters)}`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      const get = Effect.fn("Orders.get")(function* (idOrNumber: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql<Row>`
          SELECT ${columns} FROM orders
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND (id = ${idOrNumber} OR number = ${idOrNumber})
          ORDER BY (id = ${idOrNumber}) DESC, placed_at DESC LIMIT 1
        `.pipe(Effect.orDie)
        if (row === undefined) return yield* new OrderNotFound()
        return orderOf(row)
      })

      const upsert = Effect.fnUntraced(function* (id: OrderId, order: OrderPush, ifMatch?: typeof IfMatch.Type) {
        const { orgId } = yield* CurrentPlatform
        const { tax, shipping, discount } = order
        const [row] = yield* platformSql<Row & { readonly made: boolean }>`
          INSERT INTO orders (
            org_id, id, customer_id, number, status, currency, subtotal, discount, tax, shipping, total,
            items, shipping_address, billing_address, shipments, placed_at
          )
          SELECT org_id, ${id}, id, ${order.number}, ${order.status}, ${order.currency ?? order.total.currency},
            ${subtotalOf(order)}::bigint, ${discount?.amount ?? 0}::bigint, ${tax?.amount ?? 0}::bigint,
            ${shipping?.amount ?? 0}::bigint, ${order.total.amount}::bigint,
            ${itemsOf(order)}::text::jsonb, ${addressOf(order.shippingAddress)}::text::jsonb,
            ${addressOf(order.billingAddress)}::text::jsonb, ${shipmentsOf(order)}::text::jsonb,
            coalesce(${order.placedAt?.toISOString() ?? null}::text::timestamptz, now())
          FROM customers WHERE org_id = ${orgId} AND id = ${order.customerId} AND erased_at IS NULL
            ${ifMatch === undefined ? sql.literal("") : sql`AND EXISTS (SELECT FROM orders WHERE org_id = ${orgId} AND id = ${id})`}
          ON CONFLICT (org_id, id) DO UPDATE SET
            customer_id = excluded.customer_id, number = excluded.number, status = excluded.status,
            currency = excluded.currency, subtotal = excluded.subtotal, discount = excluded.discount, tax = excluded.tax,
            shipping = excluded.shipping, total = excluded.total, items = excluded.items,
            shipping_address = excluded.shipping_address, billing_address = excluded.billing_address,
            shipments = excluded.shipments,
            placed_at = coalesce(${order.placedAt?.toISOString() ?? null}::text::timestamptz, orders.placed_at)
          WHERE ${versionsLiteral(ifMatch)}::text IS NULL OR orders.version = ANY (${versionsLiteral(ifMatch)}::text::int[])
          RETURNING ${columns}, xmax = 0 AS made`
        if (row === undefined) return yield* ifMatch === undefined ? new CustomerNotFound() : unmatched(order)
        return { made: row.made, pushed: orderOf(row) }
      })

      const unmatched = Effect.fnUntraced(function* ({ customerId }: OrderPush) {
        const { orgId } = yield* CurrentPlatform
        const known = yield* platformSql`
          SELECT 1 FROM customers WHERE org_id = ${orgId} AND id = ${customerId} AND erased_at IS NULL`
        return yield* known.length === 0 ? new CustomerNotFound() : new VersionMismatch()
      })

      // Locked, so that of two pushes at once the later one sees the earlier one's status.
      const selectStatus = Effect.fnUntraced(function* (id: OrderId) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql<{ readonly status: Order["status"]; readonly customerId: string }>`
          SELECT status, customer_id FROM orders WHERE org_id = ${orgId} AND id = ${id} FOR NO KEY UPDATE`
        return row
      })

      const push = Effect.fn("Orders.push")(
        function* (id: OrderId, order: OrderPush, ifMatch?: typeof IfMatch.Type) {
          const before = yield* selectStatus(id)
          const { made, pushed } = yield* upsert(id, order, ifMatch)
          const { number, status } = pushed
          const about = { customerId: order.customerId, data: { orderId: id, status }, link: `/orders/${id}` }
          const isTheirs = before?.customerId === order.customerId
          if (isTheirs && before.status !== status) {
            yield* notices.tell({ ...about, template: "orderStatus", facts: { number, status } })
          } else if (
            (made || (before !== undefined && !isTheirs)) &&
            isUnderWay(order, yield* Clock.currentTimeMillis)
          ) {
            yield* notices.tell({ ...about, template: "orderPlaced", facts: { number } })
          }
          return pushed
        },
        transaction(platformSql),
        Effect.catchTag("SqlError", Effect.die)
      )

      return Orders.of({ list, get, push })
    })
  )
}

/** What an import brings in from long ago is news to nobody, nor is what is over already. */
const isUnderWay = ({ placedAt, status }: OrderPush, now: number) =>
  ["new", "awaiting-payment", "paid-partial", "paid", "confirmed", "processing"].includes(status) &&
  (placedAt === undefined || now - placedAt.getTime() < 24 * 3_600_000)

const columnOf = (field: string): `orders.${string}` =>
  `orders.${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`

const itemsOf = (order: OrderPush) =>
  JSON.stringify(
    (order.items ?? []).map((item, index) => ({
      id: String(index + 1),
      productId: null,
      sku: null,
      image: null,
      total: { amount: itemTotalOf(item), currency: item.unitPrice.currency },
      ...item
    }))
  )

const addressOf = (address: OrderPush["shippingAddress"]) =>
  address === undefined || address === null
    ? null
    : JSON.stringify({
        name: null,
        company: null,
        phone: null,
        street1: null,
        street2: null,
        city: null,
        state: null,
        zip: null,
        country: null,
        ...address
      })

const shipmentsOf = (order: OrderPush) =>
  JSON.stringify(
    (order.shipments ?? []).map((shipment) => ({
      carrier: null,
      trackingNumber: null,
      trackingUrl: null,
      status: null,
      shippedAt: null,
      deliveredAt: null,
      ...shipment
    }))
  )

import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpClientRequest, HttpServer } from "effect/http"
import { HttpApiMiddleware, HttpApiTest } from "effect/http-api"
import { CurrentCustomer } from "../../src/domain/CurrentCustomer.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import { type Order, OrderId, OrderNotFound, type OrdersQuery } from "../../src/domain/Order.ts"
import { type Profile, type ProfileChanges } from "../../src/domain/Profile.ts"
import { VersionMismatch } from "../../src/domain/Version.ts"
import { Api } from "../../src/http/Api.ts"
import { Authentication, PlatformAuthentication } from "../../src/http/Authentication.ts"
import { OrdersHandlers } from "../../src/http/handlers/Orders.ts"
import { ProfileHandlers } from "../../src/http/handlers/Profile.ts"
import { HttpSettings } from "../../src/http/HttpSettings.ts"
import { Load } from "../../src/http/Load.ts"
import { Middleware } from "../../src/http/Routes.ts"
import { AccountTags } from "../../src/services/AccountTags.ts"
import { ApiKeys } from "../../src/services/ApiKeys.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { Idempotency } from "../../src/services/Idempotency.ts"
import { Identities } from "../../src/services/Identities.ts"
import { Orders } from "../../src/services/Orders.ts"
import { Profiles } from "../../src/services/Profiles.ts"
import { Readiness } from "../../src/services/Readiness.ts"
import { SharedLimits } from "../../src/services/SharedLimits.ts"
import { Tokens } from "../../src/services/Tokens.ts"

const at = new Date("2026-11-23T10:00:00.000Z")
const ada = { orgId: OrgId.make("acme"), customerId: CustomerId.make("ada") }

const profile: Profile = {
  id: ada.customerId,
  email: null,
  name: "Ada",
  phone: null,
  language: null,
  timezone: null,
  about: null,
  emailVerified: false,
  phoneVerified: false,
  version: 7,
  createdAt: at,
  updatedAt: at
}

const usd = { amount: 4999, currency: "USD" }
const order: Order = {
  id: OrderId.make("order-1"),
  number: "1001",
  status: "paid",
  currency: "USD",
  subtotal: usd,
  discount: usd,
  tax: usd,
  shipping: usd,
  total: usd,
  items: [],
  shippingAddress: null,
  billingAddress: null,
  shipments: [],
  placedAt: at,
  version: 2,
  createdAt: at,
  updatedAt: at
}

/** What the handlers have asked of the services. */
const asked: { changes?: ProfileChanges; ifMatch?: unknown; query?: OrdersQuery; customer?: unknown } = {}

const services = Layer.mergeAll(
  Layer.mock(Profiles, {
    get: Effect.map(CurrentCustomer, (customer) => {
      asked.customer = { ...customer }
      return profile
    }),
    change: (changes, ifMatch) => {
      Object.assign(asked, { changes, ifMatch })
      return ifMatch?.includes(6) ? Effect.fail(new VersionMismatch()) : Effect.succeed({ ...profile, version: 8 })
    }
  }),
  Layer.mock(Orders, {
    list: (query) => {
      asked.query = query
      return Effect.succeed({ data: [order], hasNext: true, pageSize: 1, nextCursor: "next" })
    },
    get: (id) => (id === "order-1" ? Effect.succeed(order) : Effect.fail(new OrderNotFound()))
  }),
  Layer.mock(Tokens, {
    verify: () => Effect.succeed({ type: "customer", sub: ada.customerId, org: ada.orgId, iat: 1, exp: 2 })
  }),
  Layer.mock(Identities, { customerOf: () => Effect.succeed(ada) }),
  Layer.mock(ApiKeys, {}),
  Layer.mock(FileUploads, {}),
  Layer.mock(Idempotency, {}),
  Layer.mock(AccountTags, { current: Effect.succeed({ tag: "1.1", asOf: new Date() }) }),
  Layer.mock(SharedLimits, {}),
  Load.layer.pipe(
    Layer.provide(Layer.mock(Readiness, { closing: () => false })),
    Layer.provideMerge(
      Layer.succeed(HttpSettings, {
        rateLimit: 100,
        maxInFlight: 100,
        maxInFlightPerCustomer: 100,
        corsOrigins: [],
        strictTransport: false,
        patience: { sending: 15_000, taking: 20_000 }
      })
    )
  )
)

const signedIn = Layer.mergeAll(
  HttpApiMiddleware.layerClient(Authentication, ({ next, request }) =>
    next(HttpClientRequest.setHeaders(request, { authorization: "Bearer a.b.c", orgid: "acme" }))
  ),
  HttpApiMiddleware.layerClient(PlatformAuthentication, ({ next, request }) => next(request))
)

const handlers = Layer.mergeAll(ProfileHandlers, OrdersHandlers).pipe(
  Layer.provideMerge(Middleware),
  Layer.provide(services)
)

const client = Effect.provide(HttpApiTest.groups(Api, ["profile", "orders"]), signedIn)

layer(Layer.mergeAll(handlers, HttpServer.layerServices))("A handler", (it) => {
  it.effect("reads the profile of whom the token names", () =>
    Effect.gen(function* () {
      const { profile: group } = yield* client

      const { body, headers } = yield* group.get()

      assert.deepStrictEqual([body, headers.etag], [profile, '"7"'])
      assert.deepStrictEqual(asked.customer, ada)
    })
  )

  it.effect("hands on which fields change and of which version, absent ones left absent", () =>
    Effect.gen(function* () {
      const { profile: group } = yield* client

      const changes = { name: "Countess", phone: null }
      const { headers } = yield* group.change({ payload: changes, headers: { "if-match": [7] } })

      assert.strictEqual(headers.etag, '"8"')
      assert.deepStrictEqual([asked.changes, asked.ifMatch], [changes, [7]])
    })
  )

  it.effect("answers for an old version as the service does", () =>
    Effect.gen(function* () {
      const { profile: group } = yield* client

      const error = yield* Effect.flip(group.change({ payload: {}, headers: { "if-match": [6] } }))

      assert.strictEqual(error._tag, "VersionMismatch")
    })
  )

  it.effect("hands on a list's query as values, and a page as it comes", () =>
    Effect.gen(function* () {
      const { orders } = yield* client

      const page = yield* orders.list({ query: { p: 2, ps: 1, s: "total", st: "asc", count: false, status: ["paid"] } })

      assert.deepStrictEqual(page, { data: [order], hasNext: true, pageSize: 1, nextCursor: "next" })
      assert.deepStrictEqual(asked.query, { p: 2, ps: 1, s: "total", st: "asc", count: false, status: ["paid"] })
    })
  )

  it.effect("answers for an order that is not there as the service does", () =>
    Effect.gen(function* () {
      const { orders } = yield* client

      const found = yield* orders.get({ params: { orderId: "order-1" } })
      const error = yield* Effect.flip(orders.get({ params: { orderId: "order-2" } }))

      assert.deepStrictEqual(found.body, order)
      assert.strictEqual(error._tag, "OrderNotFound")
    })
  )
})

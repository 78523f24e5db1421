import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { FetchHttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import { execFile } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { promisify } from "node:util"
import { generate } from "openapi-typescript-codegen"
import { OrderNotFound } from "../../src/domain/Order.ts"
import { Api } from "../../src/http/Api.ts"
import { Authentication, PlatformAuthentication } from "../../src/http/Authentication.ts"
import * as App from "../support/App.ts"
import { anOrder, type Customer, people, placeOrder } from "../support/People.ts"

const root = path.resolve(import.meta.dirname, "../..")
const tsc = path.join(root, "node_modules/typescript/bin/tsc")
const strictly = ["--noEmit", "--strict", "--ignoreConfig", "--module", "esnext", "--moduleResolution", "bundler"]
const environment = ["--target", "es2022", "--lib", "es2022,dom"]

const compile = (file: string) =>
  promisify(execFile)(process.execPath, [tsc, ...strictly, ...environment, file], { cwd: path.dirname(file) }).catch(
    ({ stdout }) => assert.fail(stdout)
  )

layer(App.layer, { excludeTestServices: true })((it) => {
  describe("The client that Effect derives from the API", () => {
    /** Signs in as the customer, and as the platform of the customer's org. */
    const signedIn = Effect.fnUntraced(function* (customer: Customer) {
      const app = yield* App.App
      const token = yield* app.tokenOf(customer)
      const { key, orgId } = yield* app.platformOf(customer.orgId)
      const sending =
        (headers: Readonly<Record<string, string>>) =>
        ({ next, request }: Parameters<HttpApiMiddleware.HttpApiMiddlewareClient<never, never, never>>[0]) =>
          next(HttpClientRequest.setHeaders(request, { ...headers, orgid: orgId }))
      return yield* HttpApiClient.make(Api, { baseUrl: app.baseUrl }).pipe(
        Effect.provide([
          HttpApiMiddleware.layerClient(Authentication, sending({ authorization: `Bearer ${token}` })),
          HttpApiMiddleware.layerClient(PlatformAuthentication, sending({ "x-api-key": key })),
          FetchHttpClient.layer
        ])
      )
    })

    it.effect("reads and changes a profile", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const client = yield* signedIn(ada)

        const { body, headers } = yield* client.profile.get()
        assert.strictEqual(body.name, "Ada")
        assert.instanceOf(body.createdAt, Date)

        const change = { payload: { name: "Ada Lovelace" }, headers: { "if-match": [body.version] } }
        const changed = yield* client.profile.change(change)
        assert.strictEqual(changed.body.name, "Ada Lovelace")
        assert.notStrictEqual(changed.headers.etag, headers.etag)

        const stale = yield* Effect.flip(client.profile.change(change))
        assert.strictEqual(stale._tag, "VersionMismatch")
      })
    )

    it.effect("pages through orders of some statuses", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const [one, two, three] = yield* Effect.forEach(["paid", "shipped", "paid"] as const, (status) =>
          placeOrder(ada, { status })
        )
        yield* placeOrder(ada, { status: "cancelled" })
        const client = yield* signedIn(ada)

        const query = { status: ["paid", "shipped"], s: "placedAt", st: "asc", ps: 2 } as const
        const first = yield* client.orders.list({ query })
        assert.deepStrictEqual([first.total, first.totalPages, first.hasNext], [3, 2, true])
        const second = yield* client.orders.list({ query: { ...query, cursor: first.nextCursor!, count: false } })
        assert.isUndefined(second.total)
        const ids = [...first.data, ...second.data].map(({ id }) => id)
        assert.deepStrictEqual(ids, [one!.id, two!.id, three!.id])
      })
    )

    it.effect("tells failures apart by type", () =>
      Effect.gen(function* () {
        const { ada, mallory } = yield* people
        const order = yield* placeOrder(ada)
        const client = yield* signedIn(mallory)

        const strange = yield* Effect.flip(client.orders.get({ params: { orderId: order.id } }))
        assert.instanceOf(strange, OrderNotFound)
        assert.isString(strange.requestId)

        const unknown = yield* client.profile.change({ payload: { timezone: "Nowhere/None" }, headers: {} }).pipe(
          Effect.as("changed"),
          Effect.catchTag("SchemaError", () => Effect.succeed("not even sent"))
        )
        assert.strictEqual(unknown, "not even sent")
      })
    )

    it.effect("pushes orders for the platform", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const client = yield* signedIn(ada)

        const params = { orderId: "pushed" as never }
        const { body } = yield* client.platformOrders.push({ params, payload: anOrder(ada), headers: {} })
        const seen = yield* client.orders.get({ params })
        assert.deepStrictEqual(seen.body, body)
      })
    )
  })

  describe("A client that a stranger's generator makes from openapi.json", () => {
    it.effect("has types that hold, and calls the server with them", () =>
      Effect.gen(function* () {
        const app = yield* App.App
        const { ada, mallory } = yield* people
        yield* placeOrder(ada, { status: "cancelled" })
        const shipped = yield* placeOrder(ada, { status: "shipped" })
        const paid = yield* placeOrder(ada)
        const { key, orgId } = yield* app.platformOf(ada.orgId)
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(path.join(tmpdir(), "portico-client-"))),
          (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
        )

        const portal = path.join(directory, "portal.ts")
        copyFileSync(path.join(root, "test/support/portal.ts.txt"), portal)
        const options = { useOptions: true, useUnionTypes: true }
        const input = path.join(root, "openapi.json")
        yield* Effect.promise(() => generate({ input, output: path.join(directory, "client"), ...options }))
        yield* Effect.promise(() => compile(portal))
        const { visit } = yield* Effect.promise(() => import(portal))
        const token = yield* app.tokenOf(ada)
        const stranger = { token: yield* app.tokenOf(mallory), orgid: mallory.orgId }
        const visitor = { base: app.baseUrl, orgid: orgId, token, key, stranger }
        const seen = yield* Effect.promise(() => visit(visitor))

        assert.deepStrictEqual(seen, {
          name: "Ada",
          changed: "Ada Lovelace",
          stale: "version_mismatch",
          pages: [[paid.id], [shipped.id]],
          total: 2,
          number: paid.number,
          missing: "order_not_found",
          invalid: ["/body/timezone"],
          pushed: "confirmed"
        })
      })
    )
  })
})

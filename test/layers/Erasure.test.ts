import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { systems } from "../../src/domain/Erasure.ts"
import { CustomerId } from "../../src/domain/Ids.ts"
import * as CardVaultLocal from "../../src/layers/CardVaultLocal.ts"
import * as PayPalVaultLocal from "../../src/layers/PayPalVaultLocal.ts"
import { CardVault } from "../../src/services/CardVault.ts"
import { erasureSteps } from "../../src/services/ErasureSteps.ts"
import { PayPalVault } from "../../src/services/PayPalVault.ts"
import { Storage } from "../../src/services/Storage.ts"
import { missing } from "../support/Cluster.ts"
import * as Replicas from "../support/Replicas.ts"
import { acme, asAcme, asAda, failureOf, populated } from "../support/Replicas.ts"

if (missing !== undefined) console.warn(`Erasure.test.ts is skipped: ${missing}`)

const removed: Array<string> = []
const storage = Storage.of({
  put: () => Effect.void,
  get: () => Effect.succeed(Stream.empty),
  remove: (key) => Effect.sync(() => void removed.push(key))
})

describe.skipIf(missing !== undefined)("Erasing", () => {
  layer(Replicas.layer, { excludeTestServices: true })((it) => {
    it.effect("works as an owner that is no superuser, who reaches nobody but whom it erases", () =>
      Effect.gen(function* () {
        const { customer, owner, platform } = yield* populated("erasing")
        const ada = { orgId: acme, customerId: CustomerId.make("ada") }
        for (const id of ["ada", "eve"]) {
          yield* platform`
            INSERT INTO orders (org_id, id, customer_id, number, status, currency, subtotal, discount, tax, shipping, total,
              items, shipping_address, shipments, placed_at)
            VALUES (${acme}, ${id}, ${id}, ${id}, 'paid', 'USD', 1, 0, 0, 0, 1, '[]', '{"name": "Ada"}', '[]', now())`.pipe(
            asAcme
          )
        }
        yield* customer`INSERT INTO verifications (org_id, customer_id, channel, value, verified_at)
          VALUES (${acme}, 'ada', 'email', 'ada@acme.example', now())`.pipe(asAda)
        yield* customer`INSERT INTO files (org_id, customer_id, id, path, size, content_type, sha256)
          VALUES (${acme}, 'ada', 'a-file', 'a.txt', 1, 'text/plain', repeat('0', 64))`.pipe(asAda)
        yield* customer`INSERT INTO payment_customers (org_id, customer_id, provider, provider_id)
          VALUES (${acme}, 'ada', 'stripe', 'cus_1')`.pipe(asAda)
        yield* customer`INSERT INTO idempotency_keys (org_id, customer_id, method, route, key, fingerprint, claim, claimed_until)
          VALUES (${acme}, 'ada', 'POST', '/', 'k', 'f', 'c', now())`.pipe(asAda)
        yield* platform`INSERT INTO erasures (org_id, customer_id, requested_by, requested_at, erases_at)
          VALUES (${acme}, 'ada', 'platform', now(), now())`.pipe(asAcme)

        const vaults = yield* Layer.build(Layer.merge(CardVaultLocal.layer, PayPalVaultLocal.layer)).pipe(
          Effect.provideService(SqlClient.SqlClient, owner)
        )
        const steps = yield* Effect.gen(function* () {
          return erasureSteps(owner, yield* CardVault, yield* PayPalVault, storage)
        }).pipe(Effect.provideContext(vaults))

        // Before it has begun there is nothing that the owner could reach.
        yield* steps.records(ada)
        yield* steps.profile(ada)
        assert.lengthOf(yield* customer`SELECT 1 FROM verifications`.pipe(asAda), 1)

        yield* owner`UPDATE erasures SET started_at = now()`
        for (const system of systems) {
          if (system === "stripe") {
            yield* owner.withTransaction(
              Effect.andThen(
                owner`SELECT set_config('app.org_id', 'acme', true), set_config('app.customer_id', 'ada', true)`,
                owner`UPDATE customers SET erased_at = now() - interval '1 minute' WHERE id = 'ada'`
              )
            )
          }
          yield* steps[system](ada)
        }

        assert.deepEqual(removed, ["a-file"])
        for (const table of ["verifications", "files", "file_leftovers", "payment_customers", "customer_changes"]) {
          assert.deepEqual(yield* customer`SELECT 1 FROM ${customer(table)}`.pipe(asAda), [], table)
        }
        assert.deepEqual(yield* customer`SELECT 1 FROM idempotency_keys`.pipe(asAda), [])
        assert.deepEqual(
          yield* platform`SELECT id, shipping_address IS NULL AS bare FROM orders ORDER BY id`.pipe(asAcme),
          [
            { id: "ada", bare: true },
            { id: "eve", bare: false }
          ]
        )
        // Whatever comes later, by whichever way, finds nobody.
        for (const late of [
          customer`INSERT INTO wishlist_items (org_id, customer_id, product_id, price_when_added, currency_when_added)
            VALUES (${acme}, 'ada', 'x', 1, 'USD')`.pipe(asAda),
          platform`UPDATE orders SET shipping_address = '{"name": "Ada"}' WHERE id = 'ada'`.pipe(asAcme)
        ]) {
          assert.match(yield* failureOf(late), /the customer is erased/)
        }
        yield* platform`UPDATE orders SET status = 'shipped' WHERE id = 'eve'`.pipe(asAcme)
      })
    )
  })
})

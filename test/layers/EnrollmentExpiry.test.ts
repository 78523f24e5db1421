import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import { Deliveries } from "../../src/services/Deliveries.ts"
import { DeliveryQueue } from "../../src/services/DeliveryQueue.ts"
import { EnrollmentExpiry } from "../../src/services/EnrollmentExpiry.ts"
import { Notices } from "../../src/services/Notices.ts"
import { layer as channels } from "../support/Channels.ts"
import { missing } from "../support/Cluster.ts"
import * as Replicas from "../support/Replicas.ts"
import { acme, asAcme, asAda, populated } from "../support/Replicas.ts"

if (missing !== undefined) console.warn(`EnrollmentExpiry.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("The sweeper of enrollments", () => {
  layer(Replicas.layer, { excludeTestServices: true })((it) => {
    it.effect("finds what is over also as an owner that is no superuser, who can do nothing to it", () =>
      Effect.gen(function* () {
        const { customer, owner, platform } = yield* populated("expiry")
        yield* platform`
          INSERT INTO benefits (org_id, id, name, title, requires_approval, perks, active)
          VALUES (${acme}, 'over', 'x', 'x', false, '{}', true), (${acme}, 'new', 'x', 'x', false, '{}', true),
            (${acme}, 'waits', 'x', 'x', true, '{}', true)`.pipe(asAcme)
        yield* customer`
          INSERT INTO enrollments (org_id, id, customer_id, benefit_id, number, status, submitted_at, expires_at)
          VALUES (${acme}, 'over', 'ada', 'over', '1', 'active', now(), now() - interval '1 minute'),
            (${acme}, 'new', 'ada', 'new', '2', 'active', now(), now() + interval '1 minute'),
            (${acme}, 'waits', 'ada', 'waits', '3', 'pending', now(), NULL)`.pipe(asAda)

        const swept = yield* EnrollmentExpiry.use(({ sweep }) => sweep).pipe(
          Effect.provide(
            EnrollmentExpiry.layer.pipe(
              Layer.provide(Notices.layer),
              Layer.provide(Deliveries.layer),
              Layer.provide([DeliveryQueue.layer, channels])
            )
          ),
          Effect.provideService(SqlClient.SqlClient, owner),
          Effect.provideService(PlatformSql, platform),
          Effect.provideService(CustomerSql, customer)
        )

        assert.strictEqual(swept, 1)
        assert.deepEqual(yield* platform`SELECT id, status FROM enrollments ORDER BY number`.pipe(asAcme), [
          { id: "over", status: "expired" },
          { id: "new", status: "active" },
          { id: "waits", status: "pending" }
        ])
        assert.deepEqual(yield* customer`SELECT enrollment_id, status, by FROM enrollment_steps`.pipe(asAda), [
          { enrollmentId: "over", status: "expired", by: "system" }
        ])
        assert.deepEqual(yield* customer`SELECT type, title FROM notifications`.pipe(asAda), [
          { type: "benefit", title: "x: expired" }
        ])
        assert.deepEqual(yield* owner`UPDATE enrollments SET status = 'expired' RETURNING id`, [])
        assert.deepEqual(yield* owner`SELECT id FROM enrollments WHERE status = 'pending'`, [])
      })
    )
  })
})

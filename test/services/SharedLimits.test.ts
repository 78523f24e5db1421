import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { SqlClient } from "effect/sql"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import { type SharedLimit, SharedLimits } from "../../src/services/SharedLimits.ts"
import { as, asPlatform, people } from "../support/People.ts"
import * as TestServices from "../support/TestServices.ts"

const use = (limit: SharedLimit) => SharedLimits.use((limits) => limits.use(limit))

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A limit that replicas share", () => {
    it.effect("lets exactly as many through as it says, however many come at once, and says when to come again", () =>
      Effect.gen(function* () {
        const { acme } = yield* people
        const limit = { orgId: acme, name: "codes", key: "ada", limit: 7, seconds: 60 }

        const all = yield* Effect.all(
          Array.from({ length: 50 }, () => Effect.exit(use(limit))),
          { concurrency: "unbounded" }
        )
        const refused = yield* Effect.flip(use(limit))

        assert.strictEqual(all.filter(Exit.isSuccess).length, 7)
        assert.strictEqual(refused._tag, "RateLimited")
        assert.isTrue(refused.retryAfter >= 1 && refused.retryAfter <= 60)
      })
    )

    it.effect("counts each org, name and key apart", () =>
      Effect.gen(function* () {
        const { acme, other } = yield* people
        const limit = { orgId: acme, name: "codes", key: "ada", limit: 1, seconds: 60 }
        yield* use(limit)

        const others = yield* Effect.all([
          use({ ...limit, orgId: other }),
          use({ ...limit, name: "places" }),
          use({ ...limit, key: "eve" })
        ])

        assert.deepStrictEqual(others, [{ remaining: 0 }, { remaining: 0 }, { remaining: 0 }])
        assert.strictEqual((yield* Effect.flip(use(limit)))._tag, "RateLimited")
      })
    )

    it.effect("begins anew when its window is over", () =>
      Effect.gen(function* () {
        const { acme } = yield* people
        const sql = yield* SqlClient.SqlClient
        const limit = { orgId: acme, name: "codes", key: "ada", limit: 2, seconds: 60 }
        yield* use(limit)
        yield* use(limit)

        yield* sql`UPDATE shared_limits SET ends_at = now() - interval '1 second' WHERE org_id = ${acme}`
        const fresh = yield* use(limit)

        assert.deepStrictEqual(fresh, { remaining: 1 })
      })
    )

    it.effect("is out of reach for customers and platforms", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* use({ orgId: acme, name: "codes", key: "ada", limit: 1, seconds: 60 })

        const tried = [
          yield* CustomerSql.use((sql) => Effect.exit(sql`DELETE FROM shared_limits`)).pipe(as(ada)),
          yield* PlatformSql.use((sql) => Effect.exit(sql`DELETE FROM shared_limits`)).pipe(asPlatform(acme))
        ]

        assert.deepStrictEqual(tried.map(Exit.isFailure), [true, true])
      })
    )
  })
})

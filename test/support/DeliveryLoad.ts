import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { CurrentPlatform } from "../../src/domain/CurrentPlatform.ts"
import { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import { PlatformSql } from "../../src/services/Database.ts"
import { Deliveries } from "../../src/services/Deliveries.ts"

const acme = OrgId.make("acme")
const ada = CustomerId.make("ada")

/** Somebody to write to. */
const populate = Effect.gen(function* () {
  const owner = yield* SqlClient.SqlClient
  const platform = yield* PlatformSql
  yield* owner`INSERT INTO orgs (id, name) VALUES (${acme}, 'Acme') ON CONFLICT DO NOTHING`
  yield* platform`INSERT INTO customers (org_id, id) VALUES (${acme}, ${ada}) ON CONFLICT DO NOTHING`
})

/** Records so many messages, each in a transaction of its own, and one more of each ten, which is rolled back. */
export const recordSome = Effect.fnUntraced(
  function* (count: number, recorded: (id: string) => void) {
    const sql = yield* PlatformSql
    const deliveries = yield* Deliveries
    yield* populate
    const record = deliveries.record([
      {
        customerId: ada,
        notificationId: null,
        message: {
          channel: "email",
          to: "ada@acme.example",
          language: "en",
          subject: "Hello",
          text: "Hello",
          html: "<p>Hello</p>"
        }
      }
    ])
    yield* Effect.forEach(
      Array.from({ length: count }, (_, n) => n),
      (n) =>
        Effect.gen(function* () {
          const [id] = yield* sql.withTransaction(record)
          recorded(id!)
          if (n % 10 === 0) yield* Effect.exit(sql.withTransaction(Effect.andThen(record, Effect.fail("no"))))
        }),
      { concurrency: 4, discard: true }
    )
  },
  Effect.provideService(CurrentPlatform, { orgId: acme })
)

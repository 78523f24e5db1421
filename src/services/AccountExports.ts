import { Clock, Context, Effect, Layer, Schema, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { AccountExport, ExportNotFound } from "../domain/AccountExport.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import type { CustomerId, OrgId } from "../domain/Ids.ts"
import { Accounts } from "./Accounts.ts"
import { CustomerSql, transaction } from "./Database.ts"
import { FileUploads, type Received } from "./FileUploads.ts"
import { Notices } from "./Notices.ts"

const mostAttempts = 5

const columns = "id, status, requested_at, finished_at, path, size"

/** Hands customers all that is theirs, as a file among their own files: what `Accounts` tells, written in the background. */
export class AccountExports extends Context.Service<
  AccountExports,
  {
    /** One at a time: while one is under way, that one. */
    readonly request: Effect.Effect<AccountExport, never, CurrentCustomer>
    readonly get: (id: string) => Effect.Effect<AccountExport, ExportNotFound, CurrentCustomer>
    /** Writes what is due, on any replica; answers how many files that were. */
    readonly writeDue: Effect.Effect<number>
    /** Does so for ever. */
    readonly work: Effect.Effect<never>
  }
>()("portico/services/AccountExports") {
  static readonly layer = Layer.effect(
    AccountExports,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const ownerSql = yield* SqlClient.SqlClient
      const accounts = yield* Accounts
      const uploads = yield* FileUploads
      const notices = yield* Notices
      const random = yield* SecureRandom.SecureRandom
      const decode = Schema.decodeUnknownEffect(AccountExport)
      const shown = sql.literal(columns)

      const request = Effect.gen(function* () {
        const { customerId, orgId } = yield* CurrentCustomer
        const id = yield* random.uuidV7()
        const [row] = yield* sql`
          INSERT INTO account_exports AS held (org_id, customer_id, id) VALUES (${orgId}, ${customerId}, ${id})
          ON CONFLICT (org_id, customer_id) WHERE status IN ('queued', 'running') DO UPDATE SET status = held.status
          RETURNING ${shown}`
        return yield* decode(row)
      }).pipe(Effect.orDie, Effect.withSpan("AccountExports.request"))

      const get = Effect.fn("AccountExports.get")(function* (id: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* Effect.orDie(sql`
          SELECT ${shown} FROM account_exports
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`)
        return row === undefined ? yield* new ExportNotFound() : yield* Effect.orDie(decode(row))
      })

      // Whoever dies over one is followed by another when its time is over. `attempts` tells the two apart.
      const claim = ownerSql<Claim>`
        UPDATE account_exports SET status = 'running', attempts = attempts + 1, due_at = now() + interval '10 minutes'
        WHERE (org_id, customer_id, id) IN (
          SELECT org_id, customer_id, id FROM account_exports
          WHERE status IN ('queued', 'running') AND due_at <= now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING org_id, customer_id, id, attempts`

      const finish = Effect.fnUntraced(function* ({ attempts, id }: Claim, received: Received) {
        const { customerId, orgId } = yield* CurrentCustomer
        const mine = yield* sql`
            SELECT 1 FROM account_exports
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
              AND status = 'running' AND attempts = ${attempts} FOR UPDATE`
        if (mine.length === 0) return
        for (const { path, size } of yield* uploads.keep([received], "exports")) {
          yield* sql`
              UPDATE account_exports SET status = 'ready', finished_at = now(), path = ${path}, size = ${size}
              WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
          yield* notices.confirm({
            customerId,
            template: "exportReady",
            facts: { path },
            data: { exportId: id, path },
            link: "/files"
          })
        }
      }, transaction(sql))

      const write = Effect.fnUntraced(function* (claimed: Claim) {
        const { json } = yield* accounts.read()
        const day = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10)
        const received = yield* uploads.compose(
          `account-${day}.json`,
          "application/json",
          Stream.encodeText(json ?? Stream.empty)
        )
        yield* finish(claimed, received)
      }, Effect.scoped)

      const putOff = ({ attempts, customerId, id, orgId }: Claim) =>
        Effect.orDie(ownerSql`
          UPDATE account_exports SET due_at = now() + make_interval(mins => (2 ^ ${attempts}::int)::int),
            status = CASE WHEN ${attempts}::int >= ${mostAttempts}::int THEN 'failed' ELSE 'queued' END,
            finished_at = CASE WHEN ${attempts}::int >= ${mostAttempts}::int THEN now() END
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id} AND attempts = ${attempts}
            AND status = 'running'`)

      const writeDue: Effect.Effect<number> = Effect.gen(function* () {
        const [claimed] = yield* Effect.orDie(claim)
        if (claimed === undefined) return 0
        const { customerId, orgId } = claimed
        yield* write(claimed).pipe(
          Effect.provideService(CurrentCustomer, { orgId, customerId }),
          Effect.catchCause((cause) =>
            Effect.andThen(Effect.logWarning("An account could not be exported", cause), putOff(claimed))
          ),
          Effect.annotateLogs({ org: orgId, customer: customerId })
        )
        return 1 + (yield* writeDue)
      })

      const work = writeDue.pipe(
        Effect.catchCause((cause) => Effect.logWarning("Exports cannot be written now", cause)),
        Effect.andThen(Effect.sleep("2 seconds")),
        Effect.forever
      )

      return AccountExports.of({ request, get, writeDue, work })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

interface Claim {
  readonly orgId: OrgId
  readonly customerId: CustomerId
  readonly id: string
  readonly attempts: number
}

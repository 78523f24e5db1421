import { Context, Effect, Layer, Schema } from "effect"
import type { SqlError } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { Customer, CustomerNotFound, type CustomerPush, UserInUse } from "../domain/Customer.ts"
import type { CustomerId } from "../domain/Ids.ts"
import { Profile, type ProfileChanges } from "../domain/Profile.ts"
import { type IfMatch, VersionMismatch, versionsLiteral } from "../domain/Version.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"

export const profileColumns = `id, email, name, phone, language, timezone, about, email_verified, phone_verified,
  version, created_at, updated_at`

export class Profiles extends Context.Service<
  Profiles,
  {
    readonly get: Effect.Effect<Profile, never, CurrentCustomer>
    /** Merges field by field; a changed phone is no longer verified. */
    readonly change: (
      changes: ProfileChanges,
      ifMatch?: typeof IfMatch.Type
    ) => Effect.Effect<Profile, VersionMismatch, CurrentCustomer>
    readonly find: (id: CustomerId) => Effect.Effect<Customer, CustomerNotFound, CurrentPlatform>
    /** Creates the customer or merges field by field; the same push again changes nothing. */
    readonly push: (
      id: CustomerId,
      customer: CustomerPush,
      ifMatch?: typeof IfMatch.Type
    ) => Effect.Effect<Customer, CustomerNotFound | UserInUse | VersionMismatch, CurrentPlatform>
  }
>()("portico/services/Profiles") {
  static readonly layer = Layer.effect(
    Profiles,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const columns = sql.literal(profileColumns)
      const decodeProfile = Schema.decodeUnknownEffect(Profile)
      const decodeCustomer = Schema.decodeUnknownEffect(Customer)

      const get = Effect.gen(function* () {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          SELECT ${columns}
          FROM customers WHERE org_id = ${orgId} AND id = ${customerId}`
        return yield* decodeProfile(row)
      }).pipe(Effect.orDie, Effect.withSpan("Profiles.get"))

      const change = Effect.fn("Profiles.change")(function* (changes: ProfileChanges, ifMatch?: typeof IfMatch.Type) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          UPDATE customers SET
            name = CASE WHEN changes ? 'name' THEN changes->>'name' ELSE name END,
            phone = CASE WHEN changes ? 'phone' THEN changes->>'phone' ELSE phone END,
            phone_verified = phone_verified AND (NOT changes ? 'phone' OR phone IS NOT DISTINCT FROM changes->>'phone'),
            language = CASE WHEN changes ? 'language' THEN changes->>'language' ELSE language END,
            timezone = CASE WHEN changes ? 'timezone' THEN changes->>'timezone' ELSE timezone END,
            about = CASE WHEN changes ? 'about' THEN changes->>'about' ELSE about END
          FROM (SELECT ${JSON.stringify(changes)}::text::jsonb AS changes) AS requested
          WHERE org_id = ${orgId} AND id = ${customerId}
            AND (${versionsLiteral(ifMatch)}::text IS NULL OR version = ANY (${versionsLiteral(ifMatch)}::text::int[]))
          RETURNING ${columns}`.pipe(Effect.orDie)
        if (row === undefined) return yield* new VersionMismatch()
        return yield* Effect.orDie(decodeProfile(row))
      })

      const find = Effect.fn("Profiles.find")(function* (id: CustomerId) {
        const { orgId } = yield* CurrentPlatform
        const [row] = yield* platformSql`
          SELECT user_id, ${columns}
          FROM customers WHERE org_id = ${orgId} AND id = ${id} AND erased_at IS NULL`.pipe(Effect.orDie)
        if (row === undefined) return yield* new CustomerNotFound()
        return yield* Effect.orDie(decodeCustomer(row))
      })

      const push = Effect.fn("Profiles.push")(function* (
        id: CustomerId,
        customer: CustomerPush,
        ifMatch?: typeof IfMatch.Type
      ) {
        const { orgId } = yield* CurrentPlatform
        if (ifMatch !== undefined) return yield* merge(orgId, id, customer, ifMatch)
        const [row] = yield* platformSql`
          INSERT INTO customers (
            org_id, id, user_id, email, email_verified, name, phone, phone_verified, language, timezone, about
          )
          SELECT ${orgId}, ${id}, pushed->>'userId', pushed->>'email',
            coalesce((pushed->>'emailVerified')::boolean, false), pushed->>'name', pushed->>'phone',
            coalesce((pushed->>'phoneVerified')::boolean, false), pushed->>'language', pushed->>'timezone', pushed->>'about'
          FROM (SELECT ${JSON.stringify(customer)}::text::jsonb AS pushed) AS request
          ON CONFLICT (org_id, id) DO NOTHING
          RETURNING user_id, ${columns}`.pipe(Effect.catchTag("SqlError", userInUse))
        return yield* row === undefined ? merge(orgId, id, customer) : Effect.orDie(decodeCustomer(row))
      })

      const merge = Effect.fnUntraced(function* (
        orgId: string,
        id: CustomerId,
        customer: CustomerPush,
        ifMatch?: typeof IfMatch.Type
      ) {
        const pushed = JSON.stringify(customer)
        const [row] = yield* platformSql`
          UPDATE customers SET
            user_id = CASE WHEN pushed ? 'userId' THEN pushed->>'userId' ELSE user_id END,
            email = CASE WHEN pushed ? 'email' THEN pushed->>'email' ELSE email END,
            email_verified = coalesce((pushed->>'emailVerified')::boolean,
              email_verified AND (NOT pushed ? 'email' OR email IS NOT DISTINCT FROM pushed->>'email')),
            name = CASE WHEN pushed ? 'name' THEN pushed->>'name' ELSE name END,
            phone = CASE WHEN pushed ? 'phone' THEN pushed->>'phone' ELSE phone END,
            phone_verified = coalesce((pushed->>'phoneVerified')::boolean,
              phone_verified AND (NOT pushed ? 'phone' OR phone IS NOT DISTINCT FROM pushed->>'phone')),
            language = CASE WHEN pushed ? 'language' THEN pushed->>'language' ELSE language END,
            timezone = CASE WHEN pushed ? 'timezone' THEN pushed->>'timezone' ELSE timezone END,
            about = CASE WHEN pushed ? 'about' THEN pushed->>'about' ELSE about END
          FROM (SELECT ${pushed}::text::jsonb AS pushed) AS request
          WHERE org_id = ${orgId} AND id = ${id} AND erased_at IS NULL
            AND (${versionsLiteral(ifMatch)}::text IS NULL OR version = ANY (${versionsLiteral(ifMatch)}::text::int[]))
          RETURNING user_id, ${columns}`.pipe(Effect.catchTag("SqlError", userInUse))
        if (row === undefined) {
          // No late push may fill an erased one in again.
          if (ifMatch === undefined) return yield* new CustomerNotFound()
          const erased = yield* platformSql`
            SELECT 1 FROM customers WHERE org_id = ${orgId} AND id = ${id} AND erased_at IS NOT NULL`.pipe(Effect.orDie)
          return yield* erased.length > 0 ? new CustomerNotFound() : new VersionMismatch()
        }
        return yield* Effect.orDie(decodeCustomer(row))
      })

      return Profiles.of({ get, change, find, push })
    })
  )
}

const userInUse = (error: SqlError.SqlError) =>
  error.reason._tag === "UniqueViolation" ? Effect.fail(new UserInUse()) : Effect.die(error)

import { Clock, Context, Effect, Layer } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { InvalidToken, NoCustomerRecord, OrgMismatch } from "../domain/Identity.ts"
import type { CustomerId } from "../domain/Ids.ts"
import type { TokenClaims } from "../domain/TokenClaims.ts"
import { CustomerSql, PlatformSql } from "./Database.ts"

/** How long an answer about who somebody is may be trusted without asking the database again, in milliseconds. */
const remembered = 5_000

export class Identities extends Context.Service<
  Identities,
  {
    /**
     * The customer that a verified token acts for. A customer's own row is made on first sight; a user acts on the row
     * that names it as owner, or on none.
     */
    readonly customerOf: (
      claims: TokenClaims
    ) => Effect.Effect<CurrentCustomer["Service"], InvalidToken | OrgMismatch | NoCustomerRecord>
  }
>()("portico/services/Identities") {
  static readonly layer = Layer.effect(
    Identities,
    Effect.gen(function* () {
      const customerSql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      // A verified token is one object until it expires, so what is known of it lives and dies with it.
      const known = new WeakMap<TokenClaims, { readonly current: CurrentCustomer["Service"]; readonly until: number }>()

      const ownRecord = Effect.fnUntraced(function* (claims: TokenClaims) {
        const current = CurrentCustomer.of({ orgId: claims.org, customerId: claims.sub as CustomerId })
        const { customerId, orgId } = current
        return yield* Effect.gen(function* () {
          const [found] = yield* customerSql<Found>`
            SELECT customers.id, customers.erased_at IS NOT NULL AS erased
            FROM orgs LEFT JOIN customers ON customers.org_id = orgs.id AND customers.id = ${customerId}
            WHERE orgs.id = ${orgId}`
          if (found === undefined) return yield* new OrgMismatch()
          if (found.erased) return yield* new InvalidToken()
          if (found.id === null) {
            yield* customerSql`
              INSERT INTO customers (org_id, id, email, email_verified, name, phone)
              VALUES (${orgId}, ${customerId}, ${claims.email ?? null}, ${claims.emailVerified === true},
                ${claims.name ?? null}, ${claims.phoneNumber ?? null})
              ON CONFLICT DO NOTHING`
          }
          return current
        }).pipe(Effect.provideService(CurrentCustomer, current), Effect.catchTag("SqlError", Effect.die))
      })

      const ownedRecord = Effect.fnUntraced(function* (claims: TokenClaims) {
        const orgId = claims.org
        const [found] = yield* platformSql<Found>`
          SELECT customers.id, customers.erased_at IS NOT NULL AS erased
          FROM orgs LEFT JOIN customers ON customers.org_id = orgs.id AND customers.user_id = ${claims.sub}
          WHERE orgs.id = ${orgId}`.pipe(
          Effect.provideService(CurrentPlatform, { orgId }),
          Effect.catchTag("SqlError", Effect.die)
        )
        if (found === undefined) return yield* new OrgMismatch()
        if (found.id === null || found.erased) return yield* new NoCustomerRecord()
        return CurrentCustomer.of({ orgId, customerId: found.id })
      })

      const lookUp = Effect.fn("Identities.customerOf")(function* (claims: TokenClaims) {
        const current = yield* claims.type === "customer" ? ownRecord(claims) : ownedRecord(claims)
        known.set(claims, { current, until: (yield* Clock.currentTimeMillis) + remembered })
        return current
      })

      return Identities.of({
        customerOf: (claims) =>
          Clock.clockWith((clock) => {
            const hit = known.get(claims)
            return hit !== undefined && hit.until > clock.currentTimeMillisUnsafe()
              ? Effect.succeed(hit.current)
              : lookUp(claims)
          })
      })
    })
  )
}

type Found = { readonly id: CustomerId | null; readonly erased: boolean }

import { Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import { CustomerNotFound } from "../domain/Customer.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { Money } from "../domain/Money.ts"
import { InsufficientFunds, WalletCurrencyMismatch, WalletEntry, type WalletEntryPush } from "../domain/Wallet.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"

export class Wallet extends Context.Service<
  Wallet,
  {
    /** What is in the wallet; null before its first entry. */
    readonly balance: Effect.Effect<Money | null, never, CurrentCustomer>
    /** Moves the balance, once for each reference; `added` is false when the reference was there already. */
    readonly push: (
      entry: WalletEntryPush
    ) => Effect.Effect<
      { readonly entry: WalletEntry; readonly added: boolean },
      CustomerNotFound | InsufficientFunds | InvalidRequest | WalletCurrencyMismatch,
      CurrentPlatform
    >
  }
>()("portico/services/Wallet") {
  static readonly layer = Layer.effect(
    Wallet,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const random = yield* SecureRandom.SecureRandom
      const decode = Schema.decodeUnknownEffect(WalletEntry)

      const columns = sql.literal(`
        id, customer_id, reference, description, created_at,
        jsonb_build_object('amount', amount, 'currency', currency) AS amount,
        jsonb_build_object('amount', balance, 'currency', currency) AS balance`)

      const openWallet = (orgId: string, { amount, customerId }: WalletEntryPush) => platformSql`
        INSERT INTO wallets (org_id, customer_id, currency, balance)
        SELECT org_id, id, ${amount.currency}, 0 FROM customers
        WHERE org_id = ${orgId} AND id = ${customerId} AND erased_at IS NULL
        ON CONFLICT DO NOTHING`

      // The wallet's lock comes first: whoever holds it sees every entry made before.
      const lockWallet = (orgId: string, customerId: string) => platformSql<{ readonly currency: string }>`
        SELECT currency FROM wallets WHERE org_id = ${orgId} AND customer_id = ${customerId} FOR UPDATE`

      const selectEntry = (orgId: string, { customerId, reference }: WalletEntryPush) => platformSql`
        SELECT ${columns} FROM wallet_entries
        WHERE org_id = ${orgId} AND customer_id = ${customerId} AND reference = ${reference}`

      const insertEntry = (
        orgId: string,
        id: string,
        { amount, customerId, description, reference }: WalletEntryPush
      ) => platformSql`
        WITH moved AS (
          UPDATE wallets SET balance = balance + ${amount.amount}::bigint
          WHERE org_id = ${orgId} AND customer_id = ${customerId}
            AND balance + ${amount.amount}::bigint BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}::bigint
          RETURNING balance
        )
        INSERT INTO wallet_entries (org_id, customer_id, reference, id, amount, balance, currency, description)
        SELECT ${orgId}, ${customerId}, ${reference}, ${id}, ${amount.amount}::bigint, balance,
          ${amount.currency}, ${description ?? null}
        FROM moved
        RETURNING ${columns}`

      const balance = Effect.gen(function* () {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql<{ readonly balance: unknown }>`
          SELECT jsonb_build_object('amount', balance, 'currency', currency) AS balance
          FROM wallets WHERE org_id = ${orgId} AND customer_id = ${customerId}`
        return row === undefined ? null : yield* Schema.decodeUnknownEffect(Money)(row.balance)
      }).pipe(Effect.orDie, Effect.withSpan("Wallet.balance"))

      const push = Effect.fn("Wallet.push")(function* (entry: WalletEntryPush) {
        const { orgId } = yield* CurrentPlatform
        return yield* Effect.gen(function* () {
          yield* openWallet(orgId, entry)
          const [wallet] = yield* lockWallet(orgId, entry.customerId)
          if (wallet === undefined) return yield* new CustomerNotFound()
          const [held] = yield* selectEntry(orgId, entry)
          if (held !== undefined) return { entry: yield* decode(held), added: false }
          if (wallet.currency !== entry.amount.currency) return yield* new WalletCurrencyMismatch()
          const [row] = yield* insertEntry(orgId, yield* random.uuidV7(), entry)
          if (row === undefined) return yield* entry.amount.amount > 0 ? tooMuch : new InsufficientFunds()
          return { entry: yield* decode(row), added: true }
        }).pipe(transaction(platformSql), Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      return Wallet.of({ balance, push })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

const tooMuch = new InvalidRequest({
  errors: [{ pointer: "/body/amount/amount", message: "Expected no more than fits into the wallet" }]
})

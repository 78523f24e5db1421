import { Effect, Layer, Schema } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { createHash, randomUUID } from "node:crypto"
import { ProviderError } from "../domain/Integration.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import { CardDeclined, PaymentMethodInUse, PaymentMethodNotFound } from "../domain/PaymentMethod.ts"
import { type Card, CardVault, VaultGone, type VaultOwner } from "../services/CardVault.ts"
import { operations, Refused } from "./ProviderCalls.ts"
import * as StripeCalls from "./StripeCalls.ts"
import { send } from "./StripeCalls.ts"

// What we use of Stripe's answers, checked: https://docs.stripe.com/api/payment_methods/object
const Method = Schema.Struct({
  id: Schema.NonEmptyString,
  type: Schema.String,
  customer: Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.String, Schema.Struct({ id: Schema.String })]))),
  card: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        brand: Schema.String,
        last4: Schema.String.check(Schema.isPattern(/^\d{4}$/u)),
        exp_month: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 })),
        exp_year: Schema.Int.check(Schema.isBetween({ minimum: 2000, maximum: 9999 }))
      })
    )
  )
})
const Customer = Schema.Struct({
  id: Schema.NonEmptyString,
  deleted: Schema.optionalKey(Schema.Boolean),
  invoice_settings: Schema.optionalKey(Schema.Struct({ default_payment_method: Schema.NullOr(Schema.String) }))
})
const SetupIntent = Schema.Struct({ client_secret: Schema.NonEmptyString })

/** Cards at Stripe, by its own SDK. */
export const layer = (options: StripeCalls.Options) =>
  Layer.effect(
    CardVault,
    Effect.gen(function* () {
      const stripe = yield* StripeCalls.connect(options)
      const operation = yield* operations("Stripe")

      const open = (owner: VaultOwner) =>
        send(Customer, () =>
          stripe.customers.create(
            {
              ...(owner.email === null ? {} : { email: owner.email }),
              metadata: { org_id: owner.orgId, customer_id: owner.customerId }
            },
            { idempotencyKey: keyOf(owner) }
          )
        ).pipe(
          Effect.map(({ id }) => id),
          (made) => operation("open", made)
        )

      const retrieve = (cardId: string) => send(Method, () => stripe.paymentMethods.retrieve(cardId))

      const attachFree = Effect.fnUntraced(function* (vaultId: string, cardId: string) {
        const idempotencyKey = randomUUID()
        const attached = yield* send(Method, () =>
          stripe.paymentMethods.attach(cardId, { customer: vaultId }, { idempotencyKey })
        )
        return ownerOf(attached) === vaultId ? attached : yield* new ProviderError()
      })

      const attach = (vaultId: string, cardId: string) =>
        Effect.gen(function* () {
          const before = yield* retrieve(cardId)
          if (before.type !== "card") return yield* notACard
          const owner = ownerOf(before)
          if (owner === vaultId) return yield* cardOf(before)
          if (owner !== null) return yield* new PaymentMethodInUse()
          const attached = yield* attachFree(vaultId, cardId).pipe(
            Effect.catchTag("ProviderRefused", (refused) => {
              if (refused.declined || refused.missing) return refused
              // Stripe has no code for "attached meanwhile" and "used up": whose it is now says which.
              return Effect.filterOrFail(
                retrieve(cardId),
                (now) => ownerOf(now) === vaultId,
                (now) => (ownerOf(now) === null ? new PaymentMethodNotFound() : new PaymentMethodInUse())
              )
            })
          )
          return yield* cardOf(attached)
        }).pipe(
          Effect.mapError((error) => {
            if (!(error instanceof Refused)) return error
            if (error.declined) return declined(error)
            if (!error.missing) return error
            return error.about === "customer" ? new VaultGone() : new PaymentMethodNotFound()
          }),
          (asked) => operation("attach", asked)
        )

      const detach = (vaultId: string, cardId: string) =>
        Effect.gen(function* () {
          // Stripe would take anybody's card away from them.
          if (ownerOf(yield* retrieve(cardId)) !== vaultId) return
          const idempotencyKey = randomUUID()
          yield* send(Method, () => stripe.paymentMethods.detach(cardId, {}, { idempotencyKey })).pipe(
            Effect.catchTag("ProviderRefused", (refused) =>
              Effect.flatMap(retrieve(cardId), (now) => (ownerOf(now) === vaultId ? Effect.fail(refused) : Effect.void))
            )
          )
        }).pipe(
          Effect.catchIf(isMissing, () => Effect.void),
          (asked) => operation("detach", asked)
        )

      const list = (vaultId: string) =>
        send(Schema.Array(Method), () =>
          stripe.customers.listPaymentMethods(vaultId, { type: "card", limit: 100 }).autoPagingToArray({ limit: 1000 })
        ).pipe(
          Effect.flatMap(Effect.forEach(cardOf)),
          Effect.catchIf(isMissing, () => new VaultGone()),
          (asked) => operation("list", asked)
        )

      const defaultOf = (vaultId: string) =>
        send(Customer, () => stripe.customers.retrieve(vaultId)).pipe(
          Effect.flatMap(({ deleted, invoice_settings }) =>
            deleted === true ? new VaultGone() : Effect.succeed(invoice_settings?.default_payment_method ?? null)
          ),
          Effect.catchIf(isMissing, () => new VaultGone()),
          (asked) => operation("defaultOf", asked)
        )

      const setDefault = (vaultId: string, cardId: string | null) => {
        const idempotencyKey = randomUUID()
        return send(Customer, () =>
          stripe.customers.update(
            vaultId,
            { invoice_settings: { default_payment_method: cardId ?? "" } },
            { idempotencyKey }
          )
        ).pipe(
          Effect.asVoid,
          Effect.mapError((error) => {
            if (!isMissing(error)) return error
            return error.about.includes("default_payment_method") ? new PaymentMethodNotFound() : new VaultGone()
          }),
          (asked) => operation("setDefault", asked)
        )
      }

      const setup = (vaultId: string) => {
        const idempotencyKey = randomUUID()
        return send(SetupIntent, () =>
          stripe.setupIntents.create(
            // Without redirects it is cards only, and the browser needs no address to come back to.
            {
              customer: vaultId,
              usage: "off_session",
              automatic_payment_methods: { enabled: true, allow_redirects: "never" }
            },
            { idempotencyKey }
          )
        ).pipe(
          Effect.map(({ client_secret }) => client_secret),
          Effect.catchIf(isMissing, () => new VaultGone()),
          (asked) => operation("setup", asked)
        )
      }

      const forget = (vaultId: string) =>
        send(Customer, () => stripe.customers.del(vaultId)).pipe(
          Effect.asVoid,
          Effect.catchIf(isMissing, () => Effect.void),
          (asked) => operation("forget", asked)
        )

      return CardVault.of({
        open,
        attach,
        detach,
        list,
        defaultOf,
        setDefault,
        setup,
        forget,
        learn: () => Effect.void
      })
    })
  ).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))

// Keys are bound to the request's body, so a customer whose address has changed meanwhile needs another one.
const keyOf = ({ customerId, email, gone, orgId }: VaultOwner) =>
  `portico-${createHash("sha256")
    .update(JSON.stringify([orgId, customerId, email, gone]))
    .digest("hex")}`

const ownerOf = ({ customer = null }: typeof Method.Type) =>
  typeof customer === "string" || customer === null ? customer : customer.id

const cardOf = ({ card, id }: typeof Method.Type): Effect.Effect<Card, ProviderError> =>
  card === undefined || card === null
    ? Effect.fail(new ProviderError())
    : Effect.succeed({ id, brand: card.brand, last4: card.last4, expMonth: card.exp_month, expYear: card.exp_year })

const notACard = new InvalidRequest({
  errors: [{ pointer: "/body/paymentMethodId", message: "Expected the id of a card" }]
})

const declined = ({ sentence }: Refused) =>
  sentence === "" ? new CardDeclined() : new CardDeclined({ detail: sentence })

const isMissing = (error: unknown): error is Refused => error instanceof Refused && error.missing

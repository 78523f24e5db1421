import { Effect, Layer, Schema } from "effect"
import { HttpClientRequest } from "effect/http"
import { CircuitBreaker } from "effect/persistence"
import { createHash, randomUUID } from "node:crypto"
import { ProviderError } from "../domain/Integration.ts"
import { ApprovalRequired, PaymentMethodInUse, PaymentMethodNotFound } from "../domain/PaymentMethod.ts"
import { VaultGone } from "../services/CardVault.ts"
import { type PayPalAccount, PayPalVault } from "../services/PayPalVault.ts"
import * as PayPalCalls from "./PayPalCalls.ts"
import { operations, Refused } from "./ProviderCalls.ts"

const Customer = Schema.Struct({ id: Schema.NonEmptyString })
const SetupToken = Schema.Struct({
  id: Schema.NonEmptyString,
  status: Schema.String,
  customer: Customer,
  links: Schema.optionalKey(Schema.Array(Schema.Struct({ rel: Schema.String, href: Schema.String })))
})
const PaymentToken = Schema.Struct({
  id: Schema.NonEmptyString,
  customer: Customer,
  payment_source: Schema.Struct({
    paypal: Schema.optionalKey(Schema.Struct({ email_address: Schema.optionalKey(Schema.String) }))
  })
})
const TokenPage = Schema.Struct({
  payment_tokens: Schema.optionalKey(Schema.Array(PaymentToken)),
  total_pages: Schema.optionalKey(Schema.Int)
})

/** PayPal, by its Payment Method Tokens API: https://developer.paypal.com/api/payment-tokens/v3 */
export const layer = ({ returnUrl, ...options }: PayPalCalls.Options & { readonly returnUrl: string }) =>
  Layer.effect(
    PayPalVault,
    Effect.gen(function* () {
      const send = yield* PayPalCalls.make(options)
      const operation = yield* operations("PayPal")
      const at = (...path: ReadonlyArray<string>) => `/v3/vault/${path.map(encodeURIComponent).join("/")}`

      const setup: PayPalVault["Service"]["setup"] = ({ customerId, vaultId }) =>
        Effect.gen(function* () {
          // A vault of local mode's stand-in.
          if (vaultId?.startsWith("local") === true) return yield* new VaultGone()
          const { customer, id, links } = yield* send(
            SetupToken,
            HttpClientRequest.post(at("setup-tokens")).pipe(
              HttpClientRequest.setHeader("paypal-request-id", randomUUID()),
              HttpClientRequest.bodyJsonUnsafe({
                payment_source: {
                  paypal: {
                    usage_type: "MERCHANT",
                    experience_context: {
                      return_url: returnUrl,
                      cancel_url: returnUrl,
                      shipping_preference: "NO_SHIPPING"
                    }
                  }
                },
                customer: { ...(vaultId === null ? {} : { id: vaultId }), ...merchantCustomer(customerId) }
              })
            )
          )
          const approvalUrl = links?.find(({ rel }) => rel === "approve")?.href
          if (approvalUrl === undefined) return yield* new ProviderError()
          return { setupToken: id, approvalUrl, vaultId: customer.id }
        }).pipe((asked) => operation("setup", asked))

      const vaultOf = (setupToken: string) =>
        send(SetupToken, HttpClientRequest.get(at("setup-tokens", setupToken))).pipe(
          Effect.map(({ customer }) => customer.id),
          Effect.catchIf(isMissing, () => new PaymentMethodNotFound()),
          (asked) => operation("vaultOf", asked)
        )

      const redeem = (vaultId: string, setupToken: string) =>
        send(
          PaymentToken,
          HttpClientRequest.post(at("payment-tokens")).pipe(
            // The same for the same approval: for three hours PayPal answers its repeats with the same account.
            HttpClientRequest.setHeader("paypal-request-id", digestOf(`${vaultId} ${setupToken}`)),
            HttpClientRequest.bodyJsonUnsafe({ payment_source: { token: { id: setupToken, type: "SETUP_TOKEN" } } })
          )
        ).pipe(
          Effect.mapError((error) => {
            if (!(error instanceof Refused)) return error
            if (error.missing) return new PaymentMethodNotFound()
            if (error.about === "PAYER_ACTION_REQUIRED") return new ApprovalRequired()
            return error.about === "SETUP_TOKEN_ALREADY_TOKENIZED" ? new PaymentMethodInUse() : error
          }),
          Effect.filterOrFail(
            ({ customer }) => customer.id === vaultId,
            () => new ProviderError()
          ),
          Effect.map(accountOf),
          (asked) => operation("redeem", asked)
        )

      const page = (vaultId: string, page: number) =>
        send(
          TokenPage,
          HttpClientRequest.get(at("payment-tokens"), {
            urlParams: { customer_id: vaultId, page_size: 5, page, total_required: true }
          })
        )

      const list = (vaultId: string) =>
        Effect.gen(function* () {
          if (vaultId.startsWith("local")) return yield* new VaultGone()
          const first = yield* page(vaultId, 1)
          const others = Array.from({ length: Math.max(0, (first.total_pages ?? 1) - 1) }, (_, index) => index + 2)
          const rest = yield* Effect.forEach(others, (number) => page(vaultId, number), { concurrency: 3 })
          return [first, ...rest].flatMap(({ payment_tokens = [] }) => payment_tokens.map(accountOf))
        }).pipe(
          Effect.catchIf(isMissing, () => new VaultGone()),
          (asked) => operation("list", asked)
        )

      const remove = (vaultId: string, accountId: string) =>
        Effect.gen(function* () {
          const { customer } = yield* send(PaymentToken, HttpClientRequest.get(at("payment-tokens", accountId)))
          // PayPal would delete anybody's.
          if (customer.id !== vaultId) return
          yield* send(Schema.Unknown, HttpClientRequest.delete(at("payment-tokens", accountId)))
        }).pipe(
          Effect.catchIf(isMissing, () => Effect.void),
          (asked) => operation("remove", asked)
        )

      // PayPal has no request that deletes its customer: without accounts nothing of them is left but an id.
      const forget = (vaultId: string) =>
        list(vaultId).pipe(
          Effect.flatMap(Effect.forEach(({ id }) => remove(vaultId, id), { discard: true })),
          Effect.catchTag("VaultGone", () => Effect.void)
        )

      return PayPalVault.of({ setup, vaultOf, redeem, list, remove, forget })
    })
  ).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))

const accountOf = ({ id, payment_source }: typeof PaymentToken.Type): PayPalAccount => ({
  id,
  email: payment_source.paypal?.email_address ?? null
})

/** What the merchant calls the customer, where PayPal can write it. */
const merchantCustomer = (customerId: string) =>
  /^[A-Za-z0-9_.-]{1,64}$/.test(customerId) ? { merchant_customer_id: customerId } : {}

const digestOf = (text: string) => createHash("sha256").update(text).digest("hex")

const isMissing = (error: unknown): error is Refused => error instanceof Refused && error.missing

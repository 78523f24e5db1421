import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { InvalidRequest } from "../../domain/InvalidRequest.ts"
import { IntegrationNotConfigured, ProviderError, ProviderUnavailable } from "../../domain/Integration.ts"
import {
  ApprovalRequired,
  CardDeclined,
  PaymentMethod,
  PaymentMethodAddition,
  PaymentMethodId,
  PaymentMethodInUse,
  PaymentMethodNotFound,
  PaymentMethodsPage,
  PaymentMethodsQuery,
  PaymentSetup,
  PaymentSetupRequest
} from "../../domain/PaymentMethod.ts"
import { RateLimited } from "../../domain/RateLimited.ts"
import { CardNumbers } from "../CardNumbers.ts"
import { CallsOut, IdempotencyKeys } from "../IdempotencyKeys.ts"
import { Guarded } from "../RateLimits.ts"
import { createdOf, writeHeaders } from "../Records.ts"
import { Validation } from "../Validation.ts"

const params = { paymentMethodId: PaymentMethodId }
const providerFailures = [IntegrationNotConfigured, ProviderError, ProviderUnavailable] as const

export class PaymentMethodsApi extends HttpApiGroup.make("paymentMethods")
  .add(
    HttpApiEndpoint.get("list", "/", { query: PaymentMethodsQuery, success: PaymentMethodsPage }).annotate(
      OpenApi.Summary,
      "List the payment methods"
    ),
    HttpApiEndpoint.post("add", "/", {
      headers: writeHeaders,
      // A browser's fetch() calls a string text/plain, and portals do not always say otherwise.
      // A union of one, because the document knows a schema of this name already.
      payload: [
        PaymentMethodAddition,
        Schema.Union([PaymentMethodAddition]).pipe(HttpApiSchema.asJson({ contentType: "text/plain" }))
      ],
      success: [createdOf(PaymentMethod), PaymentMethod],
      error: [
        InvalidRequest,
        CardDeclined,
        PaymentMethodNotFound,
        PaymentMethodInUse,
        ApprovalRequired,
        RateLimited,
        ...providerFailures
      ]
    })
      .annotate(CallsOut, true)
      .annotateMerge(
        OpenApi.annotations({
          summary: "Add a card or a PayPal account",
          description: "201 when it is new, 200 when it was there already. The first one becomes default."
        })
      ),
    HttpApiEndpoint.post("setup", "/setup", {
      headers: writeHeaders,
      payload: PaymentSetupRequest,
      success: PaymentSetup,
      error: providerFailures
    })
      .annotate(OpenApi.Summary, "Begin to authenticate a card or approve a PayPal account")
      .annotate(CallsOut, true)
      .annotate(Guarded, { name: "payment-setups", limit: 60, seconds: 3600 }),
    HttpApiEndpoint.delete("remove", "/:paymentMethodId", {
      params,
      headers: writeHeaders,
      success: HttpApiSchema.NoContent,
      error: [PaymentMethodNotFound, ...providerFailures]
    })
      .annotate(OpenApi.Summary, "Remove a payment method")
      .annotate(CallsOut, true),
    HttpApiEndpoint.put("setDefault", "/:paymentMethodId/default", {
      params,
      headers: writeHeaders,
      success: PaymentMethod,
      error: [PaymentMethodNotFound, ...providerFailures]
    })
      .annotate(OpenApi.Summary, "Make a payment method the default")
      .annotate(CallsOut, true)
  )
  .prefix("/payment-methods")
  // All of the API has the first two; named here so that the third comes after them, which is to say runs before.
  .middleware(Validation)
  .middleware(IdempotencyKeys)
  .middleware(CardNumbers)
  .annotateMerge(
    OpenApi.annotations({ title: "Payment methods", description: "Cards at Stripe and PayPal accounts, by reference." })
  ) {}

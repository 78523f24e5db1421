import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { InvalidSignature, StripeEventReceived } from "../../domain/StripeEvent.ts"
import { Text } from "../../domain/Text.ts"

export class StripeEventsApi extends HttpApiGroup.make("stripeEvents")
  .add(
    HttpApiEndpoint.post("receive", "/stripe/:orgId", {
      params: { orgId: Text(1, 128, "The org's id") },
      success: StripeEventReceived,
      error: InvalidSignature
    }).annotate(OpenApi.Summary, "Take in an event of Stripe's")
  )
  .prefix("/webhooks")
  .annotateMerge(
    OpenApi.annotations({
      title: "Webhooks: Stripe",
      description: "What Stripe reports, signed with the endpoint's secret in Stripe-Signature."
    })
  ) {}

import { Schema } from "effect"
import { Problem } from "./Problem.ts"

/** The operator has switched this provider off, or not set it up. */
export class IntegrationNotConfigured extends Problem<IntegrationNotConfigured>()("IntegrationNotConfigured", {
  code: "integration_not_configured",
  status: 503,
  title: "Not set up",
  detail: "This needs an outside service that is not set up here."
}) {}

/** The provider answered, and not as it should: trying again will hardly help. */
export class ProviderError extends Problem<ProviderError>()("ProviderError", {
  code: "provider_error",
  status: 502,
  title: "An outside service failed",
  detail: "An outside service failed to do its part; nothing was changed."
}) {}

/** The provider is slow, throttling or down: trying again later may help. */
export class ProviderUnavailable extends Problem<ProviderUnavailable>()(
  "ProviderUnavailable",
  {
    code: "provider_unavailable",
    status: 503,
    title: "An outside service is not available",
    detail: "An outside service does not answer now; try again shortly."
  },
  { retryAfter: Schema.Int.annotate({ description: "Seconds, as the Retry-After header says" }) }
) {}

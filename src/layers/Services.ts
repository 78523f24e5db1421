import { Layer } from "effect"
import { ApiKeys } from "../services/ApiKeys.ts"
import { Idempotency } from "../services/Idempotency.ts"
import { Identities } from "../services/Identities.ts"
import { Orders } from "../services/Orders.ts"
import { Profiles } from "../services/Profiles.ts"
import { SharedLimits } from "../services/SharedLimits.ts"

/** What we can do. */
export const Services = Layer.mergeAll(
  ApiKeys.layer,
  Idempotency.layer,
  Identities.layer,
  Orders.layer,
  Profiles.layer,
  SharedLimits.layer
)

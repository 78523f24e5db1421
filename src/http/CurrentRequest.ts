import { Context } from "effect"

/** What becomes known of a request on its way in: its answer's headers and its log line are written from it. */
export interface RequestFacts {
  readonly id: string
  readonly path: string
  route: string | undefined
  orgId: string | undefined
  customerId: string | undefined
  /** In milliseconds. */
  tokenExpiresAt: number | undefined
  rateLimit: { readonly policy: string; readonly state: string } | undefined
  /** Called once when the answer has begun, or nobody waits for it any more. */
  ended: (() => void) | undefined
}

export const facts = (id: string, path: string): RequestFacts => ({
  id,
  path,
  route: undefined,
  orgId: undefined,
  customerId: undefined,
  tokenExpiresAt: undefined,
  rateLimit: undefined,
  ended: undefined
})

/** The edge sets it for each request; a reference, because middleware of the API may run without an edge in tests. */
export const CurrentRequest = Context.Reference<RequestFacts>("portico/http/CurrentRequest", {
  defaultValue: () => facts("none", "/")
})

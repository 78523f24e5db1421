import { Context } from "effect"
import { randomUUID } from "node:crypto"
import { hasCardNumber } from "../domain/CardNumber.ts"

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

/** The caller's id is kept where it can stand in a log line and a header as it is, and is not a card's number. */
export const requestIdOf = (sent: string | undefined) =>
  sent !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(sent) && !(/^[\d._:-]+$/.test(sent) && hasCardNumber(sent))
    ? sent
    : randomUUID()

import { Effect } from "effect"
import { Base64Url } from "effect/encoding"
import { createHmac, timingSafeEqual } from "node:crypto"
import type { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"

/** What a customer's counter says: up to where the log goes, from where on it is kept, and what signs its cursors. */
export interface Counter {
  readonly last: number
  readonly forgotten: number
  readonly seal: string
}

type Customer = CurrentCustomer["Service"]

// The seal alone would do; the names are in it so that a copied row is no other customer's.
const sealOf = (seal: string, { customerId, orgId }: Customer, sequence: string) =>
  createHmac("sha256", seal).update(`${orgId} ${customerId} ${sequence}`).digest("base64url").slice(0, 22)

/** A position in a customer's log that nobody but us can have written, and that is good for this customer only. */
export const cursorOf = (counter: Counter, customer: Customer, sequence: number): string =>
  Base64Url.encode(`${sequence}.${sealOf(counter.seal, customer, String(sequence))}`)

export const readCursor = (
  counter: Counter,
  customer: Customer,
  cursor: string,
  pointer: string
): Effect.Effect<number, InvalidRequest> => {
  const text = Base64Url.decodeString(cursor)
  const [, sequence = "", sent = ""] =
    /^(\d{1,15})\.([\w-]{22})$/.exec(text._tag === "Success" ? text.success : "") ?? []
  const made = sealOf(counter.seal, customer, sequence)
  // The cursor itself is compared as well, since many texts decode to the same bytes.
  return sent.length === made.length &&
    timingSafeEqual(Buffer.from(sent), Buffer.from(made)) &&
    cursorOf(counter, customer, Number(sequence)) === cursor
    ? Effect.succeed(Number(sequence))
    : Effect.fail(new InvalidRequest({ errors: [{ pointer, message }] }))
}

const message = "Expected the cursor of an earlier answer of this customer's"

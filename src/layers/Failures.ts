import { Cause } from "effect"
import { HttpServerError } from "effect/http"
import { SqlError } from "effect/sql"

/**
 * What ended a command, for its operator: one sentence for what is known to go wrong, with what caused it; all there is
 * to know for a bug.
 */
export const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const foreseen = cause.reasons.some(Cause.isFailReason) || SqlError.isSqlError(error)
  const said = messagesOf(error)
  return foreseen && said.length > 0 ? said.join(": ") : Cause.pretty(cause)
}

const messagesOf = (error: unknown): ReadonlyArray<string> => {
  const said: Array<string> = []
  for (let one = error; one instanceof Error; one = one.cause) {
    const message = one instanceof HttpServerError.ServeError ? "Cannot listen" : one.message
    // A reason often repeats what is said on its behalf.
    if (message !== "" && !said.some((earlier) => earlier.includes(message))) said.push(message)
  }
  return said
}

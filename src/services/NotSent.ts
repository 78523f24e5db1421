import { Data } from "effect"

/**
 * Why a message did not leave.
 *
 * - `unavailable`: the provider does not answer, or fails. Try again later.
 * - `throttled`: too many. Try again, after `retryAfter` seconds where it says so.
 * - `misconfigured`: our credentials or settings are refused. Try again later; the operator has to act.
 * - `refused`: this message, or this address or number, will never be taken.
 * - `gone`: the target is no more (an app uninstalled, a token expired). Forget it.
 * - `off`: the operator has no such channel.
 */
export class NotSent extends Data.TaggedError("NotSent")<{
  readonly reason: "unavailable" | "throttled" | "misconfigured" | "refused" | "gone" | "off"
  readonly retryAfter?: number
  /** True when nobody can tell: it may have left all the same, so that another try may be a second message. */
  readonly maybeSent?: boolean
  /** Since when a target is gone, where the provider says so: one that was registered later is not meant. */
  readonly goneSince?: Date
  /** The provider's own code, without addresses, tokens or texts. */
  readonly detail: string
}> {}

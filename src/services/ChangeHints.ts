import { Context, type Stream } from "effect"

/**
 * Says, sooner than asking would, that a customer's log has grown: the hash of whose it is. Some hints are lost, and
 * nothing depends on them.
 */
export class ChangeHints extends Context.Service<ChangeHints, { readonly hashes: Stream.Stream<string> }>()(
  "portico/services/ChangeHints"
) {}

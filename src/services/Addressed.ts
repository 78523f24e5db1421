import type { CustomerId, OrgId } from "../domain/Ids.ts"

/** What every message that leaves the house says, whichever way it goes. */
export interface Addressed {
  /** The delivery's id: the same on every try, so that whoever can tells a second one from the first. */
  readonly id: string
  readonly orgId: OrgId
  readonly customerId: CustomerId
  /** The code that a verification message carries: for the stand-ins of local mode, which show it apart. */
  readonly code?: string
}

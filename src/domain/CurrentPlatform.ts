import { Context } from "effect"
import type { OrgId } from "./Ids.ts"

/**
 * The org whose platform (commerce system, CRM, sync job) makes the current call.
 *
 * It names no customer: platform methods take an explicit customer id, and row security holds them to the org.
 */
export class CurrentPlatform extends Context.Service<CurrentPlatform, { readonly orgId: OrgId }>()(
  "portico/domain/CurrentPlatform"
) {}

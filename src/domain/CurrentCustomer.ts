import { Context } from "effect"
import type { CustomerId, OrgId } from "./Ids.ts"

/**
 * The customer on whose behalf the current request runs.
 *
 * Every service method that touches customer data lists it as a requirement, so a query that nobody has scoped does not
 * compile; the database client reads it again at run time, so row security sees the same customer.
 */
export class CurrentCustomer extends Context.Service<
  CurrentCustomer,
  {
    readonly orgId: OrgId
    readonly customerId: CustomerId
  }
>()("portico/domain/CurrentCustomer") {}

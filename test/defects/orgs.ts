import { by, type Defect, matrix } from "./Defect.ts"

/** Statements that find what is another org's. */
export const orgs: ReadonlyArray<Defect> = [
  {
    name: "the platform's ticket: the org is dropped from the WHERE",
    file: "src/services/Tickets.ts",
    find: "FROM tickets WHERE org_id = ${orgId} AND (id = ${numberOrId} OR number = ${numberOrId})`",
    replace: "FROM tickets WHERE (id = ${numberOrId} OR number = ${numberOrId})`",
    ...matrix("platformTickets.get")
  },
  {
    name: "the platform's orders: a customer of any org",
    file: "src/services/Orders.ts",
    find: "FROM customers WHERE org_id = ${orgId} AND id = ${order.customerId}",
    replace: "FROM customers WHERE id = ${order.customerId}",
    ...matrix("platformOrders.push")
  },
  {
    name: "an API key of any org",
    file: "src/services/ApiKeys.ts",
    find: "WHERE org_id = ${orgId} AND hash = ${hash}",
    replace: "WHERE hash = ${hash}",
    ...by("services/ApiKeys")
  }
]

import { Context } from "effect"
import type { SqlClient } from "effect/sql"

/**
 * The database as one customer sees it: row security shows the rows of `CurrentCustomer` and no others, for reads and
 * writes alike. A statement run without a `CurrentCustomer` dies before it reaches the wire.
 */
export class CustomerSql extends Context.Service<CustomerSql, SqlClient.SqlClient>()("portico/services/CustomerSql") {}

/** The database as one org's platform sees it: every customer of `CurrentPlatform`'s org, and no other org. */
export class PlatformSql extends Context.Service<PlatformSql, SqlClient.SqlClient>()("portico/services/PlatformSql") {}

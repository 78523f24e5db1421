import { Schema } from "effect"
import { Problem } from "./Problem.ts"

export class MissingAuthorization extends Problem<MissingAuthorization>()("MissingAuthorization", {
  code: "missing_authorization_header",
  status: 401,
  title: "Not signed in",
  detail: "Send the customer's token: Authorization: Bearer <jwt>."
}) {}

export class InvalidToken extends Problem<InvalidToken>()("InvalidToken", {
  code: "invalid_token",
  status: 401,
  title: "Token not accepted",
  detail: "The token was not issued for this API, or is damaged."
}) {}

export class ExpiredToken extends Problem<ExpiredToken>()(
  "ExpiredToken",
  { code: "token_expired", status: 401, title: "Token expired", detail: "The token has expired; get a fresh one." },
  { action: Schema.tag("refresh_token") }
) {}

export class InvalidApiKey extends Problem<InvalidApiKey>()("InvalidApiKey", {
  code: "invalid_api_key",
  status: 401,
  title: "API key not accepted",
  detail: "Send a live API key of this org in the x-api-key header."
}) {}

export class MissingOrgid extends Problem<MissingOrgid>()("MissingOrgid", {
  code: "missing_orgid",
  status: 400,
  title: "No org named",
  detail: "Send the org's id in the orgid header."
}) {}

/** The same answer whether the org exists or not. */
export class OrgMismatch extends Problem<OrgMismatch>()("OrgMismatch", {
  code: "org_mismatch",
  status: 403,
  title: "Not this org",
  detail: "The token was issued for another org than the orgid header names."
}) {}

/** Users act on a customer record of their own or on none: there is no impersonation. */
export class NoCustomerRecord extends Problem<NoCustomerRecord>()("NoCustomerRecord", {
  code: "no_customer_record",
  status: 403,
  title: "No customer record",
  detail: "This user has no customer record in this org."
}) {}

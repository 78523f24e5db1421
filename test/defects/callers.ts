import { by, type Defect, matrix } from "./Defect.ts"

/** Who is let in, and as whom. */
export const callers: ReadonlyArray<Defect> = [
  {
    name: "the tenant's setting outlives its statement",
    file: "src/layers/TenantWire.ts",
    find: "set_config('app.org_id', $1, true), set_config('app.customer_id', $2, true)",
    replace: "set_config('app.org_id', $1, false), set_config('app.customer_id', $2, false)",
    ...by("layers/TenantClient")
  },
  {
    name: "a stream's limit stays on the connection",
    file: "src/layers/TenantWire.ts",
    find: "set_config('statement_timeout', '${patience}', true)",
    replace: "set_config('statement_timeout', '${patience}', false)",
    ...by("layers/TenantClient")
  },
  {
    name: "a transaction keeps the first tenant it had",
    file: "src/layers/TenantWire.ts",
    find: "(inTransaction && tenantSet?.equals(tenant) === true)",
    replace: "(inTransaction && tenantSet !== undefined)",
    ...by("layers/Isolation")
  },
  {
    name: "a savepoint's rollback is forgotten",
    file: "src/layers/TenantWire.ts",
    find: "if (tenant === undefined) tenantSet = undefined\n    else if",
    replace: "if",
    ...by("layers/Isolation")
  },
  {
    name: "two customers' identities are one in the cache",
    file: "src/services/Identities.ts",
    find: 'const known = new WeakMap<TokenClaims, { readonly current: CurrentCustomer["Service"]; readonly until: number }>()',
    replace:
      'const bySub = new Map<string, { readonly current: CurrentCustomer["Service"]; readonly until: number }>()\n      const known = { get: (c: TokenClaims) => bySub.get(c.sub), set: (c: TokenClaims, v: never) => bySub.set(c.sub, v) }',
    ...matrix("profile.get")
  },
  {
    name: "an erased customer's token still works",
    file: "src/services/Identities.ts",
    find: "if (found.erased) return yield* new InvalidToken()",
    replace: "",
    ...matrix("profile.get")
  },
  {
    name: "a user without a record gets one",
    file: "src/services/Identities.ts",
    find: 'claims.type === "customer" ? ownRecord(claims) : ownedRecord(claims)',
    replace: "ownRecord(claims)",
    ...matrix("profile.get")
  },
  {
    name: "the org of the header is not compared with the token's",
    file: "src/http/Authentication.ts",
    find: "claims.org === orgId ?",
    replace: "claims.org.length > 0 ?",
    ...matrix("profile.get")
  },
  {
    name: "the org may come twice",
    file: "src/http/Authentication.ts",
    find: 'if (orgid.includes(",")) return Effect.fail(sentTwice)',
    replace: 'if (orgid.includes(",")) return Effect.succeed(orgid.split(",")[0]! as OrgId)',
    ...matrix("profile.get")
  },
  {
    name: "an API key that was revoked",
    file: "src/services/ApiKeys.ts",
    find: "AND hash = ${hash} AND revoked_at IS NULL",
    replace: "AND hash = ${hash}",
    ...by("services/ApiKeys")
  },
  {
    name: "the audience is not asked for",
    file: "src/layers/TokensJwt.ts",
    find: "terms.audience.length > 0 && ",
    replace: "false && ",
    ...by("layers/Tokens", "issuer and the audience")
  },
  {
    name: "the issuer is not asked for",
    file: "src/layers/TokensJwt.ts",
    find: 'terms.issuer !== "" && ',
    replace: "false && ",
    ...by("layers/Tokens", "issuer and the audience")
  },
  {
    name: "the algorithm is the token's choice",
    file: "src/layers/TokensSecret.ts",
    find: 'algorithms: ["HS256"]',
    replace: 'algorithms: ["HS256", "HS384", "HS512", "none"]',
    ...by("layers/Tokens", "pins the algorithm")
  },
  {
    name: "a public key is taken for a secret",
    file: "src/layers/TokensJwt.ts",
    find: "if (!keys.algorithms.includes(header.alg)) return",
    replace: "if (header.alg === undefined) return",
    ...by("layers/Tokens")
  },
  {
    name: "a token needs no end",
    file: "src/domain/TokenClaims.ts",
    find: 'exp: claim("exp")',
    replace: 'exp: claim("exp") ?? 253402300799',
    ...by("layers/Tokens", "must say who and where|exact JWT|differ by five")
  },
  {
    name: "an expired token is good for an hour",
    file: "src/layers/TokensJwt.ts",
    find: "const toleranceSeconds = 5",
    replace: "const toleranceSeconds = 3900",
    ...matrix("profile.get")
  },
  {
    name: "a remembered token outlives its end",
    file: "src/layers/TokensJwt.ts",
    find: "now < known.until && ",
    replace: "",
    ...by("layers/Tokens", "spares the second look")
  },
  {
    name: "paths are told before the caller is let in",
    file: "src/http/Edge.ts",
    find: "if (/^\\/client-data(?:\\/|$)/.test(path)) yield* verifyBearer(tokens, request.headers)",
    replace: "",
    ...by("http/Problems", "is 401 to whoever")
  }
]

import { by, type Defect, matrix } from "./Defect.ts"

/** What is told, and taken, over HTTP. */
export const answers: ReadonlyArray<Defect> = [
  {
    name: "403 instead of 404",
    file: "src/domain/Order.ts",
    find: 'code: "order_not_found",\n  status: 404',
    replace: 'code: "order_not_found",\n  status: 403',
    ...matrix("orders.get")
  },
  {
    name: "unknown keys are dropped in silence",
    file: "src/http/Api.ts",
    find: 'onExcessProperty: "error"',
    replace: 'onExcessProperty: "ignore"',
    ...matrix("profile.change")
  },
  {
    name: "bodies have no limit",
    file: "src/http/Bodies.ts",
    find: 'most !== undefined && Number(headers["content-length"]) > Number(most)',
    replace: "most === null",
    ...by("http/Bodies", "refused by its length")
  },
  {
    name: "what customers write stands in the log",
    file: "src/services/Profiles.ts",
    find: "        const [row] = yield* sql`\n          UPDATE customers SET",
    replace:
      "        yield* Effect.logInfo(JSON.stringify(changes))\n        const [row] = yield* sql`\n          UPDATE customers SET",
    ...matrix("profile.change"),
    only: "profile\\.change finds|all of it has left"
  },
  {
    name: "caches may share answers",
    file: "src/http/AnswerHeaders.ts",
    find: '"Authorization, orgid"',
    replace: '"orgid"',
    ...by("http/Conventions", "out of caches")
  },
  {
    name: "any page may read answers",
    file: "src/http/Cors.ts",
    find: "allowedOrigins: (origin) => origins.has(origin)",
    replace: "allowedOrigins: (origin) => origin.length > 0",
    ...by("http/Browsers", "on any other page")
  },
  {
    name: "any page may read that it is refused",
    file: "src/http/Cors.ts",
    find: "corsOrigins.includes(origin) && ",
    replace: "",
    ...by("http/Load", "a page may read that it is refused")
  },
  {
    name: "the details of a failure are told",
    file: "src/http/Problems.ts",
    find: 'detail: "Something went wrong on our side; name the requestId when you report it."',
    replace: 'detail: "SqlError: relation orders does not exist"',
    ...by("http/Failures")
  }
]

import { HttpApi, type HttpApiGroup } from "effect/http-api"

/** Which methods a path answers to; none when there is no such path. */
export const methodsOf = <Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<string, Groups>,
  others: ReadonlyArray<string>
): ((path: string) => ReadonlyArray<string>) => {
  const rows = others.map((path) => ({ pattern: patternOf(path), method: "GET" }))
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => rows.push({ pattern: patternOf(endpoint.path), method: endpoint.method })
  })
  return (path) => {
    const methods = new Set(rows.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))
    if (methods.has("GET")) methods.add("HEAD")
    if (methods.size > 0) methods.add("OPTIONS")
    return [...methods].sort()
  }
}

const patternOf = (path: string) => new RegExp(`^${path.replace(/\/$/, "").replace(/:[^/]+/g, "[^/]+")}/?$`)

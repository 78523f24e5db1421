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

/** Portals proxy under `/api`, and apps know the place to register devices by another name as well. */
export const shortOf = (url: string) =>
  url
    .replace(/^\/api(?=\/client-(?:data|account)(?:[/?#]|$))/, "")
    .replace(/^\/client-account(?=\/notifications\/push-token(?:[?#]|$))/, "/client-data")

export const pathOf = (url: string) => {
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

/** The router would take what follows a semicolon for a query, and a file's path, slashes and all, for several segments. */
export const routedOf = (path: string) =>
  path
    .replaceAll(";", "%3B")
    .replace(/^\/client-data\/files\/(.+)$/s, (_, file: string) => `/client-data/files/${file.replaceAll("/", "%2F")}`)

/** The path as the router reads it, which decodes what needs no encoding: `/client%2Ddata` is `/client-data`. */
export const placeOf = (path: string) => {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

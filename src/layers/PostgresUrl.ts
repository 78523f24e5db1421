import { Config, ConfigProvider, Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import type { Duplex } from "node:stream"
import type { ConnectionOptions } from "node:tls"
import * as PostgresTls from "./PostgresTls.ts"

export interface PostgresUrl {
  readonly connect: () => Duplex
  /** The owner's, if the server wants one. */
  readonly password: Redacted.Redacted | undefined
}

/**
 * Reads from a libpq URL how to reach the server; what happens once it is reached (user, database, options) the driver
 * reads itself.
 *
 * Without `sslmode` the connection is plain. `prefer` and `allow` mean `require`: a fallback to plain text is what
 * somebody in the middle would ask for.
 */
export const parse = (url: Redacted.Redacted): Effect.Effect<PostgresUrl, Config.ConfigError> =>
  Effect.try({
    try: () => {
      const text = Redacted.value(url)
      // What is wrong with a URL is not said by quoting it: it holds a password.
      if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) throw new Error("not a postgres:// URL")
      return read(new URL(text))
    },
    catch: (cause) => {
      const { message } = cause as Error
      return new Config.ConfigError(new ConfigProvider.SourceError({ message: `DATABASE_URL: ${message}` }))
    }
  })

const read = (url: URL): PostgresUrl => {
  const option = (name: string) => url.searchParams.get(name) || undefined
  const host = option("host") ?? (decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1") || "localhost")
  const port = Number(option("port") ?? (url.port || "5432"))
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error("invalid port")
  const password = option("password") ?? (decodeURIComponent(url.password) || undefined)
  const tls = tlsOptions(option)

  return {
    password: password === undefined ? undefined : Redacted.make(password),
    connect: host.startsWith("/")
      ? () => connectTcp({ path: `${host}/.s.PGSQL.${port}` })
      : tls === undefined
        ? () => connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 })
        : () => PostgresTls.connect({ host, port }, tls)
  }
}

const tlsOptions = (option: (name: string) => string | undefined): ConnectionOptions | undefined => {
  const file = (name: string) => {
    const path = option(name)
    try {
      return path === undefined ? undefined : readFileSync(path)
    } catch {
      throw new Error(`cannot read ${name}=${path}`)
    }
  }
  const mode = option("sslmode") ?? "disable"
  if (mode === "disable") return undefined
  const ca = option("sslrootcert") === "system" ? undefined : file("sslrootcert")
  const own = { ca, cert: file("sslcert"), key: file("sslkey") }
  switch (mode) {
    case "allow":
    case "prefer":
    case "require":
      // As libpq does: a root certificate is there to be checked.
      return ca === undefined ? { ...own, rejectUnauthorized: false } : { ...own, checkServerIdentity: () => undefined }
    case "verify-ca":
      return { ...own, checkServerIdentity: () => undefined }
    case "verify-full":
      return own
    default:
      throw new Error(`unknown sslmode "${mode}"`)
  }
}

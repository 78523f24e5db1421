import { Context, Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import path from "node:path"
import { Cluster, missing as missingCluster } from "./Cluster.ts"
import { documented } from "./Documented.ts"
import { freePort, type Running, start } from "./Process.ts"
import * as Replicas from "./Replicas.ts"
import * as TestServer from "./TestServer.ts"

const binary = process.env["PGBOUNCER"] ?? ""

/** Why there can be no pooler on this machine, if so. */
export const missing = (() => {
  if (missingCluster !== undefined) return missingCluster
  if (binary === "") return "PGBOUNCER names no program"
  if (!existsSync(binary)) return `there is no ${binary}`
  const [, major, minor] = /^PgBouncer (\d+)\.(\d+)/.exec(execFileSync(binary, ["-V"], { encoding: "utf8" })) ?? []
  return Number(major) > 1 || Number(minor) >= 23 ? undefined : `${binary} is no PgBouncer from 1.23 on`
})()

const statements = (start: string) =>
  documented(start)
    .join("\n")
    .replaceAll("'portico'", "'manager'")
    .split(/;\n/)
    .filter((statement) => statement.trim() !== "")

type Settings = Readonly<Record<string, string | number>>

/** A setting that is not documented is none: what is tested is what stands there. */
const withSettings = (lines: ReadonlyArray<string>, settings: Settings) => {
  const rest = new Map(Object.entries(settings))
  const changed = lines.map((line) => {
    const name = /^;?(\S+) =/.exec(line)?.[1] ?? ""
    const value = rest.get(name)
    return rest.delete(name) ? `${name} = ${value}` : line
  })
  if (rest.size > 0) throw new Error(`docs/scaling.md has no ${[...rest.keys()].join()}`)
  return changed.join("\n")
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" })
    socket.on("error", () => resolve(false))
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
  })

/** A PgBouncer in front of the cluster, as docs/scaling.md has it, with four connections for each role. */
export class PgBouncer extends Context.Service<
  PgBouncer,
  {
    /** Starts it, with other settings if need be. */
    readonly up: (settings?: Settings) => Promise<void>
    readonly kill: () => Promise<void>
    /** A new database, reached through it. */
    readonly database: (name: string) => Effect.Effect<string, never, Cluster>
    /** How many connections it has to a database. */
    readonly connections: (name: string) => Effect.Effect<number>
  }
>()("portico/test/PgBouncer") {
  static readonly layer = Layer.effect(
    PgBouncer,
    Effect.gen(function* () {
      const { certificate, directory, port: postgres, url } = yield* Cluster
      const port = yield* Effect.promise(freePort)
      const file = (name: string) => path.join(directory, name)
      const [createRole = "", ...login] = statements("CREATE ROLE")
      yield* Replicas.superuser(createRole)
      writeFileSync(file("userlist.txt"), `${documented('"pgbouncer"').join("\n").trim()}\n`)
      const lines = documented("[databases]").map((line) =>
        line.replace(/^portico = host.*/, `* = host=localhost port=${postgres}`).replace(/^;portico /, ";manager ")
      )

      let running: Running | undefined
      const up = async (settings: Settings = {}) => {
        const ini = withSettings(lines, {
          listen_addr: "127.0.0.1",
          listen_port: port,
          default_pool_size: 4,
          max_db_connections: 13,
          auth_file: file("userlist.txt"),
          server_tls_ca_file: certificate,
          ...settings
        })
        writeFileSync(file("pgbouncer.ini"), `${ini}\nunix_socket_dir =\n`)
        const user = process.getuid?.() === 0 ? ["-u", "postgres"] : []
        running = start([binary, ...user, file("pgbouncer.ini")], {})
        for (let n = 0; n < 200 && !(await answers(port)); n++) await new Promise((resolve) => setTimeout(resolve, 25))
      }
      const kill = async () => {
        running?.child.kill("SIGKILL")
        await running?.ended
      }
      yield* Effect.acquireRelease(
        Effect.promise(() => up()),
        () => Effect.promise(kill)
      )

      return PgBouncer.of({
        up,
        kill,
        database: Effect.fnUntraced(function* (name) {
          yield* Replicas.database(name)
          for (const statement of login) yield* TestServer.run(url(name), statement)
          // With a host of its own, as the server is not asked for TLS here.
          return (yield* Replicas.manager(name, "sslmode=disable")).replace(`:${postgres}/`, `:${port}/`)
        }),
        connections: (name) =>
          TestServer.run(
            url("postgres"),
            `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = '${name}' AND client_addr IS NOT NULL`
          ).pipe(Effect.map(([row]) => row!["n"] as number))
      })
    })
  )
}

/** What the documentation has done once the roles are there. */
export const limited = Effect.suspend(() => Effect.forEach(statements("ALTER ROLE"), Replicas.superuser))

/** A cluster with a manager, and the pooler in front of it. */
export const layer = PgBouncer.layer.pipe(Layer.provideMerge(Replicas.layer))

import { Context, Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, existsSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer } from "node:net"
import path from "node:path"
import { binaries, Cluster, user } from "./Cluster.ts"
import { documented } from "./Documented.ts"
import { freePort } from "./Process.ts"
import * as Replicas from "./Replicas.ts"
import * as TestServer from "./TestServer.ts"

/** One address for whichever server is the primary. */
const address = async (first: number) => {
  let port = first
  const listener = createServer((client) => {
    const server = connect({ port, host: "127.0.0.1" })
    for (const [socket, other] of [
      [client, server],
      [server, client]
    ] as const) {
      socket.setNoDelay(true).on("error", () => {})
      socket.on("close", () => other.destroy())
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  return {
    port: (listener.address() as AddressInfo).port,
    move: (to: number) => {
      port = to
    },
    close: () => listener.close()
  }
}

/** A hot standby of the cluster, which streams what that writes, and an address in front of the two. */
export class Standby extends Context.Service<
  Standby,
  {
    /** As the superuser, on the standby. */
    readonly url: (database: string) => string
    /** A new database, reached by the address. */
    readonly database: (name: string) => Effect.Effect<string, never, Cluster>
    /** Has the primary wait for the standby, as docs/scaling.md says. */
    readonly synchronous: Effect.Effect<void>
    /** Waits until the standby has applied all that is written. */
    readonly level: Effect.Effect<void>
    readonly down: Effect.Effect<void>
    readonly up: Effect.Effect<void>
    readonly promote: Effect.Effect<void>
    /** Moves the address to the standby. */
    readonly move: Effect.Effect<void>
  }
>()("portico/test/Standby") {
  static readonly layer = Layer.effect(
    Standby,
    Effect.gen(function* () {
      const { directory, port: primary, url } = yield* Cluster
      const port = yield* Effect.promise(freePort)
      const data = path.join(directory, "standby")
      const run = (command: string, ...args: ReadonlyArray<string>) =>
        execFileSync(path.join(binaries!, command), args, { cwd: directory, stdio: "ignore", ...user() })
      const up = () => run("pg_ctl", "-D", data, "-l", path.join(directory, "standby.log"), "-w", "start")
      const down = () => run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
      const source = `host=${directory} port=${primary} user=postgres password=postgres application_name=standby`

      yield* Effect.acquireRelease(
        Effect.sync(() => {
          run("pg_basebackup", "-D", data, "-d", source, "-c", "fast", "-N")
          appendFileSync(
            path.join(data, "postgresql.auto.conf"),
            `\nport = ${port}\nprimary_conninfo = '${source}'\nwal_retrieve_retry_interval = '100ms'\n`
          )
          writeFileSync(path.join(data, "standby.signal"), "")
          up()
        }),
        () => Effect.sync(() => void (existsSync(path.join(data, "postmaster.pid")) && down()))
      )
      const front = yield* Effect.acquireRelease(
        Effect.promise(() => address(primary)),
        ({ close }) => Effect.sync(close)
      )

      const onPrimary = (statement: string) => TestServer.run(url("postgres"), statement)
      const isSo = (condition: string) =>
        onPrimary(`SELECT count(*)::int AS n FROM pg_stat_replication WHERE ${condition}`).pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: ([row]) => row!["n"] === 1 }),
          Effect.timeout("10 seconds"),
          Effect.orDie,
          Effect.asVoid
        )

      return Standby.of({
        url: (database) => url(database).replace(`:${primary}/`, `:${port}/`),
        database: (name) => Effect.map(Replicas.database(name), (at) => at.replace(`:${primary}/`, `:${front.port}/`)),
        synchronous: Effect.forEach(documented("ALTER SYSTEM").filter(Boolean), onPrimary).pipe(
          Effect.andThen(isSo("sync_state = 'sync'"))
        ),
        level: Effect.flatMap(onPrimary("SELECT pg_current_wal_lsn()::text AS lsn"), ([row]) =>
          isSo(`replay_lsn >= '${row!["lsn"]}'`)
        ),
        down: Effect.sync(down),
        up: Effect.sync(up),
        promote: Effect.sync(() => run("pg_ctl", "-D", data, "-w", "promote")),
        move: Effect.sync(() => front.move(port))
      })
    })
  )
}

/** A cluster with a manager, and its standby. */
export const layer = Standby.layer.pipe(Layer.provideMerge(Replicas.layer))

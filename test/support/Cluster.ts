import { Context, Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  chownSync
} from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { freePort } from "./Process.ts"

/** A Postgres server of the test's own: TLS only, passwords for everybody, no roles but its superuser. */
export class Cluster extends Context.Service<
  Cluster,
  {
    readonly directory: string
    readonly port: number
    /** As the superuser, over the unix socket. */
    readonly url: (database: string) => string
    readonly certificate: string
    readonly unrelatedCertificate: string
    /** Kills it as a crash would, and starts it again. */
    readonly crash: Effect.Effect<void>
    /** The two halves of a crash. */
    readonly down: Effect.Effect<void>
    readonly up: Effect.Effect<void>
    /** Down from being frozen, without another word. */
    readonly shatter: Effect.Effect<void>
    /** Stops all of its processes where they are, as a machine that hangs, until it is thawed. */
    readonly freeze: Effect.Effect<void>
    readonly thaw: Effect.Effect<void>
  }
>()("portico/test/Cluster") {
  static readonly layer = Layer.effect(
    Cluster,
    Effect.acquireRelease(
      Effect.promise(async () => {
        const directory = mkdtempSync(path.join(tmpdir(), "portico-cluster-"))
        const as = user()
        const run = (command: string, ...args: ReadonlyArray<string>) =>
          execFileSync(command, args, { cwd: directory, stdio: "ignore", ...as })
        const file = (name: string) => path.join(directory, name)
        if (as !== undefined) chownSync(directory, as.uid, as.gid)
        const port = await freePort()
        const data = file("data")
        const start = () => run(`${binaries}/pg_ctl`, "-D", data, "-l", file("log"), "-w", "start")

        writeFileSync(file("password"), "postgres")
        chmodSync(file("password"), 0o644)
        run(
          `${binaries}/initdb`,
          "-D",
          data,
          "-U",
          "postgres",
          "-A",
          "scram-sha-256",
          "--pwfile",
          file("password"),
          "-N"
        )
        writeFileSync(
          path.join(data, "postgresql.auto.conf"),
          [
            `port = ${port}`,
            `unix_socket_directories = '${directory}'`,
            "listen_addresses = '127.0.0.1'",
            "fsync = off",
            "ssl = on",
            `ssl_cert_file = '${file("server.crt")}'`,
            `ssl_key_file = '${file("server.key")}'`
          ].join("\n")
        )
        writeFileSync(
          path.join(data, "pg_hba.conf"),
          "local all,replication all scram-sha-256\nhostssl all all all scram-sha-256\n"
        )
        writeFileSync(file("names"), "subjectAltName=DNS:localhost")

        const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for (const ca of ["ca", "unrelated"]) {
          const out = ["-keyout", `${ca}.key`, "-out", `${ca}.crt`]
          run("openssl", "req", "-x509", ...key, "-days", "2", "-subj", `/CN=${ca}`, ...out)
        }
        run("openssl", "req", ...key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
        const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
        run("openssl", "x509", "-req", "-in", "server.csr", ...sign, "-out", "server.crt")
        chmodSync(file("server.key"), 0o600)
        start()

        const stop = () => run(`${binaries}/pg_ctl`, "-D", data, "-m", "immediate", "-w", "stop")
        // The postmaster first: what is stopped forks no more children.
        const signal = (name: "SIGSTOP" | "SIGCONT" | "SIGQUIT") => {
          const postmaster = Number(readFileSync(path.join(data, "postmaster.pid"), "utf8").split("\n")[0])
          process.kill(postmaster, name)
          for (const child of childrenOf(postmaster)) killIfThere(child, name)
        }

        return {
          directory,
          port,
          url: (database: string) =>
            `postgres://postgres:postgres@localhost:${port}/${database}?host=${encodeURIComponent(directory)}`,
          certificate: file("ca.crt"),
          unrelatedCertificate: file("unrelated.crt"),
          crash: Effect.sync(() => {
            stop()
            start()
          }),
          down: Effect.sync(stop),
          up: Effect.sync(start),
          shatter: Effect.promise(async () => {
            signal("SIGQUIT")
            signal("SIGCONT")
            while (existsSync(path.join(data, "postmaster.pid")))
              await new Promise((resolve) => setTimeout(resolve, 10))
          }),
          freeze: Effect.sync(() => signal("SIGSTOP")),
          thaw: Effect.sync(() => signal("SIGCONT")),
          thawed: () => signal("SIGCONT"),
          stop
        }
      }),
      ({ directory, stop, thawed }) =>
        Effect.sync(() => {
          // Who has killed it may have left it so.
          if (existsSync(path.join(directory, "data", "postmaster.pid"))) {
            thawed()
            stop()
          }
          rmSync(directory, { recursive: true, force: true })
        })
    )
  )
}

const versions = "/usr/lib/postgresql"
export const binaries = existsSync(versions)
  ? readdirSync(versions)
      .map((version) => path.join(versions, version, "bin"))
      .findLast((directory) => existsSync(path.join(directory, "initdb")))
  : undefined

const childrenOf = (parent: number): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // The name, which may hold anything, stands in parentheses; state and parent follow.
        return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[1]) === parent
      } catch {
        return false
      }
    })
    .map(Number)

/** A backend may end between being listed and being told. */
const killIfThere = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
  }
}

/** Postgres refuses to run as root. */
export const user = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

/** Why there can be no cluster on this machine, if so. */
export const missing = (() => {
  if (binaries === undefined) return `no Postgres server in ${versions}`
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" })
    user()
    return undefined
  } catch {
    return "no openssl, or no user to run Postgres as"
  }
})()

import { PGlite, type PGliteOptions } from "@electric-sql/pglite"
import { btree_gist } from "@electric-sql/pglite/contrib/btree_gist"
import { citext } from "@electric-sql/pglite/contrib/citext"
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm"
import { pgcrypto } from "@electric-sql/pglite/contrib/pgcrypto"
import { Duration, Effect, Schema, type Scope } from "effect"
import { createHash } from "node:crypto"
import { existsSync, fsyncSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"
import type { Duplex } from "node:stream"
import { type Backend, EmbeddedWire } from "./EmbeddedWire.ts"

export interface Embedded {
  /** A new connection, speaking the Postgres protocol from the startup packet on: the `stream` of a `PgClient`. */
  readonly connect: () => Duplex
  /** All of the database, to start a copy from. */
  readonly dump: Effect.Effect<Uint8Array>
}

export interface Options {
  /** The folder to keep the database in; in memory when absent. */
  readonly dataDir?: string
  /** What `dump` returned, to start a new database from. */
  readonly snapshot?: Uint8Array
  /** Whether a commit waits for the disk, as with a real server, or leaves that to the operating system. */
  readonly durable?: boolean
  /** When to end a transaction left idle: it keeps everybody else waiting. 15 seconds when absent. */
  readonly idleInTransaction?: Duration.Input
}

export class EmbeddedInUse extends Schema.TaggedError<EmbeddedInUse>()("EmbeddedInUse", { folder: Schema.String }) {
  override get message() {
    return `The embedded database in ${this.folder} is in use by another process (a running server).`
  }
}

/** A Postgres inside of this process (PGlite), for as many clients as you like. */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Embedded, EmbeddedInUse, Scope.Scope> {
  if (options.dataDir !== undefined) {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
    yield* lock(realpathSync(options.dataDir))
  }
  const database = yield* Effect.acquireRelease(
    Effect.promise(() => start(options)),
    (database) => Effect.promise(() => database.close())
  )
  const idle = Duration.toMillis(Duration.fromInputUnsafe(options.idleInTransaction ?? "15 seconds"))
  const wire = yield* Effect.acquireRelease(
    Effect.sync(() => new EmbeddedWire(backend(database), idle)),
    (wire) => Effect.sync(() => wire.close())
  )
  // A server does this by itself. Here the log would grow, and with it the next start after a crash, for ever.
  yield* Effect.sync(() => wire.maintain("CHECKPOINT")).pipe(
    Effect.delay("1 minute"),
    Effect.forever,
    Effect.forkScoped
  )
  return {
    connect: () => wire.connect(),
    dump: Effect.promise(async () => new Uint8Array(await (await database.dumpDataDir("none")).arrayBuffer()))
  }
})

/**
 * PGlite lets two processes open one folder, and ruin it. A socket that one of them listens on says "in use" and is gone
 * with its process, whatever ended that.
 */
const lock = (folder: string): Effect.Effect<Server, EmbeddedInUse, Scope.Scope> => {
  const name = `portico-${createHash("sha256").update(folder).digest("hex").slice(0, 32)}`
  const { platform } = process
  const address =
    platform === "linux" ? `\0${name}` : platform === "win32" ? `\\\\.\\pipe\\${name}` : path.join(tmpdir(), name)
  const inUse = new EmbeddedInUse({ folder })
  const held = Effect.catch(listen(address), () =>
    Effect.flatMap(answers(address), (answered) => {
      if (answered) return inUse
      // A process that was killed leaves the file of its socket behind.
      rmSync(address, { force: true })
      return Effect.mapError(listen(address), () => inUse)
    })
  )
  return Effect.acquireRelease(held, (server) => Effect.sync(() => server.close()))
}

const greeting = "in use\n"

const listen = (address: string) =>
  Effect.callback<Server, Error>((resume) => {
    const server = createServer((socket) => socket.on("error", () => {}).end(greeting)).unref()
    server.once("error", (error) => resume(Effect.fail(error)))
    server.listen(address, () => resume(Effect.succeed(server)))
  })

/**
 * Whether somebody holds the lock: they greet. A child that is just being started has a copy of a socket that its parent
 * has closed already; that one takes connections, and hangs up a moment later without a word.
 */
const answers = (address: string) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(address)
    socket.once("data", () => resume(Effect.succeed(true)))
    socket.once("error", () => resume(Effect.succeed(false)))
    socket.once("close", () => resume(Effect.succeed(false)))
    return Effect.sync(() => socket.destroy())
  }).pipe(
    // Who is busy for that long is there.
    Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.succeed(true) })
  )

const start = async ({ dataDir, durable, snapshot }: Options): Promise<PGlite> => {
  const options: PGliteOptions = {
    extensions: { btree_gist, citext, pg_trgm, pgcrypto },
    startParams: [
      // -F is "never fsync"; the one method of waiting for the disk that gets as far as `giveFsync` is fsync.
      ...PGlite.defaultStartParams.filter((param) => param !== "-F" || durable !== true),
      "--wal_sync_method=fsync",
      "--shared_buffers=16MB"
    ]
  }
  if (snapshot !== undefined) options.loadDataDir = new Blob([snapshot as Uint8Array<ArrayBuffer>])
  if (dataDir === undefined) return PGlite.create(options)

  // PGlite takes every folder with a PG_VERSION for a database, also when its first start was killed half way.
  const version = path.join(dataDir, "PG_VERSION")
  const starting = path.join(dataDir, "first-start")
  if (existsSync(starting)) rmSync(version, { force: true })
  if (!existsSync(version)) writeFileSync(starting, "")
  const database = await PGlite.create({ ...options, dataDir })
  rmSync(starting, { force: true })
  // Not before: a start after a crash syncs 2000 files one by one, which the system writes by itself within the minute.
  if (durable === true) giveFsync(database)
  return database
}

/** As Emscripten counts errors. */
const EIO = 29

/** The file system PGlite runs on has no fsync of its own: Postgres believes it has called it. */
const giveFsync = (database: PGlite) => {
  const files = database.Module.NODEFS as unknown as { readonly stream_ops: Record<string, unknown> }
  files.stream_ops["fsync"] = (file: { readonly nfd: number }) => {
    try {
      fsyncSync(file.nfd)
      return 0
    } catch {
      return EIO
    }
  }
}

const backend =
  (database: PGlite): Backend =>
  (messages) => {
    const reply: Array<Uint8Array> = []
    // All of it has run when this returns: only the promise is late.
    database
      .execProtocolRawStream(messages, {
        syncToFs: false,
        // A view into memory that Postgres goes on to use.
        onRawData: (bytes) => void reply.push(bytes.slice())
      })
      .catch(() => {})
    return Buffer.concat(reply)
  }

import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, describe } from "vitest"
import { OrgId } from "../src/domain/Ids.ts"
import { missing as noCluster } from "./support/Cluster.ts"
import { newcomer } from "./support/People.ts"
import * as Replicas from "./support/Replicas.ts"
import { address, headersOf, pause, type ServerProcess, startServer } from "./support/ServerProcess.ts"

const folder = mkdtempSync(path.join(tmpdir(), "portico-descriptors-"))
const who = headersOf(newcomer(OrgId.make("demo"), "descriptors-1"))
const more = 20
const crowd = 120
let server: ServerProcess | undefined

const missing = (() => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" })
    return noCluster
  } catch {
    return "no prlimit here"
  }
})()

const open = (port: number) =>
  new Promise<Socket>((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => resolve(socket))
    socket.on("error", () => resolve(socket))
  })

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

if (missing !== undefined) console.warn(`FewDescriptors.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("A server with no file descriptor left", () => {
  layer(Replicas.layer, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect(
      "lives on while more connect than it may have, and answers again when they have gone",
      () =>
        Effect.gen(function* () {
          const url = yield* Replicas.database("descriptors")
          yield* Effect.promise(async () => {
            server = await startServer(url, folder)
            const { port, running } = server
            const pid = running.child.pid!
            const descriptors = () => readdirSync(`/proc/${pid}/fd`).length
            assert.strictEqual((await server.ask(who, "GET", "/client-data/profile")).status, 200)
            // As ulimit -n, once all that a server has open is open.
            const most = descriptors() + more
            execFileSync("prlimit", ["--pid", String(pid), `--nofile=${most}:${most}`])

            const sockets = await Promise.all(Array.from({ length: crowd }, () => open(port)))
            await pause(1_000)
            const during = descriptors()
            const meanwhile = await server.ask(who, "GET", "/client-data/profile").catch(() => undefined)
            for (const socket of sockets) socket.destroy()
            const gone = performance.now()
            let status: number | undefined
            do {
              status = await server.health("/readyz").then(
                (reply) => reply.status,
                () => undefined
              )
              if (status !== 200) await pause(50)
            } while (status !== 200 && performance.now() - gone < 10_000)

            process.stdout.write(
              `${crowd} connections, ${more} descriptors: ${during} of ${most} open, meanwhile ${meanwhile?.status ?? "no answer"}; good after ${Math.round(performance.now() - gone)} ms\n`
            )
            assert.isNull(running.child.exitCode)
            assert.isAtLeast(during, most - 2)
            assert.strictEqual(status, 200)
            const added = await server.ask(who, "POST", "/client-data/addresses", { body: address("a") })
            assert.strictEqual(added.status, 201, added.text)
          })
        }),
      60_000
    )
  })
})

import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { Agent } from "node:http"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, describe } from "vitest"
import { OrgId } from "../src/domain/Ids.ts"
import { balance } from "./support/Balancer.ts"
import { missing } from "./support/Cluster.ts"
import { bodyOf, file, formType } from "./support/Forms.ts"
import { newcomer } from "./support/People.ts"
import * as Replicas from "./support/Replicas.ts"
import { address, ask, headersOf, loops, pause, type ServerProcess, startServer } from "./support/ServerProcess.ts"

// FAULT_CYCLES: rounds of a rolling restart; one in the suite.
const rounds = Number(process.env["FAULT_CYCLES"] ?? 1)

const folder = mkdtempSync(path.join(tmpdir(), "portico-shutdown-"))
const started: Array<ServerProcess> = []
const whose = Array.from({ length: 12 }, (_, n) => headersOf(newcomer(OrgId.make("demo"), `leaving-${n}`)))
const start = async (url: string) => {
  const server = await startServer(url, folder)
  started.push(server)
  return server
}

const upload = (name: string) => ({
  body: bodyOf(file(name, "x".repeat(200_000))),
  headers: { "content-type": formType }
})

/** What a portal asks for: reads, writes, and now and then a file. */
const something = (n: number) =>
  n % 20 === 0
    ? (["POST", "/client-data/files/upload", upload(`file-${n}.txt`)] as const)
    : n % 5 === 0
      ? (["POST", "/client-data/addresses", { body: address(`s.${n}`) }] as const)
      : n % 2 === 0
        ? (["GET", "/client-data/orders", {}] as const)
        : (["GET", "/client-data/dashboard", {}] as const)

afterAll(async () => {
  for (const server of started) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

if (missing !== undefined) console.warn(`Shutdown.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("A server that is told to end", () => {
  layer(Replicas.layer, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect(
      "answers all of 200 requests in flight, whole, and what comes over kept connections until it is gone",
      () =>
        Effect.gen(function* () {
          const url = yield* Replicas.database("ending")
          yield* Effect.promise(async () => {
            const server = await start(url)
            for (const who of whose) await server.ask(who, "GET", "/client-data/profile")
            const agent = new Agent({ keepAlive: true })
            const flying = Array.from({ length: 200 }, (_, n) => {
              const [method, path, more] = something(n)
              return ask(server.port, whose[n % whose.length]!, method, path, { agent, ...more })
            })
            await pause(30)
            server.running.child.kill("SIGTERM")
            const signalled = performance.now()
            // A portal that has not heard of it yet. It has two seconds, and a busy machine takes some of them.
            const later: Array<Promise<{ readonly status: number }>> = []
            while (performance.now() - signalled < 700) {
              const [method, path, more] = something(later.length)
              later.push(ask(server.port, whose[later.length % whose.length]!, method, path, { agent, ...more }))
              await pause(10)
            }
            const replies = await Promise.all([...flying, ...later])
            const { code } = await server.running.ended
            agent.destroy()
            process.stdout.write(
              `SIGTERM: ${flying.length} in flight and ${later.length} later, all answered; ended after ${Math.round(performance.now() - signalled)} ms\n`
            )
            const statuses = new Set(replies.map(({ status }) => status))
            assert.deepStrictEqual([...statuses].toSorted(), [200, 201])
            assert.deepStrictEqual([code, server.running.stderr()], [0, ""])
          })
        }),
      90_000
    )

    it.effect(
      "fails no request while another takes its place behind a balancer",
      () =>
        Effect.gen(function* () {
          const url = yield* Replicas.database("rolling")
          yield* Effect.promise(async () => {
            const balancer = await balance()
            let replicas = [await start(url), await start(url)]
            for (const { port } of replicas) await balancer.add(port)
            const agent = new Agent({ keepAlive: true, maxSockets: 100 })
            const failed: Array<string> = []
            let answered = 0
            const load = loops(16, async (lane, round) => {
              const [method, path, more] = something(lane + round * 16)
              await ask(balancer.port, whose[lane % whose.length]!, method, path, { agent, ...more }).then(
                ({ status, text }) => (status < 300 ? answered++ : failed.push(`${status} ${text}`)),
                (error) => failed.push(String(error))
              )
              await pause(60)
            })
            for (let round = 0; round < rounds; round++) {
              const fresh = await start(url)
              await balancer.add(fresh.port)
              const [old, other] = replicas as [ServerProcess, ServerProcess]
              assert.strictEqual(await old.stop("SIGTERM"), 0)
              balancer.remove(old.port)
              replicas = [other, fresh]
              await pause(300)
            }
            await load.stop()
            agent.destroy()
            balancer.close()
            process.stdout.write(`rolling restart x ${rounds}: ${answered} answered, ${failed.length} failed\n`)
            assert.deepStrictEqual(failed, [])
            assert.isAbove(answered, 100)
          })
        }),
      60_000 + rounds * 30_000
    )
  })
})

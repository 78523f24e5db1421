import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, describe } from "vitest"
import { OrgId } from "../src/domain/Ids.ts"
import { Cluster, missing } from "./support/Cluster.ts"
import { newcomer } from "./support/People.ts"
import * as Replicas from "./support/Replicas.ts"
import {
  address,
  addressNames,
  hangUp,
  headersOf,
  loops,
  pause,
  type Reply,
  type ServerProcess,
  startServer
} from "./support/ServerProcess.ts"
import * as TestServer from "./support/TestServer.ts"

// FAULT_CYCLES repeats what may go wrong at any moment: twice in the suite, as often as one has the patience by hand.
const cycles = Number(process.env["FAULT_CYCLES"] ?? 2)

const folder = mkdtempSync(path.join(tmpdir(), "portico-faults-"))
const started: Array<ServerProcess> = []
const demo = OrgId.make("demo")
const persons = Array.from({ length: 12 }, (_, n) => newcomer(demo, `fault-${n}`))
const whose = persons.map(headersOf)

const start = async (url: string, env: Readonly<Record<string, string>> = {}) => {
  const server = await startServer(url, folder, env)
  started.push(server)
  return server
}

/** Adds an address of the caller's, whose name says which write it was. */
const add = (server: ServerProcess, lane: number, name: string, key: string) =>
  server.ask(whose[lane % whose.length]!, "POST", "/client-data/addresses", {
    body: address(name),
    headers: { "idempotency-key": key }
  })

/** What was acknowledged is there once, what was asked again and again with one key too, and nobody has anybody else's. */
const audit = async (server: ServerProcess, acknowledged: ReadonlyArray<string>) => {
  const found: Array<string> = []
  for (const lane of whose.keys()) {
    const names = await addressNames(server, whose[lane]!)
    for (const name of names) assert.strictEqual(Number(name.split(".")[1]) % whose.length, lane, "a foreign row")
    found.push(...names)
  }
  assert.strictEqual(new Set(found).size, found.length, "a write happened twice")
  const missed = acknowledged.filter((name) => !found.includes(name))
  assert.deepStrictEqual(missed, [], "acknowledged, and lost")
  return found.length
}

afterAll(async () => {
  for (const server of started) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

if (missing !== undefined) console.warn(`Faults.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("With a server of their own,", () => {
  layer(Replicas.layer, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect(
      "customers lose nothing that was acknowledged, and get nothing twice, when the server is killed while they write",
      () =>
        Effect.gen(function* () {
          const url = yield* Replicas.database("killed")
          yield* Effect.promise(async () => {
            let server = await start(url)
            const acknowledged: Array<string> = []
            const open: Array<{ readonly lane: number; readonly name: string }> = []
            let cut = 0
            for (let cycle = 0; cycle < cycles; cycle++) {
              const writing = loops(24, async (lane, round) => {
                const name = `k.${lane}.${cycle}.${round}`
                const reply = await add(server, lane, name, name).catch(() => undefined)
                if (reply?.status === 201) acknowledged.push(name)
                else if (reply === undefined && open.length < 500) open.push({ lane, name })
                if (reply === undefined) await pause(50)
              })
              await pause(700 + Math.random() * 800)
              await server.stop("SIGKILL")
              await writing.stop()
              server = await start(url)
              cut += open.length
              // Whoever got no answer asks again, with the same key: also at once, and twice.
              const again = open.splice(0)
              const replies = await Promise.all(
                again.flatMap(({ lane, name }) => [add(server, lane, name, name), add(server, lane, name, name)])
              )
              for (const [n, { status, text }] of replies.entries()) {
                assert.include([201, 409], status, text)
                if (status === 201) acknowledged.push(again[n >> 1]!.name)
              }
              // Of two at once one may be told to wait for the other, but nobody for the dead.
              const waiting = again.filter(({ name }) => !acknowledged.includes(name))
              assert.deepStrictEqual(waiting, [])
            }
            const rows = await audit(server, acknowledged)
            process.stdout.write(
              `kill -9 x ${cycles}: ${rows} rows, ${new Set(acknowledged).size} acknowledged, ${cut} cut off\n`
            )
            await server.stop()
          })
        }),
      120_000 + cycles * 30_000
    )

    it.effect(
      "a database that crashes is missed in words, and found again within two seconds, with all that was acknowledged",
      () =>
        Effect.gen(function* () {
          const cluster = yield* Cluster
          const url = yield* Replicas.database("crashing")
          yield* Effect.promise(async () => {
            const server = await start(url)
            for (const who of whose) await server.ask(who, "GET", "/client-data/profile")
            const acknowledged: Array<string> = []
            const other: Array<string> = []
            const waits: Array<number> = []
            const told = { good: 0, refused: 0 }
            const load = loops(24, async (lane, round) => {
              const name = `c.${lane}.${round}`
              const reply = await (round % 4 === 0
                ? add(server, lane, name, name)
                : server.ask(whose[lane % whose.length]!, "GET", "/client-data/orders"))
              if (reply.status === 503 && reply.headers["retry-after"] !== undefined) told.refused++
              else if (reply.status >= 300) other.push(`${reply.status} ${reply.text}`)
              else told.good++
              if (reply.status === 201) acknowledged.push(name)
              if (reply.status >= 300) await pause(20)
            })
            for (let cycle = 0; cycle < cycles; cycle++) {
              await pause(700)
              await Effect.runPromise(cluster.down)
              await pause(500)
              assert.strictEqual((await server.health("/livez")).status, 200)
              assert.strictEqual((await server.health("/readyz")).status, 503)
              await Effect.runPromise(cluster.up)
              const back = performance.now()
              const enough = told.good + 5
              while (told.good < enough && performance.now() - back < 10_000) await pause(10)
              waits.push(Math.round(performance.now() - back))
              assert.strictEqual((await server.health("/readyz")).status, 200)
            }
            await load.stop()
            const rows = await audit(server, acknowledged)
            process.stdout.write(
              `Postgres stopped and started x ${cycles}: good again after ${waits.join(", ")} ms; ${told.refused} x 503; ${rows} rows, ${acknowledged.length} acknowledged\n`
            )
            assert.deepStrictEqual([...new Set(other)], [])
            assert.isAbove(told.refused, 0)
            assert.isBelow(Math.max(...waits), 4_000)
            await server.stop()
          })
        }),
      120_000 + cycles * 20_000
    )

    it.effect(
      "a database that stops with hundreds of requests waiting has all of them told within seconds, and is found again",
      () =>
        Effect.gen(function* () {
          const cluster = yield* Cluster
          const url = yield* Replicas.database("crowded")
          yield* Effect.promise(async () => {
            const server = await start(url)
            for (const who of whose) await server.ask(who, "GET", "/client-data/profile")
            // Counted by the owner, whose connections are others.
            const guess = { body: { input: "High Street" } }
            const slowest: Array<number> = []
            const alive: Array<number> = []
            const waits: Array<number> = []
            for (let cycle = 0; cycle < cycles; cycle++) {
              // Who cannot hear is asked all the same: these stand in the pool, in its queue and on its wires.
              await Effect.runPromise(cluster.freeze)
              const waiting = Array.from({ length: 390 }, (_, lane) =>
                lane % 10 === 0
                  ? add(server, lane, `w.${lane}.${cycle}`, `w.${lane}.${cycle}`)
                  : lane % 3 === 0
                    ? server.ask(whose[lane % whose.length]!, "POST", "/client-data/addresses/autocomplete", guess)
                    : server.ask(whose[lane % whose.length]!, "GET", "/client-data/orders")
              )
              await pause(1_000)
              const stopped = performance.now()
              const gone = Effect.runPromise(cluster.shatter)
              const all = Promise.all(waiting).then((replies) => {
                slowest.push(Math.round(performance.now() - stopped))
                return replies
              })
              const until = { told: false }
              void all.finally(() => (until.told = true))
              while (!until.told) {
                const { ms, status } = await server.health("/livez")
                assert.strictEqual(status, 200)
                alive.push(Math.round(ms))
                await pause(20)
              }
              for (const { headers, status, text } of await all) {
                assert.strictEqual(status, 503, text)
                assert.isDefined(headers["retry-after"])
              }
              await gone
              await Effect.runPromise(cluster.up)
              const back = performance.now()
              let reply: Reply
              do {
                reply = await server.ask(whose[0]!, "GET", "/client-data/orders")
              } while (reply.status !== 200 && performance.now() - back < 10_000)
              waits.push(Math.round(performance.now() - back))
            }
            process.stdout.write(
              `Postgres gone under 390 requests x ${cycles}: all told after ${slowest.join(", ")} ms, livez within ${Math.max(...alive)} ms; good again after ${waits.join(", ")} ms\n`
            )
            assert.isBelow(Math.max(...slowest), 5_000)
            assert.isBelow(Math.max(...alive), 2_000)
            assert.isBelow(Math.max(...waits), 4_000)
            await server.stop()
          })
        }),
      90_000 + cycles * 60_000
    )

    it.effect(
      "a database that hangs keeps nobody waiting for ever, and is found again when it goes on",
      () =>
        Effect.gen(function* () {
          const cluster = yield* Cluster
          const url = yield* Replicas.database("frozen")
          yield* Effect.promise(async () => {
            const server = await start(url)
            for (const who of whose) await server.ask(who, "GET", "/client-data/profile")
            await Effect.runPromise(cluster.freeze)
            try {
              // More than fit into the pool's connections and all the places of each.
              const waiting = Array.from({ length: 200 }, (_, lane) =>
                lane % 10 === 0
                  ? add(server, lane, `f.${lane}`, `f.${lane}`)
                  : server.ask(whose[lane % whose.length]!, "GET", "/client-data/orders")
              )
              await pause(1_000)
              const live = await server.health("/livez")
              const ready = await server.health("/readyz")
              const replies = await Promise.all(waiting)
              const late = await server.ask(whose[0]!, "GET", "/client-data/orders")
              const slowest = Math.max(...replies.map(({ ms }) => ms))
              process.stdout.write(
                `Postgres frozen: 200 answered within ${Math.round(slowest)} ms, the next in ${Math.round(late.ms)} ms; readyz in ${Math.round(ready.ms)} ms\n`
              )
              assert.deepStrictEqual([live.status, ready.status], [200, 503])
              for (const { headers, status, text } of [...replies, late]) {
                assert.strictEqual(status, 503, text)
                assert.isDefined(headers["retry-after"])
              }
              assert.isBelow(slowest, 15_000)
              assert.isBelow(late.ms, 6_000)
            } finally {
              await Effect.runPromise(cluster.thaw)
            }
            const back = performance.now()
            let reply: Reply
            do {
              reply = await server.ask(whose[0]!, "GET", "/client-data/orders")
            } while (reply.status !== 200 && performance.now() - back < 10_000)
            process.stdout.write(`Postgres goes on: good after ${Math.round(performance.now() - back)} ms\n`)
            assert.strictEqual(reply.status, 200)
            assert.isBelow(performance.now() - back, 5_000)
            await server.stop()
          })
        }),
      90_000
    )

    it.effect(
      "clients who hang up at any moment leave no transaction, no connection in use, and take nobody else's answers",
      () =>
        Effect.gen(function* () {
          const { url: adminUrl } = yield* Cluster
          const url = yield* Replicas.database("aborted")
          yield* Effect.promise(async () => {
            const server = await start(url, {
              DATABASE_POOL: "4",
              DATABASE_PLATFORM_POOL: "2",
              DATABASE_OWNER_POOL: "3"
            })
            for (const who of whose) await server.ask(who, "GET", "/client-data/profile")
            const acknowledged: Array<string> = []
            const wrong: Array<string> = []
            let aborted = 0
            const load = loops(60, async (lane, round) => {
              const who = whose[lane % whose.length]!
              const name = `a.${lane}.${round}`
              if (Math.random() < 0.3) {
                aborted++
                return hangUp(server.port, who, round % 3 === 0 ? name : undefined)
              }
              const reply = await (round % 3 === 0
                ? add(server, lane, name, name)
                : round % 3 === 1
                  ? server.ask(who, "GET", "/client-data/addresses")
                  : server.ask(who, "GET", "/client-data/profile"))
              if (reply.status === 201) acknowledged.push(name)
              else if (reply.status !== 200) wrong.push(`${reply.status} ${reply.text}`)
              const id: string | undefined = reply.json?.id
              if (round % 3 === 2 && id !== `fault-${lane % whose.length}`) wrong.push(`${id} for ${lane}`)
              for (const row of reply.json?.data ?? []) {
                if (Number(row.name.split(".")[1]) % whose.length !== lane % whose.length)
                  wrong.push(`${row.name} for ${lane}`)
              }
            })
            await pause(Math.max(4, cycles) * 1_000)
            await load.stop()
            await pause(1_000)
            const sessions = await Effect.runPromise(
              TestServer.run(
                adminUrl("postgres"),
                "SELECT state FROM pg_stat_activity WHERE datname = 'aborted' AND (state LIKE 'idle in%' OR state = 'active')"
              )
            )
            const replies = await Promise.all(
              Array.from({ length: 80 }, (_, lane) => server.ask(whose[lane % 12]!, "GET", "/client-data/profile"))
            )
            const rows = await audit(server, acknowledged)
            process.stdout.write(`abort storm: ${aborted} hung up, ${rows} rows, ${acknowledged.length} acknowledged\n`)
            assert.deepStrictEqual([...new Set(wrong)], [])
            assert.deepStrictEqual(sessions, [])
            assert.isTrue(replies.every(({ json, status }, n) => status === 200 && json.id === `fault-${n % 12}`))
            assert.isAbove(aborted, 20)
            await server.stop()
          })
        }),
      90_000 + cycles * 2_000
    )
  })
})

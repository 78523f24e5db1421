import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, describe } from "vitest"
import { Cluster } from "./support/Cluster.ts"
import { listen } from "./support/EventStream.ts"
import * as Pooler from "./support/PgBouncer.ts"
import { audit, busy, keys, people, until } from "./support/PooledLoad.ts"
import { address, addressNames, loops, pause, type ServerProcess, startServer } from "./support/ServerProcess.ts"
import * as TestServer from "./support/TestServer.ts"

const folder = Pooler.missing === undefined ? mkdtempSync(path.join(tmpdir(), "portico-pooler-")) : ""
const started: Array<ServerProcess> = []

/** With 18 connections each, over the thirteen of the pooler. */
const startThree = async (url: string) => {
  const env = { PLATFORM_API_KEYS: `acme:${keys.acme},other:${keys.other}`, DATABASE_OWNER_POOL: "3" }
  const replicas = await Promise.all([1, 2, 3].map(() => startServer(url, folder, env)))
  started.push(...replicas)
  return replicas as [ServerProcess, ServerProcess, ServerProcess]
}

afterAll(async () => {
  for (const server of started) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

if (Pooler.missing !== undefined) console.warn(`Pooler.test.ts is skipped: ${Pooler.missing}`)

describe.skipIf(Pooler.missing !== undefined)("Three replicas behind a pooler in transaction mode", () => {
  layer(Pooler.layer, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect(
      "give customers of two orgs their own rows only, while all write and read at once over thirteen connections",
      () =>
        Effect.gen(function* () {
          const pooler = yield* Pooler.PgBouncer
          const url = yield* pooler.database("busy")
          yield* Effect.promise(async () => {
            const replicas = await startThree(url)
            let most = 0
            const load = busy(replicas)
            const watch = loops(1, async () => {
              most = Math.max(most, await Effect.runPromise(pooler.connections("busy")))
              for (const org of ["acme", "other"] as const) {
                const headers = { orgid: org, "x-api-key": keys[org] }
                const stranger = org === "acme" ? "mallory" : "eve"
                const { status, text } = await replicas[0].ask(headers, "GET", `/platform/customers/${stranger}`)
                if (status !== 404) load.wrong.push(`${status} ${text}`)
              }
              await pause(20)
            })
            await pause(5_000)
            await load.stop()
            await watch.stop()
            process.stdout.write(`${load.told.good} answers over ${most} connections, ${load.told.refused} x 503\n`)
            assert.deepStrictEqual(load.wrong.slice(0, 3), [])
            assert.deepStrictEqual([load.told.refused, load.told.cut], [0, 0])
            assert.isAtMost(most, 13)
            assert.isAbove(most, 3)
            await audit(replicas[1], load.acknowledged)
            for (const server of replicas) await server.stop()
          })
        }),
      120_000
    )

    it.effect(
      "do once what is asked ninety times at once with one key, and refuse a version that another has replaced",
      () =>
        Effect.gen(function* () {
          const url = yield* (yield* Pooler.PgBouncer).database("once")
          yield* Effect.promise(async () => {
            const replicas = await startThree(url)
            const { headers } = people[0]!
            for (let storm = 0; storm < 5; storm++) {
              const sent = { body: address(`once.${storm}`), headers: { "idempotency-key": `once.${storm}` } }
              const replies = await Promise.all(
                Array.from({ length: 90 }, (_, n) =>
                  replicas[n % 3]!.ask(headers, "POST", "/client-data/addresses", sent)
                )
              )
              const done = replies.filter(({ status }) => status === 201)
              const told = new Set(replies.map(({ status }) => status))
              assert.strictEqual(new Set(done.map(({ json }) => json.id)).size, 1, [...told].join())
              assert.deepStrictEqual(
                [...told].filter((status) => status !== 201 && status !== 409),
                []
              )
              const again = await replicas[1].ask(headers, "POST", "/client-data/addresses", sent)
              assert.deepStrictEqual([again.status, again.text], [201, done[0]!.text])
            }
            assert.lengthOf(await addressNames(replicas[2], headers), 5)

            const { headers: old } = await replicas[0].ask(headers, "GET", "/client-data/profile")
            const versions = await Promise.all(
              Array.from({ length: 30 }, (_, n) =>
                replicas[n % 3]!.ask(headers, "PUT", "/client-data/profile", {
                  body: { name: `Name ${n}` },
                  headers: { "if-match": old["etag"]! }
                })
              )
            )
            const statuses = versions.map(({ status }) => status).toSorted((a, b) => a - b)
            assert.deepStrictEqual(statuses, [200, ...Array.from({ length: 29 }, () => 412)])
            for (const server of replicas) await server.stop()
          })
        }),
      120_000
    )

    it.effect(
      "tell an event stream what another has written, and at once where the owner has sessions",
      () =>
        Effect.gen(function* () {
          const pooler = yield* Pooler.PgBouncer
          const url = yield* pooler.database("told")
          yield* Effect.promise(async () => {
            const [first, second, third] = await startThree(url)
            const { headers } = people[0]!
            const stream = await listen(`http://127.0.0.1:${first.port}/client-data/events`, headers)
            const waits = async (count: number) => {
              const all: Array<number> = []
              for (let n = 0; n < count; n++) {
                const { length } = stream.events
                await (n % 2 === 0 ? second : third).ask(headers, "PUT", "/client-data/profile", {
                  body: { about: `${length}` }
                })
                all.push(await until(() => stream.events.length > length, 5_000))
                await pause(300)
              }
              return all
            }
            const polled = await waits(6)
            await pooler.kill()
            await pooler.up({ manager: "pool_mode=session pool_size=9", max_db_connections: 18 })
            // Whoever listened tries again after five seconds.
            await pause(6_000)
            const hinted = await waits(8)
            process.stdout.write(`heard after ${polled.join(", ")} ms; with sessions after ${hinted.join(", ")} ms\n`)
            await pooler.kill()
            await pooler.up()
            stream.close()
            assert.isBelow(Math.max(...polled), 3_000)
            assert.isBelow(Math.max(...hinted), 500)
            for (const server of [first, second, third]) await server.stop()
          })
        }),
      120_000
    )

    it.effect(
      "lose nothing that was acknowledged when the pooler, its server or its connections are killed, and go on by themselves",
      () =>
        Effect.gen(function* () {
          const pooler = yield* Pooler.PgBouncer
          const { crash, url: at } = yield* Cluster
          const url = yield* pooler.database("killed")
          yield* Effect.promise(async () => {
            const replicas = await startThree(url)
            const load = busy(replicas, 16)
            const waits: Array<number> = []
            for (let cycle = 0; cycle < 2; cycle++) {
              await pause(1_000)
              await pooler.kill()
              await pause(500)
              for (const one of replicas) assert.strictEqual((await one.health("/livez")).status, 200)
              await pooler.up()
              const enough = load.told.good + 20
              waits.push(await until(() => load.told.good >= enough, 10_000))
            }
            const { refused } = load.told
            await Effect.runPromise(crash)
            const crashed = load.told.good + 20
            const back = await until(() => load.told.good >= crashed, 10_000)
            let killed = 0
            for (let n = 0; n < 10; n++) {
              await pause(200)
              const some = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = 'killed' AND client_addr IS NOT NULL ORDER BY random() LIMIT 3`
              killed += (await Effect.runPromise(TestServer.run(at("postgres"), some))).length
            }
            const enough = load.told.good + 100
            const healed = await until(() => load.told.good >= enough, 10_000)
            await load.stop()
            process.stdout.write(
              `pooler killed twice: good again after ${waits.join(", ")} ms, ${refused} x 503; Postgres crashed: after ${back} ms; ${killed} connections killed: ${load.told.refused - refused} x 503, ${load.told.cut} cut off\n`
            )
            assert.deepStrictEqual([...new Set(load.wrong)].slice(0, 3), [])
            assert.isAbove(refused, 0)
            assert.isBelow(Math.max(...waits, back, healed), 5_000)
            for (const one of replicas) {
              assert.isBelow(await until(async () => (await one.health("/readyz")).status === 200, 10_000), 5_000)
            }
            await audit(replicas[2], load.acknowledged)
            for (const server of replicas) await server.stop()
          })
        }),
      120_000
    )
  })
})

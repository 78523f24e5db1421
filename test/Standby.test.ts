import { it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, describe } from "vitest"
import { OrgId } from "../src/domain/Ids.ts"
import { Cluster, missing } from "./support/Cluster.ts"
import { documented } from "./support/Documented.ts"
import { newcomer } from "./support/People.ts"
import { audit, busy, keys, until } from "./support/PooledLoad.ts"
import * as Ready from "./support/Standby.ts"
import { follow, following, lostCommit, nina, write, writing } from "./support/StandbyLoad.ts"
import { addressNames, headersOf, pause, type ServerProcess, startServer } from "./support/ServerProcess.ts"
import * as TestServer from "./support/TestServer.ts"

const folder = mkdtempSync(path.join(tmpdir(), "portico-standby-"))
const started: Array<ServerProcess> = []
const platform = { orgid: "acme", "x-api-key": keys.acme }

const startTwo = async (url: string) => {
  const env = { PLATFORM_API_KEYS: `acme:${keys.acme},other:${keys.other}` }
  const replicas = await Promise.all([1, 2].map(() => startServer(url, folder, env)))
  started.push(...replicas)
  return replicas as [ServerProcess, ServerProcess]
}

afterAll(async () => {
  for (const server of started) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

if (missing !== undefined) console.warn(`Standby.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("Two replicas whose primary is killed", () => {
  it.live(
    "go on by themselves on a synchronous standby, with all that was acknowledged, which nothing is while it is away",
    () =>
      Effect.gen(function* () {
        const { down } = yield* Cluster
        const standby = yield* Ready.Standby
        yield* standby.synchronous
        const url = yield* standby.database("kept")
        yield* Effect.promise(async () => {
          const replicas = await startTwo(url)
          const stream = following(replicas[0])
          await pause(300)
          await Effect.runPromise(standby.down)
          const alone = write(replicas[0], "alone")
          await pause(2_000)
          // Nor is it to who asks again, or shown to who reads.
          assert.strictEqual((await write(replicas[1], "alone")).status, 409)
          assert.strictEqual((await replicas[1].ask(nina, "GET", "/client-data/addresses")).json.total, 0)
          await Effect.runPromise(standby.up)
          const { status, text } = await alone
          assert.strictEqual(status, 201, text)

          const load = busy(replicas, 8)
          const mine = writing(replicas)
          mine.answered.set("alone", text)
          await pause(1_500)
          await Effect.runPromise(down)
          const lost = performance.now()
          await Effect.runPromise(standby.move)
          await until(async () => (await replicas[0].ask(nina, "GET", "/client-data/profile")).status === 200, 5_000)
          await pause(300)
          const early = await write(replicas[0], "early")
          const read = await replicas[0].ask(nina, "GET", "/client-data/profile")
          assert.deepStrictEqual(
            [early.status, early.json.code, read.status],
            [503, "service_unavailable", 200],
            early.text
          )
          await pause(300)
          await Effect.runPromise(standby.promote)
          const enough = load.told.good + 50
          const healed = await until(() => load.told.good >= enough, 10_000)
          const away = Math.round(performance.now() - lost)
          await pause(700)
          await load.stop()
          await mine.stop()
          process.stdout.write(
            `away for ${away} ms, good ${healed} ms after the promotion; ${load.told.good} good, ${load.told.refused} x 503, ${load.told.cut} cut off\n`
          )
          assert.deepStrictEqual([...new Set(load.wrong)].slice(0, 3), [])
          assert.isAbove(load.told.refused, 0)
          assert.isBelow(healed, 4_000)
          for (const { status, text } of mine.refused) assert.include([503, 409], status, text)
          await audit(replicas[1], load.acknowledged)

          for (const [name, text] of mine.answered) {
            const again = await write(replicas[1], name)
            assert.deepStrictEqual([again.status, again.text], [201, text])
            assert.strictEqual(again.headers["idempotency-replayed"], "true")
          }
          const names = await addressNames(replicas[0], nina)
          assert.deepStrictEqual(names.toSorted(), [...mine.answered.keys()].toSorted())

          await until(() => stream.count() >= names.length, 3_000)
          const { statuses, told } = await stream.stop()
          const heard = told.filter(({ data }) => data.type === "address").map(({ data }) => data.record!["name"])
          assert.deepStrictEqual(heard.toSorted(), names.toSorted())
          assert.deepStrictEqual(
            [...statuses].filter((status) => status !== 200 && status !== 503),
            []
          )
          for (const server of replicas) await server.stop()
        })
      }).pipe(Effect.provide(Ready.layer)),
    90_000
  )

  it.live(
    "take nothing for good that was told of writes which an asynchronous standby lacks, once the documented statement is run",
    () =>
      Effect.gen(function* () {
        const { down, url: primary } = yield* Cluster
        const standby = yield* Ready.Standby
        const url = yield* standby.database("behind")
        const replicas = yield* Effect.promise(() => startTwo(url))
        const [first, second] = replicas
        const push = (about: string) => async () => {
          const body = { customerId: "nina", number: about, status: "paid", total: { amount: 1, currency: "GBP" } }
          const replies = [
            await first.ask(nina, "PUT", "/client-data/profile", { body: { about } }),
            await first.ask(platform, "PUT", `/platform/orders/${about}`, {
              body: { ...body, items: [], shipments: [] }
            })
          ]
          for (const { status, text } of replies) assert.isBelow(status, 300, text)
        }
        const get = (path: string, headers = {}, replica = first) => replica.ask(nina, "GET", path, { headers })
        const orders = async (replica: ServerProcess) => {
          const { json, text } = await get("/client-data/orders", {}, replica)
          return json?.data?.map(({ number }: { readonly number: string }) => number) ?? text
        }
        const seen = async () => ({
          profile: (await get("/client-data/profile")).headers["etag"]!,
          orders: (await get("/client-data/orders")).headers["etag"]!,
          all: (await get("/client-data/all")).headers["etag"]!,
          cursor: (await get("/client-data/all")).json.cursor as string
        })

        yield* Effect.promise(push("both"))
        yield* standby.level
        yield* standby.down
        yield* Effect.promise(push("lost"))
        const key = yield* Effect.promise(() => write(first, "keyed"))
        const before = yield* Effect.promise(seen)
        yield* Effect.promise(() => get("/client-data/orders", {}, second))
        const olga = headersOf(newcomer(OrgId.make("acme"), "olga"))
        yield* Effect.promise(() => first.ask(olga, "GET", "/client-data/orders"))
        const stream = yield* Effect.promise(() => follow(second))
        // A stream that is just being read ends with its connection; this one is to outlive that.
        yield* Effect.sleep(500)

        const failover = down.pipe(
          Effect.andThen(standby.up),
          Effect.andThen(standby.promote),
          Effect.andThen(standby.move)
        )
        const outcome = yield* lostCommit(primary("behind"), standby.url("behind"), failover)
        assert.strictEqual(outcome, "unknown", "what another transaction has done is taken for its own")

        yield* Effect.promise(async () => {
          const back = await until(async () => (await get("/client-data/profile")).status === 200, 10_000)
          await until(async () => (await get("/client-data/profile", {}, second)).status === 200, 10_000)
          assert.isBelow(back, 4_000)
          await push("other")()
          await write(first, "other")
          // Why there is something to be done.
          assert.strictEqual((await get("/client-data/profile", { "if-none-match": before.profile })).status, 304)
          assert.deepStrictEqual(await orders(second), ["lost", "both"])
          const missing = await get(`/client-data/changes?since=${before.cursor}`)
          assert.deepStrictEqual([missing.status, missing.json.data], [200, []], missing.text)
          await pause(1_200)
          assert.isFalse(stream.response.closed)
        })

        yield* TestServer.run(standby.url("behind"), documented("DO $$").join("\n").trim())
        yield* Effect.promise(async () => {
          const gone = await until(() => stream.response.closed, 5_000)
          const since = stream.lastId()!
          stream.close()
          process.stdout.write(`the stream of before ended ${gone} ms after the statement\n`)
          assert.isBelow(gone, 3_000)
          const reader = await follow(second, since)
          assert.strictEqual(reader.response.statusCode, 400)
          assert.strictEqual((await get(`/client-data/changes?since=${before.cursor}`)).status, 400)
          for (const replica of replicas) {
            assert.deepStrictEqual(await orders(replica), ["other", "both"])
            for (const noun of ["profile", "orders", "all"] as const) {
              const known = { "if-none-match": before[noun] }
              assert.strictEqual((await get(`/client-data/${noun}`, known, replica)).status, 200, noun)
            }
          }
          const put = (version: string) =>
            first.ask(nina, "PUT", "/client-data/profile", {
              body: { about: "now" },
              headers: { "if-match": version }
            })
          assert.strictEqual((await put(before.profile)).status, 412)
          assert.strictEqual((await put((await get("/client-data/profile")).headers["etag"]!)).status, 200)

          // Somebody new whose record is lost is taken for known until that is looked up again.
          const known = await until(
            async () => (await first.ask(olga, "GET", "/client-data/orders")).status === 200,
            9_000
          )
          assert.isBelow(known, 6_000)
          const done = await write(first, "keyed")
          const again = await write(second, "keyed")
          assert.deepStrictEqual([key.status, done.status, done.headers["idempotency-replayed"]], [201, 201, undefined])
          assert.deepStrictEqual([again.text, again.headers["idempotency-replayed"]], [done.text, "true"])
          assert.deepStrictEqual((await addressNames(second, nina)).toSorted(), ["keyed", "other"])
          for (const server of replicas) await server.stop()
        })
      }).pipe(Effect.provide(Ready.layer)),
    90_000
  )
})

import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync } from "node:fs"
import { describe } from "vitest"
import { OrgId } from "../src/domain/Ids.ts"
import { Cluster } from "./support/Cluster.ts"
import { newcomer } from "./support/People.ts"
import * as Replicas from "./support/Replicas.ts"
import { headersOf, pause, startServer } from "./support/ServerProcess.ts"
const whose = Array.from({ length: 12 }, (_, n) => headersOf(newcomer(OrgId.make("demo"), `fault-${n}`)))
describe("storm", () => {
  layer(Replicas.layer, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect(
      "x",
      () =>
        Effect.gen(function* () {
          const cluster = yield* Cluster
          const url = yield* Replicas.database("storm")
          yield* Effect.promise(async () => {
            const server = await startServer(url, mkdtempSync("/tmp/f2/d-"))
            for (const who of whose) await server.ask(who, "GET", "/client-data/profile")
            await Promise.all(
              Array.from({ length: 390 }, (_, n) => server.ask(whose[n % 12]!, "GET", "/client-data/orders"))
            )
            for (const mode of ["down", "freeze"])
              for (let round = 0; round < 3; round++) {
                await Effect.runPromise(mode === "down" ? cluster.down : cluster.freeze)
                if (mode === "down") await pause(200)
                const lags: number[] = []
                const timer = setInterval(() => void server.health("/livez").then((r) => lags.push(r.ms)), 100)
                const t = performance.now()
                const rs = await Promise.all(
                  Array.from({ length: 390 }, (_, n) => server.ask(whose[n % 12]!, "GET", "/client-data/orders"))
                )
                clearInterval(timer)
                const st: any = {}
                for (const r of rs) st[r.status] = (st[r.status] ?? 0) + 1
                console.log(
                  mode,
                  round,
                  "all in",
                  Math.round(performance.now() - t),
                  "median",
                  Math.round(rs.map((r) => r.ms).sort((a, b) => a - b)[195]!),
                  st,
                  "livez max",
                  Math.round(Math.max(...lags))
                )
                await Effect.runPromise(mode === "down" ? cluster.up : cluster.thaw)
                const back = performance.now()
                while ((await server.ask(whose[0]!, "GET", "/client-data/orders")).status !== 200) await pause(20)
                console.log("back", Math.round(performance.now() - back))
                await pause(500)
              }
            await server.stop()
          })
        }),
      400_000
    )
  })
})

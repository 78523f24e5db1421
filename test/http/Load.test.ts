import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { facts } from "../../src/http/CurrentRequest.ts"
import { HttpSettings } from "../../src/http/HttpSettings.ts"
import { Load } from "../../src/http/Load.ts"
import { Readiness } from "../../src/services/Readiness.ts"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { deviations } from "../support/OpenApiDocument.ts"
import { type Customer, makeCustomer, people } from "../support/People.ts"

const profile = "/client-data/profile"

interface Halves {
  readonly target: string
  readonly type: string
  readonly begun: string
  readonly rest: string
}

/** Requests whose body stops in the middle, on connections of their own. */
const half = Effect.fnUntraced(function* (who: Customer, many: number, { begun, rest, target, type }: Halves) {
  const { socket, tokenOf } = yield* App
  const token = yield* tokenOf(who)
  const sockets = yield* Effect.all(Array.from({ length: many }, () => socket))
  for (const one of sockets) {
    one.resume()
    one.write(
      `${target} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ${token}\r\norgid: ${who.orgId}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${begun.length + rest.length}\r\n\r\n${begun}`
    )
  }
  yield* Effect.sleep("150 millis")
  return {
    finish: Effect.andThen(
      Effect.sync(() => {
        for (const one of sockets) one.write(rest)
      }),
      Effect.sleep("300 millis")
    )
  }
})

const halfChanges = (who: Customer, many: number) =>
  half(who, many, { target: `PUT ${profile}`, type: "application/json", begun: '{"about":', rest: '"x"}' })

/** The server works on it until it goes on. */
const halfUpload = (who: Customer) =>
  half(who, 1, {
    target: "POST /client-data/files/upload",
    type: "multipart/form-data; boundary=b",
    begun: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc',
    rest: "def\r\n--b--\r\n"
  })

const portal = "https://portal.example"

layer(TestApp.layerWith({ maxInFlight: 2, maxInFlightPerCustomer: 2, corsOrigins: [portal] }), {
  excludeTestServices: true
})("With more requests at once than there is room for", (it) => {
  it.effect("one customer's are refused beyond their share, and nobody else's", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve, namesake } = yield* people
      const running = yield* halfChanges(ada, 2)

      const refused = yield* call(ada, "GET", profile)
      const others = [yield* call(eve, "GET", profile), yield* call(namesake, "GET", profile)]
      yield* running.finish
      const after = yield* call(ada, "GET", profile)

      assertProblem(refused, 429, "rate_limited")
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.deepStrictEqual(deviations("get", profile, refused), [])
      assert.deepStrictEqual(
        [...others, after].map(({ status }) => status),
        [200, 200, 200]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("anybody's are refused before any work is done for them, and probes are not", () =>
    Effect.gen(function* () {
      const { call, logs } = yield* App
      const { acme, ada, eve, trent } = yield* people
      const bob = yield* makeCustomer(acme, "bob")
      const running = [yield* halfUpload(ada), yield* halfUpload(eve)]
      yield* Effect.sleep("250 millis")

      const refused = yield* Effect.all([
        call(bob, "GET", profile),
        call(bob, "PUT", profile, { body: { nope: 1 } }),
        call(bob, "PUT", profile, { body: { about: "x".repeat(20_000) } }),
        call(trent, "GET", profile),
        call(undefined, "GET", profile),
        call(bob, "GET", "/client-data/nowhere"),
        call(bob, "GET", "/docs")
      ])
      const probes = [
        yield* call(undefined, "GET", "/livez"),
        yield* call(undefined, "GET", "/readyz"),
        yield* call(undefined, "GET", "/readyz?from=balancer")
      ]
      const metrics = yield* call(undefined, "GET", "/metrics")
      for (const { finish } of running) yield* finish
      const after = yield* call(bob, "GET", profile)

      for (const answer of refused) assertProblem(answer, 503, "service_unavailable")
      for (const { bytes, headers } of refused) assert.strictEqual(headers["content-length"], String(bytes.length))
      assert.deepStrictEqual(deviations("get", profile, refused[0]), [])
      assert.deepStrictEqual(
        [...probes, after].map(({ status }) => status),
        [200, 200, 200, 200]
      )
      assert.match(metrics.text, /http_requests_total\{method="GET",route="refused"[^}]*\} 5/)
      assert.lengthOf(
        logs.filter(({ message }) => String(message).includes("MAX_IN_FLIGHT")),
        1
      )
      const told = logs.filter(({ annotations }) => annotations["route"] === "refused")
      assert.deepStrictEqual([...new Set(told.map(({ level }) => level))], ["DEBUG"])
    }).pipe(Effect.scoped)
  )

  it.effect("a page may read that it is refused where it may read answers, and nowhere else", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada, eve } = yield* people
      const bob = yield* makeCustomer(acme, "bob")
      const from = (origin: string) =>
        Effect.map(call(bob, "GET", profile, { headers: { origin } }), ({ headers, status }) => ({
          status,
          of: ["access-control-allow-origin", "access-control-expose-headers", "vary"].map((name) => headers[name])
        }))
      const origins = [portal, "https://elsewhere.example"]
      const answered = yield* Effect.forEach(origins, from)
      const running = [yield* halfUpload(ada), yield* halfUpload(eve)]
      yield* Effect.sleep("250 millis")

      const refused = yield* Effect.forEach(origins, from)
      for (const { finish } of running) yield* finish

      assert.deepStrictEqual(
        [...answered, ...refused].map(({ status }) => status),
        [200, 200, 503, 503]
      )
      assert.strictEqual(answered[0]!.of[0], portal)
      assert.deepStrictEqual(
        refused.map(({ of }) => of),
        answered.map(({ of }) => of)
      )
    }).pipe(Effect.scoped)
  )

  it.effect("whoever sends a body slowly takes nobody's room meanwhile", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { acme, ada, eve } = yield* people
      const bob = yield* makeCustomer(acme, "bob")
      const running = [yield* halfChanges(ada, 2), yield* halfChanges(eve, 2)]
      yield* Effect.sleep("250 millis")

      const other = yield* call(bob, "GET", profile)
      for (const { finish } of running) yield* finish
      const changed = yield* call(eve, "GET", profile)

      assert.deepStrictEqual([other.status, changed.status, changed.json.about], [200, 200, "x"])
    }).pipe(Effect.scoped)
  )

  it.effect("an upload takes several places of a customer's, and no other customer's", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve } = yield* people
      const running = yield* halfUpload(ada)

      const refused = yield* call(ada, "GET", profile)
      const other = yield* call(eve, "GET", profile)
      yield* running.finish
      const after = yield* call(ada, "GET", profile)

      assertProblem(refused, 429, "rate_limited")
      assert.deepStrictEqual([other.status, after.status], [200, 200])
    }).pipe(Effect.scoped)
  )

  it.effect("the room of those who go away is free again", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve } = yield* people
      yield* Effect.scoped(Effect.all([halfUpload(ada), halfUpload(eve)]))
      yield* Effect.sleep("200 millis")

      const answers = [yield* call(ada, "GET", profile), yield* call(eve, "GET", profile)]

      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 200]
      )
    })
  )
})

const alone = Load.layer.pipe(
  Layer.provide(Layer.succeed(Readiness, { ready: Effect.succeed(true), closing: () => false, close: Effect.void })),
  Layer.provide(Layer.succeed(HttpSettings, { ...TestApp.defaults, maxInFlight: 100, maxInFlightPerCustomer: 50 }))
)

layer(alone)((it) => {
  it.effect("Requests of one customer that wait for their turn are their share, and leave the others their room", () =>
    Effect.gen(function* () {
      const load = yield* Load
      const ada = { authorization: "Bearer ada" }
      const eve = { authorization: "Bearer eve" }
      const come = (headers: typeof ada, many: number) => {
        const sent = HttpServerRequest.fromWeb(new Request("http://test", { headers }))
        let letIn = 0
        for (let n = 0; n < many; n++) {
          if (load.refuse("GET", profile, headers) !== undefined) continue
          letIn++
          load.inTurn(profile, headers, () => Effect.runFork(load.count(Effect.never, sent, facts("id", profile))))
        }
        return letIn
      }

      const letIn = [come(ada, 300), come(eve, 1)]
      const refused = load.refuse("GET", profile, ada)

      assert.deepStrictEqual(letIn, [50, 1])
      assert.strictEqual(refused?.status, 429)
      assert.strictEqual(refused?.after, 250)
    })
  )
})

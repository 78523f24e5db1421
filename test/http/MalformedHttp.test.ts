import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { fingerprint, people, type Person } from "../support/People.ts"

const headOf = Effect.fnUntraced(function* (person: Person) {
  const { tokenOf } = yield* App
  return `Host: test\r\norgid: ${person.orgId}\r\nAuthorization: Bearer ${yield* tokenOf(person)}\r\n`
})

const statusesOf = (received: string) =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

layer(TestApp.layer, { excludeTestServices: true })("A request that is not quite HTTP", (it) => {
  it.effect("is refused with its connection, and the next one is answered", () =>
    Effect.gen(function* () {
      const { call, raw } = yield* App
      const { ada } = yield* people
      const head = yield* headOf(ada)
      const before = yield* fingerprint
      const json = "Content-Type: application/json\r\n"

      for (const [status, request] of [
        [400, "GARBAGE\r\n\r\n"],
        [400, "\u0000\u0001\u0002\r\n\r\n"],
        [400, "GET /livez HTTP/9.9\r\nHost: test\r\n\r\n"],
        [400, "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n"],
        [400, `GET /client-data/pro file HTTP/1.1\r\n${head}\r\n`],
        [400, `GET /client-data/orders/\u00e9 HTTP/1.1\r\n${head}\r\n`],
        [400, `GET client-data/profile HTTP/1.1\r\n${head}\r\n`],
        [400, `GET /livez HTTP/1.1\r\nHost: test\r\nX: a\u0000b\r\n\r\n`],
        [400, `GET /livez HTTP/1.1\r\nHost: test\r\nX : space\r\n\r\n`],
        [431, `GET /livez HTTP/1.1\r\nHost: test\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
        [431, `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: test\r\n\r\n`],
        [400, `PUT /client-data/profile HTTP/1.1\r\n${head}${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
        [400, `PUT /client-data/profile HTTP/1.1\r\n${head}${json}Content-Length: -1\r\n\r\n{}`],
        [400, `PUT /client-data/profile HTTP/1.1\r\n${head}${json}Content-Length: 1e1\r\n\r\n{}`],
        [
          400,
          `PUT /client-data/profile HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`
        ]
      ] as const) {
        assert.deepStrictEqual(statusesOf(yield* raw(request)), [status], JSON.stringify(request.slice(0, 60)))
        assert.strictEqual((yield* call(ada, "GET", "/client-data/profile")).status, 200)
      }
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("cannot hide a second one in its body", () =>
    Effect.gen(function* () {
      const { raw } = yield* App
      const { ada, eve } = yield* people
      const [own, foreign] = [yield* headOf(ada), yield* headOf(eve)]
      const hidden = `GET /client-data/profile HTTP/1.1\r\n${foreign}Connection: close\r\n\r\n`
      const json = "Content-Type: application/json\r\n"

      const both = yield* raw(
        `PUT /client-data/profile HTTP/1.1\r\n${own}${json}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`
      )
      const inBody = yield* raw(
        `PUT /client-data/profile HTTP/1.1\r\n${own}${json}Connection: close\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`
      )
      const ofGet = yield* raw(
        `GET /client-data/profile HTTP/1.1\r\n${own}Connection: close\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`
      )

      assert.deepStrictEqual([statusesOf(both), statusesOf(inBody), statusesOf(ofGet)], [[400], [400], [200]])
      for (const received of [both, inBody, ofGet]) assert.notInclude(received, '"id":"eve"')
    })
  )

  it.effect("but unusual is answered as any other", () =>
    Effect.gen(function* () {
      const { raw } = yield* App
      const { ada } = yield* people
      const head = `${yield* headOf(ada)}Connection: close\r\n`
      const json = "Content-Type: application/json\r\n"
      const upgrade = head.replace("close", "close, Upgrade")

      for (const [status, ...parts] of [
        [200, `GET http://elsewhere.example/client-data/profile HTTP/1.1\r\n${head}\r\n`],
        [200, `GET http://elsewhere.example/api/client-data/profile HTTP/1.1\r\n${head}\r\n`],
        [200, `GET /client-data/profile HTTP/1.1\r\n${upgrade}Upgrade: h2c\r\n\r\n`],
        [200, `GET /client-data/profile HTTP/1.1\r\n${upgrade}Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`],
        [
          200,
          `PUT /client-data/profile HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\n`,
          "1\r\n{\r\n",
          "1\r\n}\r\n0\r\n\r\n"
        ],
        [404, `OPTIONS * HTTP/1.1\r\n${head}\r\n`],
        [405, `PURGE /client-data/profile HTTP/1.1\r\n${head}\r\n`]
      ] as const) {
        assert.deepStrictEqual(statusesOf(yield* raw(...parts)), [status], parts[0])
      }
      const expecting = `PUT /client-data/profile HTTP/1.1\r\n${head}${json}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`
      assert.deepStrictEqual(statusesOf(yield* raw(expecting, "{}")), [100, 200])
    })
  )

  it.effect("because it offers another protocol keeps its connection, and nothing once its sender has gone", () =>
    Effect.gen(function* () {
      const { socket } = yield* App
      const { ada } = yield* people
      const head = `HTTP/1.1\r\n${yield* headOf(ada)}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`
      /** Asks for one after the other, each when the one before is answered. */
      const ask = (...paths: ReadonlyArray<string>) =>
        Effect.scoped(
          Effect.flatMap(socket, (socket) =>
            Effect.callback<number | undefined>((resume) => {
              socket.on("close", () => resume(Effect.succeed(undefined)))
              const next = () => socket.write(`GET ${paths[0]} ${head}`)
              socket.on("data", (answer) => {
                paths = paths.slice(1)
                if (paths.length > 0) next()
                else resume(Effect.succeed(statusesOf(String(answer))[0]))
              })
              next()
            })
          )
        )

      const twice = yield* ask("/client-data/profile", "/client-data/profile")
      const followed: Array<number | undefined> = []
      for (let n = 0; n < 11; n++) {
        followed.push(yield* ask("/client-data/events"))
        yield* Effect.sleep("50 millis")
      }

      assert.strictEqual(twice, 200)
      assert.deepStrictEqual(followed, Array(11).fill(200))
    })
  )

  it.effect("because its sender hangs up half way changes nothing and is no failure of ours", () =>
    Effect.gen(function* () {
      const { call, logs, socket } = yield* App
      const { ada } = yield* people
      const head = yield* headOf(ada)
      const body = '{"name":"Half a na'
      const before = yield* fingerprint
      const from = logs.length

      for (let n = 0; n < 20; n++) {
        const request = `PUT /client-data/profile HTTP/1.1\r\n${head}Content-Type: application/json\r\nIdempotency-Key: k-${n}\r\nContent-Length: 40\r\n\r\n${body}`
        yield* Effect.scoped(
          Effect.flatMap(socket, (socket) =>
            Effect.callback<void>((resume) => {
              socket.write(request.slice(0, 40 + n * 25), () => resume(Effect.void))
            })
          )
        )
      }
      const answer = yield* call(ada, "GET", "/client-data/profile")

      assert.deepInclude(answer.json, { name: "Ada", version: 1 })
      assert.deepStrictEqual(yield* fingerprint, before)
      assert.notInclude(
        logs.slice(from).map(({ level }) => level),
        "ERROR"
      )
    })
  )
})

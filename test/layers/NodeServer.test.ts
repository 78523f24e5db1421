import { assert, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { connect } from "node:net"
import * as NodeServer from "../../src/layers/NodeServer.ts"

/** A server that tells nobody anything else than that they come too often, and that a moment later. */
const refusing = Layer.effectDiscard(HttpServer.serveEffect(Effect.succeed(HttpServerResponse.empty()))).pipe(
  Layer.provideMerge(
    NodeServer.layer({
      port: 0,
      host: "127.0.0.1",
      gracefulShutdownTimeout: "2 seconds",
      patience: 20_000,
      refusal: () => ({ status: 429, headers: {}, body: "no", after: 250 }),
      inTurn: (_url, _headers, run) => run()
    })
  )
)

it.live("An answer that is kept back when the server closes is given, and is the last on its connection", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* Layer.buildWithScope(refusing, scope)
    const { address } = yield* HttpServer.HttpServer.pipe(Effect.provideContext(services))
    if (!("port" in address)) throw new Error("A server without a port")
    const socket = connect(address.port, "127.0.0.1")
    let answer = ""
    socket.on("data", (data) => (answer += data))
    socket.write("GET / HTTP/1.1\r\nHost: test\r\n\r\n")

    yield* Effect.sleep("100 millis")
    const ended = new Promise((resolve) => socket.on("close", resolve))
    yield* Scope.close(scope, Exit.void)
    yield* Effect.promise(() => ended)

    assert.match(answer, /^HTTP\/1\.1 429 .*\r\nConnection: close\r\n.*no$/s)
  })
)

it.live("A request whose client goes away while it waits for its turn does not begin", () =>
  Effect.gen(function* () {
    const begun: Array<string> = []
    const app = HttpServer.serveEffect(
      HttpServerRequest.HttpServerRequest.use(({ url }) => {
        begun.push(url)
        return Effect.succeed(HttpServerResponse.empty())
      })
    )
    const waiting = NodeServer.layer({
      port: 0,
      host: "127.0.0.1",
      gracefulShutdownTimeout: "2 seconds",
      patience: 20_000,
      refusal: () => undefined,
      inTurn: (_url, _headers, run) => setTimeout(run, 300)
    })
    const services = yield* Layer.build(Layer.effectDiscard(app).pipe(Layer.provideMerge(waiting)))
    const { address } = yield* HttpServer.HttpServer.pipe(Effect.provideContext(services))
    if (!("port" in address)) throw new Error("A server without a port")
    for (const url of ["/gone", "/here"]) {
      const socket = connect(address.port, "127.0.0.1")
      socket.resume().write(`GET ${url} HTTP/1.1\r\nHost: test\r\n\r\n`)
      yield* Effect.sleep("100 millis")
      if (url === "/gone") socket.destroy()
      else yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
    }
    yield* Effect.sleep("600 millis")

    assert.deepStrictEqual(begun, ["/here"])
  }).pipe(Effect.scoped)
)

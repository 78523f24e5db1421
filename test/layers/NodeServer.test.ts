import { assert, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { HttpServer, HttpServerResponse } from "effect/http"
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

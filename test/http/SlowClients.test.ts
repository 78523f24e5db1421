import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Socket } from "node:net"
import { assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { bodyOf, field, file, form, formType } from "../support/Forms.ts"
import { fingerprint, people, type Person } from "../support/People.ts"
import { leftoversOf, usedBy } from "../support/Uploading.ts"

const patience = { sending: 600, taking: 1_500 }

const headOf = Effect.fnUntraced(function* (person: Person, request: string, ...headers: ReadonlyArray<string>) {
  const { tokenOf } = yield* App
  const own = ["Host: test", `orgid: ${person.orgId}`, `Authorization: Bearer ${yield* tokenOf(person)}`]
  return `${request} HTTP/1.1\r\n${[...own, ...headers].join("\r\n")}\r\n\r\n`
})

/** What comes back on a connection until the server ends it, and when it has, in milliseconds from now. */
const untilEnd = (socket: Socket) =>
  Effect.callback<{ readonly text: string; readonly ms: number }>((resume) => {
    const began = performance.now()
    const chunks: Array<Buffer> = []
    socket.on("data", (chunk) => chunks.push(chunk))
    socket.on("close", () =>
      resume(Effect.succeed({ text: Buffer.concat(chunks).toString("latin1"), ms: performance.now() - began }))
    )
  }).pipe(Effect.timeout("10 seconds"), Effect.orDie)

/** Sends the head at once and then a piece at a time, for as long as the server listens. */
const sending = Effect.fnUntraced(function* (head: string, pieces: ReadonlyArray<string | Uint8Array>, every: number) {
  const socket = yield* Effect.flatMap(App, ({ socket }) => socket)
  socket.write(head)
  let next = 0
  const timer = setInterval(() => {
    if (next === pieces.length || socket.destroyed) clearInterval(timer)
    else socket.write(pieces[next++]!)
  }, every)
  yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(timer)))
  return yield* untilEnd(socket)
})

const answerIn = (text: string) => {
  const [head = "", ...rest] = text.split("\r\n\r\n")
  const headers = Object.fromEntries(
    head
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(": ") as [string, string])
      .map(([name, value]) => [name.toLowerCase(), value])
  )
  const body = rest.join("\r\n\r\n")
  return {
    status: Number(head.split(" ")[1]),
    headers,
    bytes: Buffer.from(body),
    text: body,
    json: JSON.parse(body)
  }
}

const assertTold = ({ ms, text }: { readonly ms: number; readonly text: string }) => {
  const answer = answerIn(text)
  assertProblem(answer, 408, "request_timeout")
  assert.strictEqual(answer.headers["connection"], "close")
  assert.isAtLeast(ms, patience.sending - 50)
  assert.isBelow(ms, 4_000)
}

const json = "Content-Type: application/json"
const trickle = Array<string>(100).fill("1\r\n \r\n")

layer(TestApp.layerWith({ patience }), { excludeTestServices: true })((it) => {
  describe("A body that does not arrive", () => {
    it.effect("in time is answered with 408 and the end of the connection, and changes nothing", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const before = yield* fingerprint
        const put = "PUT /client-data/profile"
        const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, number]> = [
          [yield* headOf(ada, put, json, "Content-Length: 50"), [], 100],
          [yield* headOf(ada, put, json, "Content-Length: 50"), ['{"name":"Slow', "er"], 50],
          [yield* headOf(ada, put, json, "Content-Length: 50", "Idempotency-Key: slow"), ["{", '"name"'], 50],
          [yield* headOf(ada, put, json, "Transfer-Encoding: chunked"), trickle, 100],
          [yield* headOf(ada, put, "Transfer-Encoding: chunked"), trickle, 100],
          [yield* headOf(ada, put, "Content-Length: 50"), [" ", " "], 100],
          [yield* headOf(ada, "DELETE /client-data/addresses/none", "Content-Length: 5"), [" "], 100]
        ]
        for (const told of yield* Effect.all(
          cases.map(([head, pieces, every]) => Effect.scoped(sending(head, pieces, every))),
          { concurrency: "unbounded" }
        ))
          assertTold(told)
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("at once, but soon, is read as any other", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const body = '{"name":"Patient"}'
        const head = yield* headOf(ada, "PUT /client-data/profile", json, "Connection: close", "Content-Length: 18")
        const { text } = yield* Effect.scoped(sending(head, [body.slice(0, 6), body.slice(6)], 150))
        assert.match(text, /^HTTP\/1.1 200 /)
        assert.include(text, "Patient")
      })
    )

    it.effect("and that nobody wants holds no connection", () =>
      Effect.gen(function* () {
        const head = "POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nx"
        const { ms, text } = yield* Effect.scoped(sending(head, [], 100))
        assert.match(text, /^HTTP\/1.1 404 /)
        assert.isBelow(ms, 5_000)
      })
    )
  })

  describe("An upload", () => {
    const post = "POST /client-data/files/upload"
    const type = `Content-Type: ${formType}`
    const body = bodyOf(field("folder", "x"), file("a.txt", "a".repeat(4_000)), file("b.txt", "b"))

    it.effect("that stalls anywhere, or trickles, is answered with 408 and leaves nothing", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const head = yield* headOf(ada, post, type, `Content-Length: ${body.length}`)
        const pieces = [...body].map((byte) => Uint8Array.of(byte))
        const cases = [0, 20, 300, 2_000, body.length - 10].map((part) => [body.subarray(0, part)])
        const told = yield* Effect.all(
          [
            ...cases.map((pieces) => Effect.scoped(sending(head, pieces, 10))),
            Effect.scoped(sending(head, pieces, 50))
          ],
          { concurrency: "unbounded" }
        )
        for (const one of told) assertTold(one)
        yield* Effect.sleep("100 millis")
        assert.strictEqual(yield* usedBy(ada), 0)
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
      })
    )

    it.effect("may take its time as long as it comes along", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const head = yield* headOf(ada, post, type, "Connection: close", `Content-Length: ${body.length}`)
        const pieces = Array.from({ length: Math.ceil(body.length / 200) }, (_, n) =>
          body.subarray(n * 200, (n + 1) * 200)
        )
        const { ms, text } = yield* Effect.scoped(sending(head, pieces, 100))
        assert.match(text, /^HTTP\/1.1 201 /)
        assert.isAbove(ms, 2 * patience.sending)
      })
    )
  })

  describe("An answer", () => {
    const size = 24 * 1024 * 1024

    it.effect("that is not taken is cut, and one that is taken slowly is not", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call, socket } = yield* App
        yield* call(ada, "POST", "/client-data/files/upload", form([file("big.txt", "x".repeat(size))]))
        const head = yield* headOf(ada, "GET /client-data/files/big.txt", "Connection: close")

        const taken = (pausing: number) =>
          Effect.scoped(
            Effect.gen(function* () {
              const reader = yield* socket
              reader.pause()
              reader.write(head)
              yield* Effect.sleep(pausing)
              let slowly = 0
              reader.on("data", () => {
                if (pausing > patience.taking || slowly++ > 40) return
                reader.pause()
                setTimeout(() => reader.resume(), 60)
              })
              reader.resume()
              return yield* untilEnd(reader)
            })
          )
        const [stuck, slow] = yield* Effect.all([taken(2.5 * patience.taking), taken(100)], {
          concurrency: "unbounded"
        })
        assert.isBelow(stuck.text.length, size)
        assert.isAbove(slow.text.length, size)
        assert.isAbove(slow.ms, 1.5 * patience.taking)
      })
    )

    it.effect("that has nothing to say goes on, and the connection after it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call, socket } = yield* App
        const reader = yield* socket
        reader.write(yield* headOf(ada, "GET /client-data/events"))
        let heard = ""
        reader.on("data", (chunk) => (heard += chunk))
        yield* Effect.sleep(2.5 * patience.taking)
        yield* call(ada, "PUT", "/client-data/profile", { body: { name: "Heard" } })
        yield* Effect.sleep("1500 millis")
        assert.isFalse(reader.destroyed)
        assert.include(heard, "Heard")

        const kept = yield* socket
        const get = yield* headOf(ada, "GET /client-data/profile")
        let answers = ""
        kept.on("data", (chunk) => (answers += chunk))
        kept.write(get)
        yield* Effect.sleep(2 * patience.taking)
        kept.write(get)
        yield* Effect.sleep("300 millis")
        assert.strictEqual(answers.match(/HTTP\/1.1 200 /g)?.length, 2)
      })
    )
  })
})

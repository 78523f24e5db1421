import { assert, layer } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { FileSweeper } from "../../src/services/FileSweeper.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { bodyOf, field, file, form, formType } from "../support/Forms.ts"
import { type Customer, people } from "../support/People.ts"
import { leftoversOf, usedBy } from "../support/Uploading.ts"

const root = "/client-data/files"
const mebibyte = 1024 * 1024
const body = bodyOf(
  field("folder", "x"),
  file("a.txt", Buffer.alloc(mebibyte, "a")),
  file("b.txt", Buffer.alloc(mebibyte, "b"))
)

const head = (who: Customer, token: string, length: string) =>
  [
    `POST ${root}/upload HTTP/1.1`,
    "Host: localhost",
    `orgid: ${who.orgId}`,
    `Authorization: Bearer ${token}`,
    `Content-Type: ${formType}`,
    length,
    "Connection: close",
    "",
    ""
  ].join("\r\n")

/** What comes back on a connection until it ends. */
const answerOn = (socket: NodeJS.ReadableStream) =>
  Effect.callback<string>((resume) => {
    let text = ""
    socket.on("data", (chunk) => (text += chunk))
    socket.on("close", () => resume(Effect.succeed(text)))
  })

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  it.effect("A connection that is cut anywhere leaves no file, no bytes and no row", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { call, socket, tokenOf } = yield* App
      const token = yield* tokenOf(ada)

      for (const part of [0.001, 0.3, 0.5, 0.51, 0.9, 0.999]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const connection = yield* socket
            connection.write(head(ada, token, `Content-Length: ${body.length}`))
            connection.write(body.subarray(0, Math.floor(body.length * part)))
            yield* Effect.sleep("50 millis")
            connection.destroy()
          })
        )
      }
      yield* leftoversOf(ada).pipe(
        Effect.repeat({ until: (rows) => rows.length === 0, schedule: Schedule.spaced("20 millis") }),
        Effect.timeout("10 seconds")
      )

      assert.strictEqual((yield* call(ada, "GET", root)).json.total, 0)
      assert.strictEqual(yield* usedBy(ada), 0)
      assert.strictEqual(yield* FileSweeper.use(({ sweep }) => sweep), 0)
      assert.strictEqual((yield* call(ada, "POST", `${root}/upload`, form([file("a.txt")]))).status, 201)
    })
  )

  it.effect("An upload that cannot end well is answered before it ends, and the answer arrives", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { socket, tokenOf } = yield* App
      const connection = yield* socket
      const chunk = Buffer.alloc(mebibyte, "a")
      const start = bodyOf(file("a.txt", "")).subarray(0, -30)
      connection.write(head(ada, yield* tokenOf(ada), "Transfer-Encoding: chunked"))
      connection.write(`${start.length.toString(16)}\r\n`)
      connection.write(Buffer.concat([start, Buffer.from("\r\n")]))

      let sent = 0
      const sending = Effect.gen(function* () {
        while (!connection.destroyed && sent < 200) {
          sent++
          const more = connection.write(
            Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")])
          )
          if (!more) yield* Effect.sleep("5 millis")
        }
      })
      const [answer] = yield* Effect.all([answerOn(connection), sending], { concurrency: 2 })

      assert.match(answer, /^HTTP\/1\.1 413 /)
      assert.match(answer, /file_too_large/)
      assert.match(answer, /connection: close/i)
      assert.deepStrictEqual(yield* leftoversOf(ada), [])
    })
  )

  it.effect("A length that no form may have is refused before a byte of it is sent", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { socket, tokenOf } = yield* App
      const connection = yield* socket
      connection.write(head(ada, yield* tokenOf(ada), "Content-Length: 1000000000"))

      const answer = yield* answerOn(connection)

      assert.match(answer, /^HTTP\/1\.1 413 /)
      assert.match(answer, /file_too_large/)
    })
  )

  it.effect("An upload reaches nobody without a token, and another org's not either", () =>
    Effect.gen(function* () {
      const { ada, mallory } = yield* people
      const { call } = yield* App
      const { body, headers } = form([file("a.txt")])

      const nobody = yield* call(undefined, "POST", `${root}/upload`, {
        body,
        headers: { ...headers, orgid: ada.orgId }
      })
      const foreign = yield* call(mallory, "POST", `${root}/upload`, {
        body,
        headers: { ...headers, orgid: ada.orgId }
      })

      assert.deepStrictEqual([nobody.status, foreign.status], [401, 403])
      assert.strictEqual((yield* call(ada, "GET", root)).json.total, 0)
    })
  )
})

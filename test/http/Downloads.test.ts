import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { field, file, form } from "../support/Forms.ts"
import { people } from "../support/People.ts"
import { png } from "../support/Samples.ts"

const root = "/client-data/files"
const content = "0123456789"

/** Ada with one file of ten digits, and the two ways to it. */
const adasFile = Effect.gen(function* () {
  const { ada, ...others } = yield* people
  const { call } = yield* App
  const { json } = yield* call(ada, "POST", `${root}/upload`, form([file("digits.txt", content), field("folder", "a")]))
  const link = new URL(json[0].url).pathname
  const get = (headers: Record<string, string> = {}, method = "GET") =>
    call(ada, method, `${root}/a/digits.txt`, { headers })
  const open = (headers: Record<string, string> = {}, method = "GET") => call(undefined, method, link, { headers })
  return { ada, ...others, call, link, etag: `"${json[0].sha256}"`, ways: [get, open] as const, get, open }
})

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A download", () => {
    it.effect("is an attachment that no page shows and no browser takes for something else", () =>
      Effect.gen(function* () {
        const { call, ada, etag, ways } = yield* adasFile
        for (const way of ways) {
          const { headers, status, text } = yield* way()
          assert.deepStrictEqual([status, text], [200, content])
          assert.deepInclude(headers, {
            etag,
            "content-type": "text/plain; charset=utf-8",
            "content-length": "10",
            "content-disposition": "attachment; filename*=UTF-8''digits.txt",
            "x-content-type-options": "nosniff",
            "content-security-policy": "sandbox; default-src 'none'",
            "cache-control": "private, no-cache",
            "accept-ranges": "bytes"
          })
        }
        yield* call(ada, "POST", `${root}/upload`, form([file("a.html", png)]))
        const disguised = yield* call(ada, "GET", `${root}/a.html.png`)
        assert.strictEqual(disguised.headers["content-type"], "image/png")
      })
    )

    it.effect("answers HEAD with the same headers and no body", () =>
      Effect.gen(function* () {
        const { ways } = yield* adasFile
        for (const way of ways) {
          const [whole, head] = [yield* way(), yield* way({ range: "bytes=0-1" }, "HEAD")]
          const {
            connection: _a,
            date: _b,
            "keep-alive": _c,
            ratelimit: _d,
            "x-request-id": _e,
            ...expected
          } = whole.headers
          assert.deepStrictEqual([head.status, head.text], [200, ""])
          assert.deepInclude(head.headers, expected)
        }
      })
    )

    it.effect("gives the range that is asked for", () =>
      Effect.gen(function* () {
        const { ways } = yield* adasFile
        const ranges = [
          ["bytes=0-0", "0", "0-0"],
          ["bytes=2-5", "2345", "2-5"],
          ["bytes=7-", "789", "7-9"],
          ["bytes=-3", "789", "7-9"],
          ["bytes=-100", content, "0-9"],
          ["bytes=8-99999", "89", "8-9"],
          ["Bytes=9-9", "9", "9-9"]
        ] as const
        for (const [range, part, where] of ranges) {
          for (const way of ways) {
            const { headers, status, text } = yield* way({ range })
            assert.deepStrictEqual([status, text], [206, part], range)
            assert.deepInclude(headers, { "content-range": `bytes ${where}/10`, "content-length": String(part.length) })
          }
        }
      })
    )

    it.effect("gives all of it when what is asked for is several ranges or none", () =>
      Effect.gen(function* () {
        const { get } = yield* adasFile
        for (const range of [
          "bytes=0-1,4-5",
          "bytes=5-2",
          "bytes=-",
          "bytes=a-b",
          "items=0-1",
          "bytes 0-1",
          "bytes=0x0-1",
          ""
        ]) {
          const { headers, status, text } = yield* get({ range })
          assert.deepStrictEqual([status, text, headers["content-range"]], [200, content, undefined], range)
        }
      })
    )

    it.effect("says how long the file is when the range lies beyond it", () =>
      Effect.gen(function* () {
        const { ways } = yield* adasFile
        for (const range of ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=999999999999999-"]) {
          for (const way of ways) {
            const answer = yield* way({ range })
            assertProblem(answer, 416, "range_not_satisfiable")
            assert.strictEqual(answer.headers["content-range"], "bytes */10")
          }
        }
      })
    )

    it.effect("goes on where it broke off only while the file is the same", () =>
      Effect.gen(function* () {
        const { etag, get } = yield* adasFile
        const statusOf = (ifRange: string) =>
          Effect.map(get({ range: "bytes=5-", "if-range": ifRange }), ({ status, text }) => [status, text])

        assert.deepStrictEqual(yield* statusOf(etag), [206, "56789"])
        for (const other of ['"another"', `W/${etag}`, "Mon, 23 Nov 2026 10:00:00 GMT", "x"]) {
          assert.deepStrictEqual(yield* statusOf(other), [200, content])
        }
      })
    )

    it.effect("is not sent again to whoever has it, in whole or in part", () =>
      Effect.gen(function* () {
        const { etag, ways } = yield* adasFile
        for (const way of ways) {
          for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
            for (const range of [{}, { range: "bytes=0-1" }, { range: "bytes=99-" }]) {
              const { headers, status, text } = yield* way({ "if-none-match": known, ...range })
              assert.deepStrictEqual([status, text, headers["etag"]], [304, "", etag])
            }
          }
          assert.strictEqual((yield* way({ "if-none-match": '"x"' })).status, 200)
        }
      })
    )
  })

  describe("A link", () => {
    it.effect("needs no token, no org, and takes no other method than reading", () =>
      Effect.gen(function* () {
        const { call, link, mallory, open } = yield* adasFile

        assert.strictEqual((yield* open()).text, content)
        assert.strictEqual((yield* call(mallory, "GET", link)).text, content)
        for (const method of ["POST", "PUT", "DELETE"]) {
          assertProblem(yield* call(undefined, method, link, { body: {} }), 405, "method_not_allowed")
        }
        assert.strictEqual((yield* open()).status, 200)
      })
    )

    it.effect("that is edited answers as one that never was, and the log holds none", () =>
      Effect.gen(function* () {
        const { call, link } = yield* adasFile
        const { logs } = yield* App
        const never = yield* call(undefined, "GET", "/files/never-was")
        assertProblem(never, 404, "file_not_found")

        const edited = [...link]
          .map((character, at) => `${link.slice(0, at)}${character === "x" ? "y" : "x"}${link.slice(at + 1)}`)
          .filter((one) => one.startsWith("/files/"))
        const answers = yield* Effect.forEach(
          edited,
          (one) => Effect.map(call(undefined, "GET", one), (answer) => [one, answer] as const),
          {
            concurrency: 10
          }
        )

        assert.isAbove(answers.length, 100)
        for (const [one, answer] of answers) {
          assert.deepStrictEqual(traits(answer, one), traits(never, "/files/never-was"))
        }
        assert.isTrue(logs.every(({ text }) => !text.includes(link.slice("/files/".length))))
      })
    )

    it.effect("ends with its quarter of an hour, with its file, and not with another file in its place", () =>
      Effect.gen(function* () {
        const { ada, call, get, link, open } = yield* adasFile
        const { advance } = yield* App

        yield* advance("14 minutes")
        const before = yield* open()
        yield* advance("2 minutes")
        const expired = yield* open()
        const fresh = new URL((yield* call(ada, "GET", root)).json.data[0].url).pathname
        const renewed = yield* call(undefined, "GET", fresh)
        yield* call(ada, "DELETE", `${root}/a/digits.txt`)
        const deleted = yield* call(undefined, "GET", fresh)
        yield* call(ada, "POST", `${root}/upload`, form([file("digits.txt", "other"), field("folder", "a")]))
        const replaced = yield* call(undefined, "GET", fresh)

        assert.deepStrictEqual([before.status, renewed.status], [200, 200])
        assert.strictEqual((yield* get()).text, "other")
        for (const answer of [expired, deleted, replaced]) assertProblem(answer, 404, "file_not_found")
        assert.notStrictEqual(fresh, link)
      })
    )

    it.effect("is not cached where others could find it", () =>
      Effect.gen(function* () {
        const { open } = yield* adasFile
        assert.strictEqual((yield* open()).headers["cache-control"], "private, no-cache")
      })
    )
  })
})

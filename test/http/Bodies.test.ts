import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { gzipSync } from "node:zlib"
import { assertInvalid, assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { fingerprint, makeOrg, newcomer, people, type Person } from "../support/People.ts"

const mebibyte = 1024 * 1024

/** A body of exactly so many bytes. */
const sized = (bytes: number) => `{"name":"Ada"}${" ".repeat(bytes - 14)}`

/** What a request to change the profile begins with on the wire. */
const head = Effect.fnUntraced(function* (person: Person, ...headers: ReadonlyArray<string>) {
  const { tokenOf } = yield* App
  const own = [`Host: test`, `orgid: ${person.orgId}`, `Authorization: Bearer ${yield* tokenOf(person)}`]
  const all = [...own, "Content-Type: application/json", "Connection: close", ...headers]
  return `PUT /client-data/profile HTTP/1.1\r\n${all.join("\r\n")}\r\n\r\n`
})

const assertRefused = (answer: string, status: number, code: string) => {
  const [first, ...rest] = answer.split("\r\n\r\n")
  assert.match(first!, new RegExp(`^HTTP/1.1 ${status} `))
  assert.include(first!, "content-type: application/problem+json")
  assert.match(first!, /connection: close/i)
  assert.strictEqual(JSON.parse(rest.join("")).code, code)
}

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("A body over one mebibyte", () => {
    it.effect("is refused, and one of exactly that size is not", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        const most = yield* call(ada, "PUT", "/client-data/profile", { body: sized(mebibyte) })
        const more = yield* call(ada, "PUT", "/client-data/profile", { body: sized(mebibyte + 1) })

        assert.strictEqual(most.status, 200)
        assertProblem(more, 413, "payload_too_large")
      })
    )

    it.effect("is refused by its length, before any of it is sent", () =>
      Effect.gen(function* () {
        const { raw } = yield* App
        const { ada } = yield* people

        for (const more of [[], ["Expect: 100-continue"], ["Idempotency-Key: large"]]) {
          const answer = yield* raw(yield* head(ada, `Content-Length: ${mebibyte + 1}`, ...more))

          assertRefused(answer, 413, "payload_too_large")
        }
      })
    )

    it.effect("is refused without a length as soon as it is over, though it never ends", () =>
      Effect.gen(function* () {
        const { raw } = yield* App
        const { ada } = yield* people
        const chunk = `8000\r\n${" ".repeat(0x8000)}\r\n`
        const body = Array<string>(mebibyte / 0x8000 + 1).fill(chunk)

        for (const more of [[], ["Idempotency-Key: endless"]]) {
          const answer = yield* raw(yield* head(ada, "Transfer-Encoding: chunked", ...more), ...body)

          assertRefused(answer, 413, "payload_too_large")
        }
      })
    )

    it.effect("is no reason to tell a stranger more than that they are one", () =>
      Effect.gen(function* () {
        const { raw } = yield* App
        const nobody = newcomer(yield* makeOrg("acme"), "nobody")
        const request = (yield* head(nobody, `Content-Length: ${10 * mebibyte}`)).replace(/Authorization: .*\r\n/, "")

        assertRefused(yield* raw(request), 401, "missing_authorization_header")
      })
    )
  })

  describe("A body that is not JSON in UTF-8", () => {
    it.effect("by its own word is refused, unread", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const before = yield* fingerprint
        const body = { name: "Changed" }

        for (const type of [
          "text/plain",
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=x",
          "application/xml",
          "application/problem+json",
          "application/jsonp",
          "application/json; charset=utf-16",
          'application/json; charset="iso-8859-1"',
          "x",
          "*/*",
          ""
        ]) {
          const answer = yield* call(ada, "PUT", "/client-data/profile", { body, headers: { "content-type": type } })
          assertProblem(answer, 415, "unsupported_media_type")
        }
        for (const coding of ["gzip", "br", "deflate", "gzip, identity", "x"]) {
          const headers = { "content-encoding": coding }
          const sent = coding === "gzip" ? gzipSync(JSON.stringify(body)) : body
          const answer = yield* call(ada, "PUT", "/client-data/profile", { body: sent, headers })
          assertProblem(answer, 415, "unsupported_media_type")
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("is read where its content type says no more than that it is", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        for (const type of [
          "application/json",
          "APPLICATION/JSON",
          "application/json; charset=UTF-8",
          "application/json;v=1"
        ]) {
          const headers = { "content-type": type, "content-encoding": "identity" }
          const answer = yield* call(ada, "PUT", "/client-data/profile", { body: { name: type }, headers })
          assert.deepStrictEqual([answer.status, answer.json.name], [200, type])
        }
      })
    )

    it.effect("in truth is an invalid request, and changes nothing", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const before = yield* fingerprint

        for (const body of [
          "",
          " ",
          "{",
          "nope",
          "{'name':'a'}",
          '{"name":"a"',
          '{"name":"a",}',
          "NaN",
          '{"name":"a"}{}',
          "\u0000"
        ]) {
          assertInvalid(yield* call(ada, "PUT", "/client-data/profile", { body }), "/body")
        }
        for (const body of ["null", "[]", "[{}]", '"name"', "1", "true", "1e400"]) {
          assertInvalid(yield* call(ada, "PUT", "/client-data/profile", { body }), "/body")
        }
        assertInvalid(yield* call(ada, "PUT", "/client-data/profile"), "/body")
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("in a part of it is an invalid request: nothing is replaced or dropped in silence", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const before = yield* fingerprint
        const about = (bytes: ReadonlyArray<number>) =>
          Buffer.concat([Buffer.from('{"about":"'), Buffer.from(bytes), Buffer.from('"}')])

        for (const body of [
          about([0xff]),
          about([0xc3, 0x28]),
          about([0xc0, 0xaf]),
          about([0xed, 0xa0, 0x80]),
          about([0xf0, 0x9f, 0x98]),
          about([0xef, 0xbf, 0xbd]),
          '{"about":"\\u0000"}',
          '{"about":"\\ud800"}',
          '{"about":"\\udc00\\ud800"}',
          '{"about":"a\\ufffdb"}'
        ]) {
          assertInvalid(yield* call(ada, "PUT", "/client-data/profile", { body }), "/body/about")
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })

  describe("A key of a body", () => {
    it.effect("that is not known is named in the answer, each of them", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const before = yield* fingerprint

        for (const [body, ...pointers] of [
          ['{"nope":1}', "/body/nope"],
          ['{"name":"a","Name":"b"}', "/body/Name"],
          ['{"a":1,"b":{"c":2},"about":null}', "/body/a", "/body/b"],
          ['{"a/b~c":1}', "/body/a~1b~0c"],
          ['{"":1}', "/body/"],
          ['{"__proto__":{"name":"polluted"}}', "/body/__proto__"],
          ['{"constructor":{"prototype":{"name":"polluted"}}}', "/body/constructor"],
          ['{"toString":1,"hasOwnProperty":2}', "/body/toString", "/body/hasOwnProperty"],
          ['{"nope":1,"about":5}', "/body/nope", "/body/about"]
        ] as const) {
          assertInvalid(yield* call(ada, "PUT", "/client-data/profile", { body }), ...pointers)
        }
        assert.strictEqual(({} as Record<string, unknown>)["name"], undefined)
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("may be nested deeper than anybody can follow, to no harm", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const before = yield* fingerprint
        const deep = 100_000

        for (const body of [
          "[".repeat(deep),
          "[".repeat(deep) + "]".repeat(deep),
          `{"about":${"[".repeat(deep)}${"]".repeat(deep)}}`,
          `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`
        ]) {
          for (const headers of [{}, { "idempotency-key": "deep" }]) {
            assertProblem(yield* call(ada, "PUT", "/client-data/profile", { body, headers }), 400, "invalid_request")
          }
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("that comes twice counts as it came last", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        const { json } = yield* call(ada, "PUT", "/client-data/profile", { body: '{"name":"first","name":"last"}' })

        assert.strictEqual(json.name, "last")
      })
    )
  })
})

import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { type Answer, App } from "../support/App.ts"
import { field, file, form, type Part } from "../support/Forms.ts"
import { type Customer, nextNumber, people } from "../support/People.ts"
import { docx, pdf, png } from "../support/Samples.ts"
import { leftoversOf, usedBy } from "../support/Uploading.ts"

const root = "/client-data/files"
const upload = (who: Customer, parts: ReadonlyArray<Part>, headers: Record<string, string> = {}) =>
  App.use(({ call }) => call(who, "POST", `${root}/upload`, form(parts, headers)))
const pathsOf = (who: Customer) =>
  App.use(({ call }) =>
    Effect.map(call(who, "GET", `${root}?s=path&st=asc&ps=200`), ({ json }): ReadonlyArray<string> =>
      json.data.map(({ path }: { readonly path: string }) => path)
    )
  )
const named = ({ json }: Answer): ReadonlyArray<string> => json.map(({ path }: { readonly path: string }) => path)

/** That nothing has come of it: no file, no bytes, no use of the quota. */
const assertNothing = Effect.fnUntraced(function* (who: Customer) {
  assert.deepStrictEqual(yield* pathsOf(who), [])
  assert.deepStrictEqual([yield* leftoversOf(who), yield* usedBy(who)], [[], 0])
})

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("An upload", () => {
    it.effect("answers 201 with each file, in the folder that is named before, between or after them", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const parts = [file("a.png", png), file("b.docx", docx)]

        const first = yield* upload(ada, [field("folder", "x/y"), ...parts])
        const second = yield* upload(ada, [parts[0]!, field("folder", "x/y"), parts[1]!])
        const third = yield* upload(ada, [...parts, field("folder", "/z/")])
        const bare = yield* upload(ada, [parts[0]!])

        assert.deepStrictEqual([first.status, second.status, third.status, bare.status], [201, 201, 201, 201])
        assert.deepStrictEqual(named(first), ["x/y/a.png", "x/y/b.docx"])
        assert.deepStrictEqual(named(second), ["x/y/a (1).png", "x/y/b (1).docx"])
        assert.deepStrictEqual([named(third), named(bare)], [["z/a.png", "z/b.docx"], ["a.png"]])
        assert.hasAllKeys(bare.json[0], "path name size contentType sha256 createdAt url urlExpiresAt".split(" "))
        assert.deepInclude(bare.json[0], { name: "a.png", size: png.length, contentType: "image/png" })
      })
    )

    it.effect("of several files, one of which cannot be taken, takes none", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const bad: ReadonlyArray<readonly [Part, number, string]> = [
          [file("evil.png", "<html><script>alert(1)</script>"), 415, "file_type_not_allowed"],
          [file("picture.png", '<svg onload="alert(1)"/>'), 415, "file_type_not_allowed"],
          [file("large.txt", Buffer.alloc(25 * 1024 * 1024 + 1, "a")), 413, "file_too_large"],
          [file("empty.txt", ""), 400, "invalid_request"],
          [file("misplaced.txt", "hello", "files"), 400, "invalid_request"],
          [field("file", "not a file"), 400, "invalid_request"],
          [field("colour", "red"), 400, "invalid_request"],
          [field("folder", "../etc"), 400, "invalid_request"],
          [field("folder", "a\u0000b"), 400, "invalid_request"],
          [field("folder", "x".repeat(70_000)), 413, "payload_too_large"]
        ]
        for (const [part, status, code] of bad) {
          assertProblem(yield* upload(ada, [file("good.pdf", pdf), part, file("also-good.pdf", pdf)]), status, code)
          yield* assertNothing(ada)
        }
      })
    )

    it.effect("says where a form is wrong", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const folder = field("folder", "a")

        assertInvalid(yield* upload(ada, []), "/body/file")
        assertInvalid(yield* upload(ada, [folder]), "/body/file")
        assertInvalid(yield* upload(ada, [file("a.txt"), folder, folder]), "/body/folder")
        assertInvalid(yield* upload(ada, [file("a.txt"), field("__proto__", "x")]), "/body/__proto__")
        assertInvalid(yield* upload(ada, [file("a.txt"), field("a/b", "x")]), "/body/a~1b")
        assertInvalid(
          yield* upload(
            ada,
            Array.from({ length: 11 }, (_, n) => file(`${n}.txt`))
          ),
          "/body/file"
        )
        yield* assertNothing(ada)
      })
    )

    it.effect("of 5,000 parts is refused, and so is one part with a thousand headers", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const headers = Array.from({ length: 1000 }, (_, n) => `X-${n}: y`).join("\r\n")

        const many = yield* upload(
          ada,
          Array.from({ length: 5000 }, (_, n) => field(`f${n}`, "x"))
        )
        const manyFiles = yield* upload(
          ada,
          Array.from({ length: 5000 }, () => file("", ""))
        )
        const heads = yield* upload(ada, [{ ...file("a.txt"), type: `text/plain\r\n${headers}` }])

        assertProblem(many, 413, "payload_too_large")
        assertProblem(manyFiles, 413, "payload_too_large")
        assert.isAtMost(heads.status, 413)
        assert.notStrictEqual(heads.status, 500)
      })
    )

    it.effect("is a form that ends, of a type that is declared", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call } = yield* App
        const { body, headers } = form([file("a.txt")])
        const post = (sent: unknown, type: string | undefined) =>
          call(ada, "POST", `${root}/upload`, { body: sent, headers: { ...headers, "content-type": type } })

        for (const type of ["application/json", "multipart/mixed; boundary=x", "text/plain", undefined]) {
          assertProblem(yield* post(body, type), 415, "unsupported_media_type")
        }
        for (const type of ["multipart/form-data", "multipart/form-data; boundary=other"]) {
          assertInvalid(yield* post(body, type), "/body")
        }
        const cut = (body as Buffer).subarray(0, -20)
        assertInvalid(yield* post(cut, headers!["content-type"] as string), "/body")
        assertInvalid(yield* post("", headers!["content-type"] as string), "/body")
        assertInvalid(yield* post("x".repeat(100_000), headers!["content-type"] as string), "/body")
        yield* assertNothing(ada)
      })
    )

    it.effect(
      "takes a form of JSON and of text as the files they are, and skips a file input that was left empty",
      () =>
        Effect.gen(function* () {
          const { ada } = yield* people

          const { json, status } = yield* upload(ada, [
            { ...file("a.json", '{"a":1}'), type: "application/json" },
            { ...file("b.txt"), type: "text/plain; charset=utf-8" },
            file("", "")
          ])

          assert.strictEqual(status, 201)
          assert.deepStrictEqual(
            json.map(({ contentType, path }: any) => [path, contentType]),
            [
              ["a.json", "application/json"],
              ["b.txt", "text/plain"]
            ]
          )
        })
    )

    it.effect("keeps of a name what is one, and every name leads back to its file", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call } = yield* App
        const names = [
          ["../../../etc/passwd", "passwd"],
          ["..%2f..%2fetc%2fpasswd", "..%2f..%2fetc%2fpasswd".replace(/^\.+/, "")],
          ["C:\\\\boot.ini", "boot.ini"],
          [`${"a".repeat(300)}.txt`, `${"a".repeat(196)}.txt`],
          ["invoice\u202Efdp.exe", "invoicefdp.exe.txt"],
          ["page.html", "page.html.txt"],
          ["100% #1?.txt", "100% #1_.txt"],
          ["a;b&c=d+e.txt", "a;b&c=d+e.txt"],
          ["文書 👩‍🚀.txt", "文書 👩‍🚀.txt"],
          [".", "file"],
          ["..", "file (1)"],
          ["upload", "upload"]
        ] as const

        for (const [sent, name] of names) {
          const content = `of ${name}`
          const { json, status } = yield* upload(ada, [file(sent, content)])
          assert.deepStrictEqual([status, json[0]?.path], [201, name])
          const got = yield* call(ada, "GET", `${root}/${encodeURIComponent(name)}`)
          assert.deepStrictEqual([got.status, got.text], [200, content], name)
          assert.strictEqual(
            got.headers["content-disposition"],
            `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/[()'!*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`
          )
        }
        assert.sameMembers(
          [...(yield* pathsOf(ada))],
          names.map(([, name]) => name)
        )
      })
    )
  })

  describe("An upload with an Idempotency-Key", () => {
    it.effect("that is sent again gets the first answer, and its file is stored once", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const headers = { "idempotency-key": `key-${nextNumber()}` }
        const parts = [file("a.txt"), field("folder", "x"), file("b.pdf", pdf)]

        const first = yield* upload(ada, parts, headers)
        const again = yield* upload(ada, parts, headers)
        // Another boundary is no other request.
        const { call } = yield* App
        const { body } = form(parts)
        const reworded = yield* call(ada, "POST", `${root}/upload`, {
          body: Buffer.from(
            (body as Buffer).toString("latin1").replaceAll("----a-form-of-the-tests", "another"),
            "latin1"
          ),
          headers: { ...headers, "content-type": "multipart/form-data; boundary=another" }
        })

        assert.strictEqual(first.status, 201)
        for (const answer of [again, reworded]) {
          assert.deepStrictEqual([answer.status, answer.text], [201, first.text])
          assert.strictEqual(answer.headers["idempotency-replayed"], "true")
        }
        assert.deepStrictEqual(yield* pathsOf(ada), ["x/a.txt", "x/b.pdf"])
        assert.deepStrictEqual([yield* leftoversOf(ada), yield* usedBy(ada)], [[], 5 + pdf.length])
      })
    )

    it.effect("is another request with other bytes, another name or another folder", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const headers = { "idempotency-key": `key-${nextNumber()}` }
        yield* upload(ada, [file("a.txt", "hello")], headers)

        for (const parts of [
          [file("a.txt", "hellO")],
          [file("b.txt", "hello")],
          [file("a.txt", "hello"), field("folder", "x")],
          [file("a.txt", "hello"), file("a.txt", "hello")]
        ]) {
          assertProblem(yield* upload(ada, parts, headers), 422, "idempotency_key_reused")
        }
        assert.deepStrictEqual(yield* pathsOf(ada), ["a.txt"])
        assert.deepStrictEqual(yield* leftoversOf(ada), [])
      })
    )

    it.effect("happens once, however many arrive together", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const headers = { "idempotency-key": `key-${nextNumber()}` }

        const answers = yield* Effect.all(
          Array.from({ length: 20 }, () => upload(ada, [file("a.txt")], headers)),
          { concurrency: "unbounded" }
        )

        assert.isTrue(answers.every(({ status }) => status === 201 || status === 409))
        assert.isAtLeast(answers.filter(({ status }) => status === 201).length, 1)
        assert.deepStrictEqual([yield* pathsOf(ada), yield* leftoversOf(ada)], [["a.txt"], []])
      })
    )

    it.effect("may be corrected after it was refused", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const headers = { "idempotency-key": `key-${nextNumber()}` }

        const refused = yield* upload(ada, [file("a.png", "<html>")], headers)
        const wrong = yield* upload(ada, [file("a.png", png), field("folder", "..")], headers)
        const right = yield* upload(ada, [file("a.png", png)], headers)

        assert.deepStrictEqual([refused.status, wrong.status, right.status], [415, 400, 201])
      })
    )
  })

  describe("A file's path", () => {
    it.effect("may hold slashes as they are or encoded, and under /api too", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call } = yield* App
        yield* upload(ada, [field("folder", "a/b c/ü"), file("x.txt")])

        for (const path of ["a/b%20c/%C3%BC/x.txt", "a%2Fb%20c%2f%C3%BC%2Fx.txt", "a%2Fb%20c/ü/x.txt"]) {
          for (const prefix of ["", "/api"]) {
            const { status, text } = yield* call(
              ada,
              "GET",
              encodeURI(`${prefix}${root}/${path}`).replaceAll("%25", "%")
            )
            assert.deepStrictEqual([status, text], [200, "hello"], path)
          }
        }
        const removed = yield* call(ada, "DELETE", `${root}/a/b%20c/%C3%BC/x.txt`)
        const again = yield* call(ada, "DELETE", `${root}/a%2Fb%20c%2F%C3%BC%2Fx.txt`)
        assert.strictEqual(removed.status, 204)
        assertProblem(again, 404, "file_not_found")
      })
    )

    it.effect("that leads nowhere, up, or to the root answers as a file that does not exist", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call } = yield* App
        yield* upload(ada, [field("folder", "a"), file("x.txt")])
        const paths = [
          "no.txt",
          "..",
          "../x",
          "../../etc/passwd",
          "..%2f..%2fetc%2fpasswd",
          "%2e%2e/%2e%2e/etc/passwd",
          "%252e%252e%252f",
          "..%5c..%5cx",
          "%2Fetc%2Fpasswd",
          "/etc/passwd",
          "a/../a/x.txt",
          "a//x.txt",
          "a/x.txt/",
          "./a/x.txt",
          "A/X.TXT",
          "a",
          "a/",
          "C:%5Cx",
          "x.txt%0d%0aSet-Cookie:%20a=b",
          "x.txt%E2%80%AE"
        ]
        for (const path of paths) {
          for (const method of ["GET", "DELETE"]) {
            assertProblem(yield* call(ada, method, `${root}/${path}`), 404, "file_not_found")
          }
        }
        for (const path of ["a%00", "%ED%A0%80", "a".repeat(1001)]) {
          const { status } = yield* call(ada, "DELETE", `${root}/${path}`)
          assert.include([400, 404], status, path.slice(0, 20))
        }
        assert.deepStrictEqual(yield* pathsOf(ada), ["a/x.txt"])
      })
    )

    it.effect("of somebody else's file answers a stranger as one that does not exist, to the byte", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory, namesake } = yield* people
        const { call } = yield* App
        yield* upload(ada, [file("mine.txt")])

        for (const stranger of [eve, mallory, namesake]) {
          for (const method of ["GET", "HEAD", "DELETE"]) {
            const foreign = yield* call(stranger, method, `${root}/mine.txt`)
            const missing = yield* call(stranger, method, `${root}/none.txt`)
            assert.strictEqual(foreign.status, 404)
            assert.deepStrictEqual(traits(foreign, "mine.txt"), traits(missing, "none.txt"))
          }
          assert.deepStrictEqual(yield* pathsOf(stranger), [])
        }
        assert.strictEqual((yield* call(ada, "GET", `${root}/mine.txt`)).text, "hello")
      })
    )

    it.effect("answers other methods with those that it has", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { call } = yield* App
        for (const path of [`${root}/a.txt`, `${root}/a/b.txt`]) {
          const answer = yield* call(ada, "PUT", path, { body: {} })
          assertProblem(answer, 405, "method_not_allowed")
          assert.strictEqual(answer.headers["allow"], "DELETE, GET, HEAD, OPTIONS")
        }
      })
    )
  })

  it.effect("A file in use cannot be deleted", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { call } = yield* App
      const sql = yield* SqlClient.SqlClient
      yield* upload(ada, [file("a.txt")])
      yield* sql`CREATE TABLE test_references (org_id text, customer_id text, file_id text,
        FOREIGN KEY (org_id, customer_id, file_id) REFERENCES files (org_id, customer_id, id) ON DELETE RESTRICT)`
      yield* sql`INSERT INTO test_references SELECT org_id, customer_id, id FROM files WHERE org_id = ${ada.orgId}`

      const refused = yield* call(ada, "DELETE", `${root}/a.txt`)
      yield* sql`DROP TABLE test_references`
      const done = yield* call(ada, "DELETE", `${root}/a.txt`, { headers: { "idempotency-key": "once" } })
      const repeated = yield* call(ada, "DELETE", `${root}/a.txt`, { headers: { "idempotency-key": "once" } })

      assertProblem(refused, 409, "action_not_allowed")
      assert.deepStrictEqual([done.status, repeated.status], [204, 204])
    })
  )

  it.effect("A large file comes back as it went in", () =>
    Effect.gen(function* () {
      const { ada } = yield* people
      const { call } = yield* App
      const content = Buffer.concat([png, randomBytes(5_000_000)])

      yield* upload(ada, [file("a.png", content)])
      const got = yield* call(ada, "GET", `${root}/a.png`)

      assert.isTrue(content.equals(got.bytes))
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { as, type Customer, fingerprint, type Person, people, placeOrder } from "../support/People.ts"

const tickets = "/client-data/tickets"
const aTicket = { title: "Stuck keys", description: "The 7 and the 8." }

const store = (customer: Customer, name: string) =>
  FileUploads.use((uploads) =>
    Effect.flatMap(uploads.receive(name, Stream.make(new TextEncoder().encode("A file."))), (file) =>
      uploads.keep([file], "")
    )
  ).pipe(as(customer))

type Part = readonly [name: string, value: string, fileName?: string]

/** Sends a form as a browser does. */
const submit = Effect.fnUntraced(function* (
  who: Person,
  parts: ReadonlyArray<Part>,
  headers: Readonly<Record<string, string>> = {}
) {
  const { call } = yield* App
  const form = new FormData()
  for (const [name, value, fileName] of parts) {
    if (fileName === undefined) form.append(name, value)
    else form.append(name, new Blob([value]), fileName)
  }
  const request = new Request("http://form.example", { method: "POST", body: form })
  const body = new Uint8Array(yield* Effect.promise(() => request.arrayBuffer()))
  return yield* call(who, "POST", `${tickets}/with-attachments`, {
    body,
    headers: { "content-type": request.headers.get("content-type")!, ...headers }
  })
})

layer(TestApp.layer, { excludeTestServices: true })("Tickets", (it) => {
  it.effect("are opened, read, answered, closed and opened again over HTTP", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)

      const opened = yield* call(ada, "POST", tickets, { body: aTicket })
      assert.deepStrictEqual(
        [opened.status, opened.headers["location"], opened.headers["etag"]],
        [201, `${tickets}/1001`, '"1"']
      )
      const answered = yield* call(staff, "PUT", "/platform/tickets/1001", {
        body: { status: "pending", reply: { text: "Try the lever.", author: "Charles" } }
      })
      assert.deepStrictEqual([answered.status, answered.json.customerId], [200, "ada"])
      const read = yield* call(ada, "GET", opened.headers["location"]!)
      assert.deepStrictEqual(read.json.comments[0].author, { kind: "staff", name: "Charles" })
      assert.match(read.json.comments[0].createdAt, /^\d{4}-.+\.\d{3}Z$/)
      assert.notProperty(read.json, "customerId")
      const same = yield* call(ada, "GET", `${tickets}/${read.json.id}`, { headers: { "if-none-match": '"2"' } })
      assert.strictEqual(same.status, 304)

      const done = yield* call(ada, "PUT", tickets, { body: { ticketNumber: "1001", status: "done" } })
      const twice = yield* call(ada, "PUT", tickets, { body: { ticketNumber: "1001", status: "done" } })
      const again = yield* call(ada, "PUT", tickets, {
        body: { ticketNumber: "1001", comment: { text: "It is back." } },
        headers: { "if-match": done.headers["etag"] }
      })
      const late = yield* call(ada, "PUT", tickets, {
        body: { ticketNumber: "1001", title: "Late" },
        headers: { "if-match": done.headers["etag"] }
      })

      assertProblem(twice, 409, "action_not_allowed")
      assertProblem(late, 412, "version_mismatch")
      assert.deepStrictEqual([done.json.status, again.json.status, again.headers["etag"]], ["done", "open", '"4"'])
      const listed = yield* call(ada, "GET", `${tickets}?status=open&status=new&priority=medium`)
      assert.deepStrictEqual([listed.json.total, "comments" in listed.json.data[0]], [1, false])
      const ours = yield* call(staff, "GET", "/platform/tickets?customerId=ada&status=open")
      assert.deepStrictEqual([ours.json.total, ours.json.data[0].customerId], [1, "ada"])
    })
  )

  it.effect("come with their files, all or nothing", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve } = yield* people
      yield* store(ada, "own.txt")
      const foreign = yield* placeOrder(eve)
      const fields = Object.entries(aTicket)

      const opened = yield* submit(ada, [
        ...fields,
        ["priority", "high"],
        ["attachments", '["own.txt"]'],
        ["files", "One", "one.txt"],
        ["files", "Two", "two.txt"]
      ])
      assert.deepStrictEqual([opened.status, opened.headers["location"]], [201, `${tickets}/1001`])
      assert.deepStrictEqual(
        opened.json.attachments.map(({ path }: { path: string }) => path),
        ["own.txt", "tickets/one.txt", "tickets/two.txt"]
      )
      const bytes = yield* call(ada, "GET", "/client-data/files/tickets/two.txt")
      assert.deepStrictEqual([bytes.status, bytes.text], [200, "Two"])
      const before = yield* fingerprint

      const file = ["files", "One", "one.txt"] as const
      assertProblem(yield* submit(ada, [...fields, ["orderId", foreign.id], file]), 404, "order_not_found")
      assertProblem(yield* submit(ada, [...fields, ["attachments", '["none.txt"]'], file]), 404, "file_not_found")
      assertProblem(
        yield* submit(ada, [...fields, file, ["files", "\u007fELF\u0001", "program.exe"], file]),
        415,
        "file_type_not_allowed"
      )
      assertInvalid(yield* submit(ada, [["title", "No description"], file]), "/body/description")
      assertInvalid(yield* submit(ada, [...fields, ["status", "done"], file]), "/body/status")
      assertInvalid(yield* submit(ada, [...fields, ["attachments", "own.txt"], file]), "/body/attachments")
      assertProblem(
        yield* call(ada, "POST", `${tickets}/with-attachments`, { body: aTicket }),
        415,
        "unsupported_media_type"
      )

      assert.deepStrictEqual(yield* fingerprint, before)
      assert.strictEqual((yield* submit(ada, fields)).status, 201)
    })
  )

  it.effect("with one idempotency key are opened once, with their files or without", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      const headers = { "idempotency-key": "once" }
      const parts: ReadonlyArray<Part> = [...Object.entries(aTicket), ["files", "One", "one.txt"]]

      const first = yield* submit(ada, parts, headers)
      const again = yield* submit(ada, parts, headers)
      const other = yield* submit(ada, [...parts, ["files", "Two", "two.txt"]], headers)
      const plain = yield* Effect.all(
        [1, 2].map(() => call(ada, "POST", tickets, { body: aTicket, headers: { "idempotency-key": "plain" } }))
      )

      assert.deepStrictEqual(
        [first.status, again.text, again.headers["idempotency-replayed"]],
        [201, first.text, "true"]
      )
      assertProblem(other, 422, "idempotency_key_reused")
      assert.strictEqual(plain[0]!.text, plain[1]!.text)
      const { json } = yield* call(ada, "GET", tickets)
      assert.deepStrictEqual(
        json.data.map(({ number }: { number: string }) => number),
        ["1002", "1001"]
      )
    })
  )

  it.effect("take no key that is not the customer's to set, and no value out of bounds", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      yield* call(ada, "POST", tickets, { body: aTicket })
      const before = yield* fingerprint

      for (const key of [
        "id",
        "number",
        "status",
        "customerId",
        "version",
        "createdAt",
        "comments",
        "note",
        "assignee"
      ]) {
        assertInvalid(yield* call(ada, "POST", tickets, { body: { ...aTicket, [key]: "x" } }), `/body/${key}`)
      }
      for (const key of ["orderId", "number", "customerId", "note", "internalNotes", "availableActions", "version"]) {
        const body = { ticketNumber: "1001", [key]: "x" }
        assertInvalid(yield* call(ada, "PUT", tickets, { body }), `/body/${key}`)
      }
      for (const [pointer, more] of [
        ["/body/title", { title: "" }],
        ["/body/title", { title: "a".repeat(201) }],
        ["/body/description", { description: "a".repeat(10_001) }],
        ["/body/priority", { priority: "highest" }],
        ["/body/attachments", { attachments: Array.from({ length: 11 }, () => "a.txt") }]
      ] as const) {
        assertInvalid(yield* call(ada, "POST", tickets, { body: { ...aTicket, ...more } }), pointer)
      }
      for (const [pointer, more] of [
        ["/body/status", { status: "new" }],
        ["/body/status", { status: "inprogress" }],
        ["/body/title", { title: null }],
        ["/body/comment/text", { comment: { text: "" } }],
        ["/body/comment/author", { comment: { text: "Hi", author: { kind: "staff", name: "Charles" } } }]
      ] as const) {
        assertInvalid(yield* call(ada, "PUT", tickets, { body: { ticketNumber: "1001", ...more } }), pointer)
      }
      assertInvalid(yield* call(ada, "GET", `${tickets}?status=closed`), "/query/status/0")
      assertInvalid(yield* call(ada, "GET", `${tickets}?s=customerId`), "/query/s")

      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("of somebody else answer a stranger as tickets that do not exist", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { ada, eve, mallory, namesake, other } = yield* people
      const order = yield* placeOrder(ada)
      yield* store(ada, "secret.txt")
      const { json } = yield* call(ada, "POST", tickets, { body: aTicket })
      for (const stranger of [eve, mallory, namesake]) yield* call(stranger, "GET", "/client-data/profile")
      const foreignStaff = yield* platformOf(other)
      const before = yield* fingerprint

      for (const stranger of [eve, mallory, namesake]) {
        for (const reference of ["1001", json.id as string]) {
          const change = (ticketNumber: string) =>
            call(stranger, "PUT", tickets, { body: { ticketNumber, status: "canceled" } })
          const read = (ticketNumber: string) => call(stranger, "GET", `${tickets}/${ticketNumber}`)
          for (const attempt of [read, change]) {
            const foreign = yield* attempt(reference)
            assertProblem(foreign, 404, "ticket_not_found")
            assert.deepStrictEqual(traits(foreign, reference), traits(yield* attempt("1999"), "1999"))
          }
        }
        for (const [code, key, foreign, missing] of [
          ["order_not_found", "orderId", order.id, "order-none"],
          ["file_not_found", "attachments", ["secret.txt"], ["none.txt"]]
        ] as const) {
          const [one, two] = yield* Effect.all(
            [foreign, missing].map((value) => call(stranger, "POST", tickets, { body: { ...aTicket, [key]: value } }))
          )
          assertProblem(one!, 404, code)
          assert.deepStrictEqual(traits(one!), traits(two!))
        }
      }
      for (const method of ["GET", "PUT"]) {
        const options = method === "PUT" ? { body: { status: "done" } } : {}
        assertProblem(
          yield* call(foreignStaff, method, `/platform/tickets/${json.id}`, options),
          404,
          "ticket_not_found"
        )
      }

      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )
})

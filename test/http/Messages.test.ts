import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { fingerprint, people } from "../support/People.ts"

const messages = "/client-data/messages"
const charles = { kind: "staff", id: "charles", name: "Charles" }

layer(TestApp.layer, { excludeTestServices: true })("Messages", (it) => {
  it.effect("go both ways over HTTP, and are read", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)

      const body = { subject: "My order", text: "When?", clientMessageId: "c-1" }
      const first = yield* call(ada, "POST", messages, { body })
      const again = yield* call(ada, "POST", messages, { body: { ...body, text: "Now?" } })
      const { conversationId, id } = first.json
      assert.deepStrictEqual([first.status, first.headers["location"], again.status], [201, `${messages}/${id}`, 200])
      assert.deepStrictEqual(again.json, first.json)
      assert.deepStrictEqual((yield* call(ada, "GET", first.headers["location"]!)).json, first.json)

      const seen = yield* call(staff, "PUT", `/platform/messages/${id}/status/delivered`)
      const answer = yield* call(staff, "POST", "/platform/messages", {
        body: { customerId: "ada", conversationId, from: charles, text: "Tomorrow." }
      })
      assert.deepStrictEqual([seen.json.status, answer.status, answer.json.sequence], ["delivered", 201, 2])
      const found = yield* call(staff, "GET", answer.headers["location"]!)
      assert.deepStrictEqual(found.json, answer.json)

      const threads = yield* call(ada, "GET", "/client-data/conversations")
      const [thread] = threads.json.data
      assert.deepStrictEqual(
        [thread.unreadCount, thread.lastMessage.text, thread.updatedAt],
        [1, "Tomorrow.", answer.json.createdAt]
      )
      const read = yield* call(ada, "PUT", `${messages}/${answer.json.id}/status/read`)
      assert.deepStrictEqual([read.status, read.json.status], [200, "read"])
      assert.match(read.json.readAt, /^\d{4}-.+Z$/)
      assert.strictEqual((yield* call(ada, "GET", "/client-data/conversations")).json.data[0].unreadCount, 0)

      const after = yield* call(ada, "GET", `${messages}?conversationId=${conversationId}&after=1`)
      assert.deepStrictEqual(after.json.data, [read.json])
      const ours = yield* call(staff, "GET", `/platform/messages?conversationId=${conversationId}`)
      assert.deepStrictEqual([ours.json.total, ours.json.data[1].status], [2, "read"])
      const closed = yield* call(staff, "PUT", `/platform/conversations/${conversationId}`, {
        body: { status: "closed" }
      })
      const { json } = yield* call(staff, "GET", "/platform/conversations?customerId=ada")
      assert.deepStrictEqual([closed.status, json.data[0].status, json.data[0].customerId], [200, "closed", "ada"])
    })
  )

  it.effect("sent twenty times at once with one clientMessageId are one message, idempotency keys or not", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people

      const answers = yield* Effect.all(
        Array.from({ length: 20 }, (_, n) =>
          call(ada, "POST", messages, {
            body: { text: `Hello ${n}`, clientMessageId: "c-1" },
            headers: n % 2 === 0 ? { "idempotency-key": `key-${n}` } : {}
          })
        ),
        { concurrency: "unbounded" }
      )
      const { json } = yield* call(ada, "GET", "/client-data/conversations")

      const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
      assert.deepStrictEqual(statuses, [...Array.from({ length: 19 }, () => 200), 201])
      for (const answer of answers) assert.deepStrictEqual(answer.json, answers[0]!.json)
      assert.deepStrictEqual([json.total, json.data[0].lastMessage], [1, answers[0]!.json])
    })
  )

  it.effect("are refused where they could not be meant, and nothing changes", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)
      const { json } = yield* call(ada, "POST", messages, { body: { text: "When?" } })
      const { conversationId, id } = json
      const before = yield* fingerprint

      assertProblem(yield* call(ada, "PUT", `${messages}/${id}/status/read`), 409, "action_not_allowed")
      assertInvalid(yield* call(ada, "PUT", `${messages}/${id}/status/deleted`), "/path/status")
      assertInvalid(yield* call(ada, "PUT", `${messages}/${id}/status/delivered`), "/path/status")
      assertProblem(yield* call(ada, "PUT", `${messages}/none/status/read`), 404, "message_not_found")
      assertInvalid(yield* call(ada, "GET", `${messages}?after=1`), "/query/conversationId")
      assertInvalid(yield* call(ada, "GET", `${messages}?conversationId=${conversationId}&before=-1`), "/query/before")
      assertProblem(yield* call(ada, "GET", `${messages}?conversationId=none`), 404, "conversation_not_found")
      for (const [pointer, more] of [
        ["/body/text", { text: "" }],
        ["/body/text", { text: "a".repeat(10_001) }],
        ["/body/text", { text: "a\u0000b" }],
        ["/body/to/kind", { to: { kind: "customer", id: "eve" } }],
        ["/body/subject", { conversationId, subject: "Another" }],
        ["/body/to", { conversationId, to: { kind: "staff" } }],
        ["/body/from", { from: charles }],
        ["/body/status", { status: "read" }],
        ["/body/readAt", { readAt: null }],
        ["/body/sequence", { sequence: 7 }],
        ["/body/clientMessageId", { clientMessageId: "" }],
        ["/body/attachments", { attachments: Array.from({ length: 11 }, () => "a.txt") }]
      ] as const) {
        assertInvalid(yield* call(ada, "POST", messages, { body: { text: "Hello", ...more } }), pointer)
      }
      for (const [pointer, more] of [
        ["/body/from/kind", { from: { ...charles, kind: "customer" } }],
        ["/body/from/name", { from: { kind: "staff", id: "charles" } }],
        ["/body/subject", { conversationId, subject: "Another" }],
        ["/body/note", { note: "The customer must not see this." }]
      ] as const) {
        const body = { customerId: "ada", from: charles, text: "Hello", ...more }
        assertInvalid(yield* call(staff, "POST", "/platform/messages", { body }), pointer)
      }

      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("of somebody else answer a stranger as messages that do not exist", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { ada, eve, mallory, namesake, other } = yield* people
      const { json } = yield* call(ada, "POST", messages, { body: { text: "Between us" } })
      const foreignStaff = yield* platformOf(other)
      const before = yield* fingerprint

      const none = "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5c"
      for (const stranger of [eve, mallory, namesake]) {
        for (const [code, of, attempt] of [
          ["message_not_found", json.id, (id: string) => call(stranger, "GET", `${messages}/${id}`)],
          ["message_not_found", json.id, (id: string) => call(stranger, "PUT", `${messages}/${id}/status/read`)],
          [
            "conversation_not_found",
            json.conversationId,
            (id: string) => call(stranger, "GET", `${messages}?conversationId=${id}`)
          ],
          [
            "conversation_not_found",
            json.conversationId,
            (id: string) => call(stranger, "POST", messages, { body: { conversationId: id, text: "Me too" } })
          ]
        ] as const) {
          const foreign = yield* attempt(of)
          assertProblem(foreign, 404, code)
          assert.deepStrictEqual(traits(foreign, of), traits(yield* attempt(none), none))
        }
        const { json: own } = yield* call(stranger, "GET", `${messages}?customerId=ada`)
        assert.deepStrictEqual([own.total, own.data], [0, []])
      }
      const written = yield* call(foreignStaff, "POST", "/platform/messages", {
        body: { customerId: "ada", conversationId: json.conversationId, from: charles, text: "Hello" }
      })
      assertProblem(written, 404, "conversation_not_found")
      const status = `/platform/messages/${json.id}/status/read`
      assertProblem(yield* call(foreignStaff, "PUT", status), 404, "message_not_found")

      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Broadcasts } from "../../src/services/Broadcasts.ts"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App, type Platform } from "../support/App.ts"
import { fingerprint, people } from "../support/People.ts"
import { guards } from "../support/TestServices.ts"

const notifications = "/client-data/notifications"

/** Tells, as the workers of a server do in the background, and reads how it ended. */
const finished = Effect.fnUntraced(function* (platform: Platform, id: string) {
  const { call } = yield* App
  for (let tries = 0; tries < 100; tries++) {
    yield* Broadcasts.use(({ tellNext }) => tellNext)
    const { json } = yield* call(platform, "GET", `/platform/notifications/${id}`)
    if (json.finishedAt !== null) return json
    yield* Effect.sleep("100 millis")
  }
  return yield* Effect.die(new Error("The broadcast does not end"))
})

layer(TestApp.layer, { excludeTestServices: true })("Notifications", (it) => {
  it.effect("are sent by the platform, listed, counted, and read one by one or all at once", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, eve } = yield* people
      const platform = yield* platformOf(acme)
      const send = (title: string) =>
        call(platform, "POST", "/platform/notifications", {
          body: {
            customerIds: ["ada"],
            type: "order",
            title,
            body: "Text",
            data: { orderId: "o-1" },
            link: "/orders/o-1"
          }
        })

      const accepted = yield* send("First")
      assert.strictEqual(accepted.status, 202)
      assert.deepStrictEqual(Object.keys(accepted.json), ["id"])
      const report = yield* finished(platform, accepted.json.id)
      yield* finished(platform, (yield* send("Second")).json.id)

      assert.deepInclude(report, { title: "First", customers: { total: 1, told: 1 }, channels: null })
      assert.deepInclude(report.deliveries[0], {
        customerId: "ada",
        channel: "inApp",
        state: "delivered",
        reason: null
      })
      const { json } = yield* call(ada, "GET", notifications)
      assert.deepStrictEqual([json.total, json.unread, json.data[0].title], [2, 2, "Second"])
      const { createdAt, id, ...rest } = json.data[1]
      assert.match(createdAt, /Z$/)
      assert.deepStrictEqual(rest, {
        type: "order",
        title: "First",
        body: "Text",
        data: { orderId: "o-1" },
        link: "/orders/o-1",
        read: false,
        readAt: null
      })

      const read = yield* call(ada, "PUT", `${notifications}/${id}/read`)
      const again = yield* call(ada, "PUT", `${notifications}/${id}/read`)
      assert.deepStrictEqual([read.status, read.json.read, again.text], [200, true, read.text])
      const [unread, seen] = yield* Effect.all([
        call(ada, "GET", `${notifications}?read=false`),
        call(ada, "GET", `${notifications}?read=true`)
      ])
      assert.deepStrictEqual([unread!.json.total, unread!.json.unread, seen!.json.data[0].id], [1, 1, id])

      const all = yield* call(ada, "PUT", `${notifications}/read-all`)
      const twice = yield* call(ada, "PUT", `${notifications}/read-all`)
      assert.deepStrictEqual([all.status, all.json, twice.json], [200, { unread: 0 }, { unread: 0 }])
      assert.strictEqual((yield* call(ada, "GET", `${notifications}?read=false`)).json.total, 0)
      assert.strictEqual((yield* call(eve, "GET", notifications)).json.total, 0)
      assertInvalid(yield* call(ada, "GET", `${notifications}?read=maybe`), "/query/read")
    })
  )

  it.effect("of somebody else answer a stranger as those that do not exist", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, eve, mallory, namesake, other } = yield* people
      const platform = yield* platformOf(acme)
      const { json } = yield* call(platform, "POST", "/platform/notifications", {
        body: { customerIds: ["ada"], type: "order", title: "T", body: "B" }
      })
      yield* finished(platform, json.id)
      const { data } = (yield* call(ada, "GET", notifications)).json
      const device = yield* call(ada, "POST", `${notifications}/push-token`, {
        body: { token: "ada's-token", platform: "android" }
      })
      for (const stranger of [eve, mallory, namesake]) yield* call(stranger, "GET", "/client-data/profile")
      const foreignPlatform = yield* platformOf(other)
      const before = yield* fingerprint

      for (const stranger of [eve, mallory, namesake]) {
        for (const [method, path, id, code] of [
          ["PUT", (id: string) => `${notifications}/${id}/read`, data[0].id, "notification_not_found"],
          ["DELETE", (id: string) => `${notifications}/push-tokens/${id}`, device.json.id, "push_token_not_found"]
        ] as const) {
          const foreign = yield* call(stranger, method, path(id))
          assertProblem(foreign, 404, code)
          assert.deepStrictEqual(traits(foreign, id), traits(yield* call(stranger, method, path("none")), "none"))
        }
      }
      assertProblem(
        yield* call(foreignPlatform, "GET", `/platform/notifications/${json.id}`),
        404,
        "notification_not_found"
      )
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("are refused where they are not as they should be, and whole where one customer is unknown", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme } = yield* people
      const platform = yield* platformOf(acme)
      const good = { customerIds: ["ada"], type: "order", title: "T", body: "B" }
      const before = yield* fingerprint

      for (const [pointer, more] of [
        ["/body/customerIds", { customerIds: [] }],
        ["/body/type", { type: "" }],
        ["/body/type", { type: "a b" }],
        ["/body/title", { title: "" }],
        ["/body/title", { title: "a".repeat(201) }],
        ["/body/body", { body: "a".repeat(2001) }],
        ["/body/data", { data: { "a b": 1 } }],
        ["/body/data", { data: { a: "x".repeat(999), b: "x".repeat(999), c: "x".repeat(999) } }],
        ["/body/link", { link: "javascript:alert(1)" }],
        ["/body/link", { link: "//evil.example" }],
        ["/body/channels", { channels: [] }],
        ["/body/channels", { channels: ["email", "email"] }],
        ["/body/note", { note: "x" }]
      ] as const) {
        const answer = yield* call(platform, "POST", "/platform/notifications", { body: { ...good, ...more } })
        assertProblem(answer, 400, "invalid_request")
        assert.isTrue(
          answer.json.errors.every((error: { readonly pointer: string }) => error.pointer.startsWith(pointer)),
          answer.text
        )
      }
      assertProblem(
        yield* call(platform, "POST", "/platform/notifications", { body: { ...good, customerIds: ["ada", "nobody"] } }),
        404,
        "customer_not_found"
      )
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("go to devices, which are registered under either path, listed masked and removed", () =>
    Effect.gen(function* () {
      const { call, logs } = yield* App
      const { ada } = yield* people
      const token = "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad"
      const body = { token, platform: "ios", deviceId: "iphone", appVersion: "1.0" }

      const made = yield* call(ada, "POST", `${notifications}/push-token`, { body })
      const again = yield* call(ada, "POST", "/client-account/notifications/push-token", { body })
      const proxied = yield* call(ada, "POST", "/api/client-account/notifications/push-token", { body })

      const path = `${notifications}/push-tokens/${made.json.id}`
      assert.deepStrictEqual([made.status, made.headers["location"]], [201, path])
      assert.deepInclude(made.json, { token: "••••78ad", provider: "apns", platform: "ios", deviceId: "iphone" })
      assert.deepStrictEqual(
        [again, proxied].map(({ json, status }) => [status, json.id]),
        [
          [200, made.json.id],
          [200, made.json.id]
        ]
      )
      assertProblem(
        yield* call(undefined, "POST", "/client-account/notifications/push-token", { body }),
        401,
        "missing_authorization_header"
      )
      assertProblem(yield* call(ada, "GET", "/client-account/notifications/push-token"), 405, "method_not_allowed")
      const listed = yield* call(ada, "GET", `${notifications}/push-tokens`)
      assert.deepStrictEqual([listed.json.total, listed.json.data[0].token], [1, "••••78ad"])
      for (const [pointer, more] of [
        ["/body/token", { token: "" }],
        ["/body/token", { token: "a".repeat(4097) }],
        ["/body/platform", { platform: "windows" }],
        ["/body/provider", { platform: "android", provider: "apns" }],
        ["/body/customerId", { customerId: "eve" }]
      ] as const) {
        assertInvalid(yield* call(ada, "POST", `${notifications}/push-token`, { body: { ...body, ...more } }), pointer)
      }
      assert.strictEqual((yield* call(ada, "DELETE", path)).status, 204)
      assertProblem(yield* call(ada, "DELETE", path), 404, "push_token_not_found")
      assert.isFalse(logs.some(({ text }) => text.includes(token)))
    })
  )

  it.effect("follow preferences, which are one record with versions", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada, eve } = yield* people
      const path = `${notifications}/preferences`

      const first = yield* call(ada, "GET", path)
      const changed = yield* call(ada, "PUT", path, {
        body: { types: { order: { email: false } }, quietHours: { start: "22:00", end: "07:00" } },
        headers: { "if-match": first.headers["etag"] }
      })
      const more = yield* call(ada, "PUT", path, { body: { types: { order: { sms: true } } } })
      const late = yield* call(ada, "PUT", path, {
        body: { quietHours: null },
        headers: { "if-match": first.headers["etag"] }
      })
      const none = yield* call(ada, "PUT", path, { body: { quietHours: null } })

      assert.deepStrictEqual([first.headers["etag"], first.json.quietHours, first.json.updatedAt], ['"1"', null, null])
      assert.deepStrictEqual(first.json.types.order, { inApp: true, push: true, email: true, sms: false })
      assert.deepStrictEqual(first.json.types.marketing, { inApp: true, push: false, email: false, sms: false })
      assert.deepStrictEqual([changed.status, changed.headers["etag"]], [200, '"2"'])
      assert.deepStrictEqual(more.json.types.order, { inApp: true, push: true, email: false, sms: true })
      assert.deepStrictEqual(more.json.quietHours, { start: "22:00", end: "07:00" })
      assertProblem(late, 412, "version_mismatch")
      assert.deepStrictEqual([none.json.quietHours, none.json.types], [null, more.json.types])
      assert.strictEqual(
        (yield* call(ada, "GET", path, { headers: { "if-none-match": none.headers["etag"] } })).status,
        304
      )
      assert.deepStrictEqual((yield* call(eve, "GET", path)).json.types, first.json.types)
      for (const [pointer, body] of [
        ["/body/types/security/email", { types: { security: { email: false } } }],
        ["/body/types/security/inApp", { types: { security: { inApp: false } } }],
        ["/body/types/weather", { types: { weather: { email: false } } }],
        ["/body/types/order/fax", { types: { order: { fax: false } } }],
        ["/body/quietHours/start", { quietHours: { start: "25:00", end: "07:00" } }],
        ["/body/quietHours", { quietHours: { start: "07:00", end: "07:00" } }],
        ["/body/quietHours/end", { quietHours: { start: "22:00" } }]
      ] as const) {
        assertInvalid(yield* call(ada, "PUT", path, { body }), pointer)
      }
      assert.strictEqual(
        (yield* call(ada, "PUT", path, { body: { types: { security: { sms: true, email: true } } } })).status,
        200
      )
    })
  )

  for (const [guard, set] of guards) {
    it.effect(`follow one's own preferences and nobody else's, by ${guard}`, () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada, eve, namesake } = yield* people
        const path = `${notifications}/preferences`
        const { json: hers } = yield* call(ada, "PUT", path, { body: { types: { order: { email: false } } } })
        yield* set

        for (const stranger of [eve, namesake]) {
          const { json } = yield* call(stranger, "GET", path)
          assert.deepStrictEqual([json.version, json.types.order.email], [1, true])
          yield* call(stranger, "PUT", path, { body: { types: { order: { push: false } } } })
        }
        assert.deepStrictEqual((yield* call(ada, "GET", path)).json, hers)
      })
    )
  }

  it.effect("change once, however many changes of the preferences arrive at once", () =>
    Effect.gen(function* () {
      const { call } = yield* App
      const { ada } = yield* people
      const topics = ["order", "ticket", "message", "reservation", "benefit", "payment", "marketing", "other"]

      yield* Effect.forEach(
        topics.flatMap((topic) => ["push", "sms"].map((channel) => [topic, channel] as const)),
        ([topic, channel]) =>
          call(ada, "PUT", `${notifications}/preferences`, {
            body: { types: { [topic]: { [channel]: channel === "sms" } } }
          }),
        { concurrency: "unbounded" }
      )

      const { json } = yield* call(ada, "GET", `${notifications}/preferences`)
      for (const topic of topics) assert.deepInclude(json.types[topic], { push: false, sms: true }, topic)
      assert.strictEqual(json.version, 17)
    })
  )

  it.effect("tell of what the staff do, on the wire as well", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)
      const { json } = yield* call(ada, "POST", "/client-data/tickets", { body: { title: "Stuck", description: "7" } })
      const reply = { text: "Does it help?", author: "Charles" }
      const key = { headers: { "idempotency-key": "once" } }

      for (let n = 0; n < 3; n++) {
        yield* call(staff, "PUT", `/platform/tickets/${json.number}`, { body: { reply }, ...key })
      }

      const listed = yield* call(ada, "GET", notifications)
      assert.deepStrictEqual(
        listed.json.data.map(({ data, link, title }: Record<string, unknown>) => [title, link, data]),
        [
          [
            `An answer to ticket ${json.number}`,
            `/tickets/${json.number}`,
            { ticketId: json.id, number: json.number, status: "new" }
          ]
        ]
      )
    })
  )
})

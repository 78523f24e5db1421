import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { people, placeOrder } from "../support/People.ts"

layer(TestApp.layer, { excludeTestServices: true })("probe", (it) => {
  it.effect("probes", () =>
    Effect.gen(function* () {
      const { call, platformOf, raw, tokenOf, logs } = yield* App
      const { ada, acme, eve } = yield* people
      yield* placeOrder(ada)
      const p = yield* platformOf(acme)
      const token = yield* tokenOf(ada)
      const lines: string[] = []
      const show = (label: string, a: any) => lines.push(`${label}\n   -> ${a.status} ${JSON.stringify(Object.fromEntries(Object.entries(a.headers).filter(([k]) => !["date","connection","keep-alive","x-content-type-options"].includes(k))))}\n      ${a.text.slice(0, 400)}`)
      const go = (who: any, method: string, path: string, options?: any) => Effect.catchCause(Effect.map(call(who, method, path, options), (a) => show(`${method} ${path} ${JSON.stringify(options ?? {}).slice(0,150)}`, a)), (c) => Effect.sync(() => lines.push(`${method} ${path} FAILED ${c}`)))
      const H = `Host: x\r\norgid: ${acme}\r\nAuthorization: Bearer ${token}\r\n`
      const r = (label: string, ...parts: string[]) => Effect.catchCause(Effect.map(raw(...parts), (t) => lines.push(`RAW ${label}\n   -> ${t.slice(0, 900)}`)), (c) => Effect.sync(() => lines.push(`RAW ${label} FAILED ${c}`)))

      for (const path of ["/client-data/profile/", "//client-data/profile", "/client-data//profile", "/Client-Data/profile", "/client-data/profile;x=1", "/client-data/../client-data/profile", "/client-data/%2e%2e/client-data/profile", "/client%2Ddata/profile", "/client-data/pro%66ile", "/client-data/orders/%E0%A4%A", "/client-data/orders/%00", "/client-data/orders/%ff", "/client-data/orders/a%2Fb", "/client-data/orders/..%2F..", "/client-data/orders/" + "x".repeat(1100), "/client-data/orders/" + "x".repeat(200), "/client-data/profile?x=%E0%A4%A", "/client-data/orders?status=%E0%A4%A", "/client-data", "/client-data/", "/client-data/nope", "/platform", "/nope", "/", "/livez", "/livez/", "/livez?x=1", "/metrics", "/docs", "/openapi.json", "/api/client-data/profile", "/api/client-dataX", "/api", "/api/livez", "/%", "/?x#y", "/client-data/profile#frag", "/client-data/orders/%F0%9F%98%80", "/client-data/profile%20", "/client-data/profile%00"]) {
        yield* go(ada, "GET", path)
      }
      for (const path of ["/client-data/nope", "/platform/nope", "/client-data/orders/%E0%A4%A", "/client%2Ddata/profile"]) yield* go(undefined, "GET", path)
      for (const method of ["POST", "PATCH", "DELETE", "TRACE", "OPTIONS", "HEAD", "PROPFIND"]) { yield* go(ada, method, "/client-data/profile"); yield* go(undefined, method, "/client-data/profile"); yield* go(undefined, method, "/livez") }
      yield* go(undefined, "OPTIONS", "/client-data/nope")
      yield* go(p, "DELETE", "/platform/customers/x")
      const body = (b: any, headers?: any) => go(ada, "PUT", "/client-data/profile", { body: b, ...(headers && { headers }) })
      yield* body("", {})
      yield* go(ada, "PUT", "/client-data/profile")
      yield* body("null"); yield* body("[]"); yield* body('"x"'); yield* body("1"); yield* body("{}")
      yield* body('{"name":"a","name":"b"}')
      yield* body('{"__proto__":{"name":"x"}}'); yield* body('{"constructor":1,"toString":2}'); yield* body('{"nope":1,"about":5}')
      yield* body("[".repeat(100_000)); yield* body("[".repeat(100_000) + "]".repeat(100_000)); yield* body('{"about":' + "[".repeat(100_000) + "]".repeat(100_000) + "}"); yield* body('{"a":'.repeat(100_000) + "1" + "}".repeat(100_000))
      yield* go(ada, "PUT", "/client-data/profile", { body: '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000), headers: { "idempotency-key": "deep" } })
      yield* body('{"about":"\\u0000"}'); yield* body('{"about":"\\ud800"}'); yield* body(Buffer.from([0x7b,0x22,0x61,0x62,0x6f,0x75,0x74,0x22,0x3a,0x22,0xff,0x22,0x7d])); yield* body('\ufeff{}'); yield* body('{"about":1e400}'); yield* body('{"phone":"+123"}'); yield* body('{"email":"x@y.zz"}'); yield* body('{"timezone":"CAT"}'); yield* body('{"a/b~c":1}')
      yield* body("{}", { "content-type": undefined }); yield* body("{}", { "content-type": "application/json; charset=utf-16" }); yield* body("{}", { "content-type": "application/JSON" }); yield* body("{}", { "content-type": "application/problem+json" }); yield* body("{}", { "content-type": "text/plain" }); yield* body("{}", { "content-type": "" }); yield* body("{}", { "content-type": "x" });yield* body("{}", { "content-encoding": "gzip" }); yield* body("a=b", { "content-type": "application/x-www-form-urlencoded" }); yield* body("{}", { "content-type": "multipart/form-data; boundary=x" })
      yield* body('{"name":"z"}', { "if-match": "\"99\"" }); yield* body('{"name":"z"}', { "if-match": "bogus" }); yield* body('{"name":"z"}', { "if-match": "" }); yield* body('{"name":"z"}', { "if-match": ["\"1\"", "\"2\""] }); yield* body('{"name":"z"}', { "if-match": "W/\"1\"" }); yield* body('{"name":"z"}', { "if-match": "*" }); yield* body('{"name":"z"}', { "if-match": "\"2147483648\"" })
      yield* body("{}", { "idempotency-key": "" }); yield* body("{}", { "idempotency-key": "a b" }); yield* body("{}", { "idempotency-key": "x".repeat(256) }); yield* body("{}", { "idempotency-key": ["a", "b"] })
      for (const q of ["p=0", "p=-1", "p=1e2", "p=0x10", "p=1.5", "p=", "p=%201", "p=NaN", "p=Infinity", "p=9999999999999999999", "ps=0", "ps=201", "ps=1e1", "s=nope", "s=__proto__", "st=up", "count=maybe", "count=TRUE", "count=false", "p=1&p=2", "status=", "status=nope", "status=paid&status=new", "status[]=paid", "from=nope", "from=2026-02-30", "cursor=", "cursor=abc", "nope=1", "__proto__=1", "from=2026-01-01T00:00:00%2B00:00", "%00=%00", "s=total&s=total", "&&&", "=", "status=paid,new"]) yield* go(ada, "GET", `/client-data/orders?${q}`)
      yield* go(ada, "GET", "/client-data/profile", { headers: { "x-request-id": "mine-1" } })
      yield* go(ada, "GET", "/client-data/profile", { headers: { "x-request-id": "bad id" } })
      yield* go(ada, "GET", "/client-data/profile", { headers: { "if-none-match": '"1"' } })
      yield* go(ada, "GET", "/client-data/profile", { headers: { orgid: [acme, acme] } })
      yield* go(ada, "GET", "/client-data/profile", { headers: { authorization: [`Bearer ${token}`, `Bearer ${yield* tokenOf(eve)}`] } })
      yield* go(ada, "GET", "/client-data/profile", { headers: { orgid: "ÿ" } })
      const push = (o: any) => go(p, "PUT", "/platform/orders/huge", { body: { customerId: "ada", number: "1", status: "paid", total: { amount: 1, currency: "USD" }, ...o } })
      const max = { amount: 9007199254740991, currency: "USD" }
      yield* push({ total: max, discount: max }); yield* push({ items: [{ name: "x", quantity: 1000000, unitPrice: max }] }); yield* push({ placedAt: "9999-12-31T23:59:59-14:59" }); yield* push({ placedAt: "1000-01-01T00:00:00+14:59" }); yield* push({ shipments: [{ shippedAt: "9999-12-31T23:59:59-14:59" }] }); yield* push({ total: { amount: 9007199254740992, currency: "USD" } }); yield* push({ total: { amount: 1, currency: "usd" } }); yield* push({ total: { amount: 1, currency: "USD", x: 1 } }); yield* push({ tax: { amount: 1, currency: "EUR" } }); yield* push({ items: [{ name: "x", quantity: 0, unitPrice: max }] })
      yield* go(p, "PUT", "/platform/orders/a%20b", { body: {} })
      yield* go(p, "PUT", "/platform/customers/" + "x".repeat(129), { body: {} })
      yield* go(p, "PUT", "/platform/customers/new", { body: { userId: "\u0000" } })
      yield* r("413 declared", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n{`)
      yield* r("413 chunked never ends", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`, ...Array.from({ length: 20 }, () => `10000\r\n${"x".repeat(65536)}\r\n`))
      yield* r("413 unauth declared", `PUT /client-data/profile HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n{`)
      yield* r("413 keep-alive then next", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 1100000\r\n\r\n`, "x".repeat(1100000), `GET /client-data/profile HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("413 on 415", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: text/plain\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n{`)
      yield* r("garbage", "GARBAGE\r\n\r\n")
      yield* r("no host", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")
      yield* r("1.0", "GET /livez HTTP/1.0\r\n\r\n")
      yield* r("CL+TE", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      yield* r("two CL", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`)
      yield* r("huge header", `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20000)}\r\nConnection: close\r\n\r\n`)
      yield* r("NUL header", `GET /livez HTTP/1.1\r\nHost: x\r\nX: a\0b\r\nConnection: close\r\n\r\n`)
      yield* r("absolute", `GET http://evil/client-data/profile HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("absolute api", `GET http://evil/api/client-data/profile HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("options *", `OPTIONS * HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("connect", `CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n`)
      yield* r("upgrade", `GET /client-data/profile HTTP/1.1\r\n${H}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`)
      yield* r("upgrade h2c", `GET /livez HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n`)
      yield* r("expect", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`, "{}")
      yield* r("expect 413", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`)
      yield* r("expect odd", `GET /livez HTTP/1.1\r\nHost: x\r\nExpect: odd\r\nConnection: close\r\n\r\n`)
      yield* r("space in path", `GET /client-data/pro file HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("utf8 path", `GET /client-data/orders/é HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("bad chunk", `PUT /client-data/profile HTTP/1.1\r\n${H}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`)
      yield* r("no slash", `GET client-data/profile HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("proto in url", `GET ://x HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("http:/// ", `GET http:///client-data/profile HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
      yield* r("lowercase get", `get /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      yield* r("get with body", `GET /client-data/profile HTTP/1.1\r\n${H}Content-Length: 2000000\r\nContent-Type: application/json\r\nConnection: close\r\n\r\nxx`)
      lines.push("", "LOGS >= WARN", ...logs.filter((l) => !["INFO", "DEBUG", "TRACE"].includes(l.level)).map((l) => l.text.slice(0, 700)))
      writeFileSync("/tmp/probe.txt", lines.join("\n"))
    }), 120_000
  )
})

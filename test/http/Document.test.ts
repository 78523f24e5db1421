import { Validator } from "@seriousme/openapi-schema-validator"
import { readFileSync } from "node:fs"
import { assert, describe, expect, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as App from "../support/App.ts"
import { type Json, deviations, operations, resolve, spec, validatorOf } from "../support/OpenApiDocument.ts"
import { anOrder, people, placeOrder } from "../support/People.ts"

/** Every object of a JSON value, with its place. */
const objects = function* (value: unknown, place = "#"): Generator<readonly [string, Json]> {
  if (typeof value !== "object" || value === null) return
  if (!Array.isArray(value)) yield [place, value as Json]
  for (const [key, inner] of Object.entries(value)) yield* objects(inner, `${place}/${key}`)
}

/** Every schema of what a client sends, with its place. */
const sent = function* (): Generator<readonly [string, Json]> {
  const seen = new Set<unknown>()
  const schemas = function* (schema: Json, place: string): Generator<readonly [string, Json]> {
    const whole = resolve(schema)
    if (seen.has(whole)) return
    seen.add(whole)
    yield [place, whole]
    for (const [key, inner] of Object.entries<Json>(whole["properties"] ?? {})) yield* schemas(inner, `${place}.${key}`)
    for (const inner of [...(whole["anyOf"] ?? []), ...(whole["oneOf"] ?? []), ...(whole["allOf"] ?? [])]) {
      yield* schemas(inner, place)
    }
    if (typeof whole["items"] === "object") yield* schemas(whole["items"], `${place}[]`)
    if (typeof whole["additionalProperties"] === "object") yield* schemas(whole["additionalProperties"], `${place}.*`)
  }
  for (const { operation } of operations) {
    for (const parameter of operation["parameters"].map(resolve)) {
      yield* schemas(parameter.schema, `${operation["operationId"]} ${parameter.name}`)
    }
    for (const { schema } of Object.values<Json>(operation["requestBody"]?.content ?? {})) {
      yield* schemas(schema, `${operation["operationId"]} body`)
    }
  }
}

const named = Object.entries<Json>(spec["components"].schemas)
const each = operations.map(({ method, operation, path }) => ({
  method,
  path,
  operation,
  id: operation["operationId"]
}))

/** The names in `from` that a condition is not true of. */
const without = <A>(from: Iterable<A>, holds: (a: A) => boolean, name: (a: A) => string) =>
  [...from].filter((a) => !holds(a)).map(name)

describe("openapi.json", () => {
  it("is what the code says", async () => {
    await expect(
      `${JSON.stringify(spec, null, 2)}\n`,
      "openapi.json differs from the code; if the code is right, run: npm test -- Document -u"
    ).toMatchFileSnapshot("../../openapi.json")
  })

  it("is valid OpenAPI 3.1, to a validator that is not ours", async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(spec)))
    assert.deepStrictEqual(result.errors ?? [], [])
    assert.isTrue(result.valid)
    assert.match(spec["openapi"], /^3\.1\./)
  })

  it("stands alone: every reference leads to one of its own components", () => {
    for (const [, value] of objects(spec)) if (typeof value["$ref"] === "string") resolve(value)
  })

  it("has the version of the package", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    assert.strictEqual(spec["info"].version, version)
  })
})

describe("Schemas", () => {
  it("have names that a person gave them", () => {
    const isGiven = ([name]: readonly [string, unknown]) => !/Encoded|_\d*$|\d$/.test(name)
    // `Money_1` comes from annotating what has a name already: use `annotateKey` on the property instead.
    assert.deepStrictEqual(
      without(named, isGiven, ([name]) => name),
      []
    )
  })

  it("are JSON Schema, and their examples are examples of them", () => {
    for (const [name, { examples = [] }] of named) {
      const validate = validatorOf({ $ref: `#/components/schemas/${name}` })
      for (const example of examples) {
        assert.isTrue(validate(example), `the example of ${name}: ${JSON.stringify(validate.errors)}`)
      }
    }
  })

  it("of what clients send are bounded", () => {
    const bounded = ([, schema]: readonly [string, Json]) => {
      const { const: only, enum: values, format, items, maxItems, maxLength, pattern, type } = schema
      if (type === "array") return maxItems !== undefined || items === false
      if (type !== "string") return true
      return [only, values, format, maxLength].some((bound) => bound !== undefined) || endsSomewhere(pattern)
    }
    assert.deepStrictEqual(
      without(sent(), bounded, ([place]) => place),
      []
    )
  })

  it("of what clients send are closed, as the server refuses unknown keys", () => {
    // Without properties of its own it is a map, whose keys anybody may choose: so many of them.
    const isClosed = ([, { additionalProperties, maxProperties, properties, type }]: readonly [string, Json]) =>
      type !== "object" ||
      additionalProperties !== undefined ||
      (properties === undefined && maxProperties !== undefined)
    assert.deepStrictEqual(
      without(sent(), isClosed, ([place]) => place),
      []
    )
  })
})

/** Whether a pattern matches texts of a limited length only. */
const endsSomewhere = (pattern: string | undefined) => {
  if (pattern === undefined || !/^\^.*\$$/.test(pattern)) return false
  const bare = pattern.replace(/\\./g, "x").replace(/\[[^\]]*\]/g, "x")
  return !/[*+]|\{\d+,\}/.test(bare)
}

describe("Parameters", () => {
  it("that are numbers or booleans are shown as such", () => {
    const isShown = ([, { enum: values = [], pattern = "" }]: readonly [string, Json]) =>
      !values.includes("true") && !pattern.startsWith("^[+-]?")
    assert.deepStrictEqual(
      without(sent(), isShown, ([place]) => place),
      []
    )

    const { Count, Page, PageSize } = spec["components"].parameters
    assert.deepStrictEqual(Page.schema, { type: "integer", minimum: 1, maximum: 1_000_000, default: 1 })
    assert.deepStrictEqual(PageSize.schema, { type: "integer", minimum: 1, maximum: 200, default: 50 })
    assert.deepStrictEqual(Count.schema, { type: "boolean", default: true })
  })

  it("of every path are declared", () => {
    for (const { id, operation, path } of each) {
      const declared = operation["parameters"].map(resolve).filter((parameter: Json) => parameter["in"] === "path")
      const names = declared.map((parameter: Json) => parameter["name"])
      assert.sameMembers(
        names,
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
        id
      )
    }
  })

  it("begin with the org of the request", () => {
    const isFirst = ({ operation }: (typeof each)[number]) => operation["parameters"][0].$ref.endsWith("/OrgId")
    const inOrg = each.filter(({ path }) => /^\/(?:client-data|platform)\//.test(path))
    assert.deepStrictEqual(
      without(inOrg, isFirst, ({ id }) => id),
      []
    )
    assert.deepInclude(spec["components"].parameters.OrgId, { name: "orgid", in: "header", required: true })
  })

  it("of every write have an idempotency key", () => {
    const has = ({ operation }: (typeof each)[number]) =>
      operation["parameters"].some(({ $ref }: Json) => $ref === "#/components/parameters/IdempotencyKey")
    const writes = each.filter(({ method, path }) => method !== "get" && !path.startsWith("/webhooks/"))
    assert.deepStrictEqual(
      without(writes, has, ({ id }) => id),
      []
    )
  })
})

describe("Operations", () => {
  it("have an id of their own, a summary, and a described tag", () => {
    assert.strictEqual(new Set(each.map(({ id }) => id)).size, each.length)
    const tags = spec["tags"].filter(({ description }: Json) => description !== undefined).map(({ name }: Json) => name)
    const isDescribed = ({ operation: { summary = "", tags: own } }: (typeof each)[number]) =>
      /^[A-Z].{3,60}[^.]$/.test(summary) && own.length === 1 && tags.includes(own[0])
    assert.deepStrictEqual(
      without(each, isDescribed, ({ id }) => id),
      []
    )
  })

  it("take and give named schemas, with an example of what they take", () => {
    const isNamed = (schema: Json) => typeof (schema["items"] ?? schema)["$ref"] === "string"
    for (const { id, operation } of each) {
      const body = operation["requestBody"]?.content["application/json"]?.schema
      if (body !== undefined) {
        assert.isTrue(isNamed(body), `the body of ${id} has no identifier`)
        assert.isNotEmpty(resolve(body)["examples"] ?? [], `the body of ${id} has no example`)
      }
      for (const [status, answer] of Object.entries<Json>(operation["responses"])) {
        const schema = Number(status) < 300 ? answer["content"]?.["application/json"]?.schema : undefined
        if (schema !== undefined) assert.isTrue(isNamed(schema), `what ${id} answers has no identifier`)
      }
    }
  })

  it("say how they succeed and how they fail", () => {
    for (const { id, method, operation, path } of each) {
      const statuses = Object.keys(operation["responses"]).map(Number)
      assert.isTrue(
        statuses.some((status) => status >= 200 && status < 300),
        id
      )
      assert.includeMembers(statuses, [400, 500, 503], id)
      assert.strictEqual(statuses.includes(401), operation["security"].length > 0, id)
      assert.strictEqual(statuses.includes(413), method !== "get", id)
      assert.strictEqual(statuses.includes(415), method !== "get", id)
      assert.strictEqual(statuses.includes(422), method !== "get" && !path.startsWith("/webhooks/"), id)
    }
  })

  it("fail with problems that a client can tell apart", () => {
    for (const { id, operation } of each) {
      for (const [status, answer] of Object.entries<Json>(operation["responses"])) {
        if (Number(status) < 400) continue
        const { content, headers } = resolve(answer)
        assert.deepStrictEqual(Object.keys(content), ["application/problem+json"], `${id} ${status}`)
        const { schema } = content["application/problem+json"]
        const problems = (schema.oneOf ?? [schema]).map(resolve)
        const codes = problems.map(({ properties }: Json) => properties["code"].const)
        assert.strictEqual(new Set(codes).size, codes.length, `${id} ${status}`)
        for (const { properties, required } of problems) {
          assert.strictEqual(properties.status.const, Number(status), id)
          assert.match(properties.code.const, /^[a-z]+(_[a-z]+)*$/, id)
          assert.includeMembers(required, ["type", "title", "status", "detail", "instance", "code", "requestId"], id)
        }
        assert.property(resolve(headers["X-Request-Id"]), "required")
        assert.strictEqual("WWW-Authenticate" in headers, status === "401", id)
        if (status === "429" || status === "503") assert.property(headers, "Retry-After", id)
      }
    }
  })
})

layer(App.layer, { excludeTestServices: true })("The running server", (it) => {
  it.effect("answers as documented, whatever becomes of a request", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const { acme, ada, grace, trent } = yield* people
      const order = yield* placeOrder(ada)
      const platform = yield* app.platformOf(acme)
      const wrong: Array<string> = []

      const expecting = (
        status: number,
        who: Parameters<App.App["Service"]["call"]>[0],
        method: string,
        path: string,
        options: Expecting = {}
      ) =>
        Effect.map(app.call(who, method.toUpperCase(), options.at ?? path, options), (answer) => {
          if (answer.status !== status) wrong.push(`${method} ${path} answers ${answer.status}, not ${status}`)
          wrong.push(...deviations(method, path, answer))
        })

      const profile = "/client-data/profile"
      yield* expecting(200, ada, "get", profile)
      yield* expecting(304, ada, "get", profile, { headers: { "if-none-match": "*" } })
      yield* expecting(400, ada, "get", profile, { headers: { orgid: undefined } })
      yield* expecting(400, ada, "get", profile, { headers: { orgid: [acme, acme] } })
      yield* expecting(401, undefined, "get", profile)
      yield* expecting(401, undefined, "get", profile, { headers: { authorization: "Bearer none" } })
      yield* expecting(403, ada, "get", profile, { headers: { orgid: "elsewhere" } })
      yield* expecting(403, trent, "get", profile)
      yield* expecting(200, ada, "put", profile, { body: { name: "Ada" }, headers: { "idempotency-key": "one" } })
      yield* expecting(422, ada, "put", profile, { body: { name: "Eda" }, headers: { "idempotency-key": "one" } })
      yield* expecting(400, ada, "put", profile, { body: { phone: "none" } })
      yield* expecting(412, ada, "put", profile, { body: { name: "Ada" }, headers: { "if-match": '"99"' } })
      yield* expecting(413, ada, "put", profile, { body: { about: "a".repeat(2 ** 20) } })
      yield* expecting(415, ada, "put", profile, { body: "name=Ada", headers: { "content-type": "text/plain" } })

      yield* expecting(200, ada, "get", "/client-data/orders")
      yield* expecting(400, ada, "get", "/client-data/orders", { at: "/client-data/orders?ps=0" })
      const ofOrder = "/client-data/orders/{orderId}"
      yield* expecting(200, ada, "get", ofOrder, { at: `/client-data/orders/${order.id}` })
      yield* expecting(404, grace, "get", ofOrder, { at: `/client-data/orders/${order.id}` })

      const customer = "/platform/customers/{customerId}"
      yield* expecting(200, platform, "get", customer, { at: "/platform/customers/ada" })
      yield* expecting(404, platform, "get", customer, { at: "/platform/customers/none" })
      yield* expecting(401, { ...platform, key: "wrong" }, "get", customer, { at: "/platform/customers/ada" })
      const at = "/platform/customers/ada"
      yield* expecting(200, platform, "put", customer, { at, body: { userId: "auth0|ada" } })
      yield* expecting(409, platform, "put", customer, { at, body: { userId: "user-grace" } })
      const push = { at: "/platform/orders/pushed", body: anOrder(ada) }
      yield* expecting(200, platform, "put", "/platform/orders/{orderId}", push)
      const stray = { at: "/platform/orders/stray", body: { ...anOrder(ada), customerId: "none" } }
      yield* expecting(404, platform, "put", "/platform/orders/{orderId}", stray)
      yield* expecting(412, platform, "put", "/platform/orders/{orderId}", { ...push, headers: { "if-match": '"9"' } })

      const large = { body: { text: "a".repeat(2 ** 20) } }
      const compressed = { body: {}, headers: { "content-encoding": "gzip" } }
      yield* expecting(413, ada, "post", "/client-data/wishlist/{productId}", {
        at: "/client-data/wishlist/none",
        ...large
      })
      yield* expecting(413, undefined, "post", "/webhooks/stripe/{orgId}", { at: `/webhooks/stripe/${acme}`, ...large })
      yield* expecting(415, undefined, "post", "/webhooks/stripe/{orgId}", {
        at: `/webhooks/stripe/${acme}`,
        ...compressed
      })

      assert.deepStrictEqual(wrong, [])
    })
  )

  it.effect("gives out the document, to everybody", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const { headers, json, status } = yield* app.call(undefined, "GET", "/openapi.json")
      assert.strictEqual(status, 200)
      assert.match(headers["content-type"] ?? "", /^application\/json/)
      assert.deepStrictEqual(json, JSON.parse(JSON.stringify(spec)))
    })
  )

  it.effect("explains itself without the help of another host", () =>
    Effect.gen(function* () {
      const app = yield* App.App
      const { headers, status, text } = yield* app.call(undefined, "GET", "/docs")
      assert.strictEqual(status, 200)
      assert.notMatch(text, /<(?:script|link|img|iframe)[^>]+(?:src|href)=/)
      const policy = headers["content-security-policy"] ?? ""
      assert.match(policy, /^default-src 'none';/)
      assert.notMatch(policy, /https?:|\*|unsafe-eval/)
    })
  )
})

interface Expecting extends App.Options {
  /** The path to ask for, where the documented one has parameters. */
  readonly at?: string
}

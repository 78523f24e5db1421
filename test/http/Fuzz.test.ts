import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { assertProblem } from "../support/Answers.ts"
import { type Answer, App, type Options } from "../support/App.ts"
import { misplaced, spilled, trespassesIn } from "../support/Canaries.ts"
import { bodyOf, field, file, formType, type Part } from "../support/Forms.ts"
import { pick, type Random, spoiled, validOf } from "../support/Generator.ts"
import * as Hostile from "../support/Hostile.ts"
import { deviations, type Json, type Operation, operations, resolve, validatorOf } from "../support/OpenApiDocument.ts"
import { randomFrom } from "../support/Random.ts"
import type { Recipe } from "../support/Recipe.ts"
import { recipesOf } from "../support/Recipes.ts"
import { placesOf, type Request, urlOf, valueAt, withValueAt } from "../support/References.ts"
import * as WholeApp from "../support/WholeApp.ts"
import { type Actor, aLoner, changedBetween, fingerprints } from "../support/World.ts"

/** A long run: `FUZZ_REQUESTS=1000000 npm test -- test/http/Fuzz.test.ts`; another one: `FUZZ_SEED=7`. */
const wanted = Number(process.env["FUZZ_REQUESTS"] ?? 10_000)
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_124)
const each = Math.max(40, Math.ceil(wanted / operations.length))
/** Requests that one customer of the fuzz makes: what they leave behind makes the next ones slower. */
const batch = 200

interface Case extends Request {
  /** A body as its text, which may hold what no value holds. */
  readonly text?: string
}

/** What no schema says of a request, and is refused in these words. */
const beyondTheSchema: ReadonlyArray<RegExp> = [
  /Expected with before or after: a sequence counts within one conversation/,
  /Expected only where a new conversation is opened/,
  /Expected every amount of an order in the order's currency/,
  /Expected amounts that can be added up without rounding/,
  /Expected no more than fits into the wallet/,
  /Expected a negative amount for a refund, a positive one for a payment/,
  /Expected true: what concerns security cannot be switched off/,
  /Expected fcm: apns reaches ios alone/,
  /Expected a percentage from 0 to 100|Expected an integer of minor units/,
  /Expected no negative amount|Expected every amount of a basket in one currency/,
  /Expected a window to close after it opens|Expected windows of a day that do not overlap/,
  /Expected a time that ends after it begins|Expected a day that is in the calendar/,
  /Expected a path such as \/orders\/1001, or an http or https address/,
  /Expected a validity of 100 years at most/,
  /Expected either date, or both from and to|Expected from and to in order and at most 31 days/,
  /"pointer":"\/body\/(?:service|date|from|to)"/,
  /"pointer":"\/query\/(?:cursor|from|to|since)"/,
  /"pointer":"\/body\/(?:street1|city|country|zip|state)"/,
  /card_number_refused/
]

const parametersOf = ({ operation }: Operation, where: string): ReadonlyArray<Json> =>
  operation["parameters"].map(resolve).filter((parameter: Json) => parameter["in"] === where)

const bodySchemaOf = ({ operation }: Operation): Json | undefined =>
  operation["requestBody"]?.content["application/json"]?.schema
const formSchemaOf = ({ operation }: Operation): Json | undefined =>
  operation["requestBody"]?.content["multipart/form-data"]?.schema

const queryText = (value: unknown) => (Array.isArray(value) ? value.map(String) : String(value))

/** A request as the document has it: generated, with things that are really there in most of the places that name some. */
const validCase = (random: Random, operation: Operation, example: Request, places: ReadonlyArray<string>): Case => {
  const path = Object.fromEntries(
    parametersOf(operation, "path").map(({ name, schema }) => [name, String(validOf(random, schema, name) || "a")])
  )
  const query: Record<string, string> = {}
  for (const { name, required, schema } of parametersOf(operation, "query")) {
    if ((random(3) > 0 && !required) || name === "cursor") continue
    const text = queryText(validOf(random, schema, name))
    if (Array.isArray(text) ? text.length > 0 : true) query[name] = Array.isArray(text) ? text[0]! : text
  }
  const body = bodySchemaOf(operation)
  let made: Case = { path, query, headers: { ...example.headers } }
  if (body !== undefined) made = { ...made, body: validOf(random, body) as Json }
  const form = formSchemaOf(operation)
  if (form !== undefined) made = { ...made, form: formOf(random, resolve(form), example.form ?? []) }
  for (const place of places) {
    const known = valueAt(example, place)
    if (known !== undefined && valueAt(made, place) !== undefined && random(10) > 1) {
      made = withValueAt(made, place, known)
    }
  }
  return made
}

const formOf = (
  random: Random,
  { properties, required = [] }: Json,
  example: ReadonlyArray<Part>
): ReadonlyArray<Part> =>
  Object.entries<Json>(properties).flatMap(([name, schema]) => {
    if (!required.includes(name) && random(2) === 0) return []
    const known = example.filter((part) => part.name === name)
    if (known.length > 0 && random(10) > 1) return known
    if (schema["type"] === "array") return [file(`f${random(1000)}.txt`, `content ${random(1e6)}`, name)]
    return [field(name, name === "attachments" ? "[]" : String(validOf(random, schema, name)))]
  })

/** The same request with one thing wrong, and whether the document says so. */
const spoiledCase = (random: Random, operation: Operation, valid: Case): readonly [Case, isInvalid: boolean] => {
  const schema = bodySchemaOf(operation)
  const kinds = [
    ...(schema === undefined ? [] : ["body", "body", "body", "type", "text", "size"]),
    ...(valid.form === undefined ? [] : ["form", "form"]),
    ...(Object.keys(valid.path ?? {}).length > 0 ? ["path"] : []),
    ...(parametersOf(operation, "query").length > 0 ? ["query", "query"] : []),
    "header"
  ]
  switch (pick(random, kinds)) {
    case "body": {
      const text = spoiled(random, valid.body)
      return [{ ...valid, text }, !validatorOf(schema!)(JSON.parse(text))]
    }
    case "type":
      return [
        {
          ...valid,
          headers: {
            ...valid.headers,
            "content-type": pick(random, [
              "text/xml",
              "application/x-www-form-urlencoded",
              "application/json; charset=utf-16"
            ])
          }
        },
        true
      ]
    case "text": {
      const text = JSON.stringify(valid.body)
      const cut = pick(random, [
        text.slice(0, -1),
        `${text}}`,
        "",
        `[${text}]`,
        "nonsense",
        `{"a":`.repeat(500),
        "\u0000"
      ])
      return [{ ...valid, text: cut }, cut !== ""]
    }
    case "size":
      return random(8) > 0
        ? [{ ...valid, text: `{"nope":"${"a".repeat(random(5000))}"}` }, true]
        : [{ ...valid, text: `"${"a".repeat(2 ** 20)}"` }, true]
    case "form": {
      const form = valid.form!.map((part) =>
        random(2) === 0 ? { ...part, name: pick(random, [part.name, "nope", "__proto__", "a[4294967294]"]) } : part
      )
      const more = [
        field(
          pick(random, ["customerId", "orgId", "path"]),
          pick(
            random,
            Hostile.strings.filter((text) => text.isWellFormed())
          )
        )
      ]
      return [{ ...valid, form: [...form, ...more] }, true]
    }
    case "path": {
      const name = pick(random, Object.keys(valid.path!))
      return [
        withValueAt(
          valid,
          `path.${name}`,
          pick(
            random,
            short.filter((text) => text !== "")
          )
        ),
        false
      ]
    }
    case "query": {
      const { name, schema: its } = pick(random, parametersOf(operation, "query"))
      const value = pick(random, short)
      const whole = resolve(its)
      const isTyped = whole["enum"] !== undefined || whole["type"] === "integer"
      const isIn =
        whole["enum"]?.includes(value) === true ||
        /^[+-]?\d+(?:\.0+)?(?:e\d+)?$|^0x/i.test(value.trim()) ||
        value === ""
      return [{ ...valid, query: { ...valid.query, [name]: value } }, isTyped && !isIn]
    }
    default: {
      const hostile = pick(
        random,
        short.filter((text) => /^[\x20-\x7e]*$/.test(text))
      )
      const headers: Readonly<Record<string, string>> = {
        [pick(random, [
          "idempotency-key",
          "if-match",
          "if-none-match",
          "range",
          "if-range",
          "accept",
          "accept-encoding",
          "x-request-id",
          "cookie",
          "origin",
          "expect-ct",
          "content-language"
        ])]: hostile
      }
      return [{ ...valid, headers: { ...valid.headers, ...headers } }, false]
    }
  }
}

/** Those that fit into the head of a request. */
const short = Hostile.strings.filter((text) => text.length < 1000)

const optionsOf = ({ body, form, headers = {}, text }: Case): Options =>
  form !== undefined
    ? { body: bodyOf(...form), headers: { "content-type": formType, ...headers } }
    : { body: text ?? body, headers }

const encodedUrl = (operation: Operation, request: Case) => {
  const safe = (text: string) => (text.isWellFormed() ? text : text.toWellFormed())
  const path = Object.fromEntries(Object.entries(request.path ?? {}).map(([name, value]) => [name, safe(value)]))
  const query = Object.fromEntries(Object.entries(request.query ?? {}).map(([name, value]) => [name, safe(value)]))
  return urlOf(operation.path, { path, query })
}

const curlOf = (operation: Operation, request: Case) => {
  const { body, headers = {} } = optionsOf(request)
  const flags = Object.entries(headers).map(([name, value]) => `-H '${name}: ${String(value)}'`)
  const text =
    body === undefined
      ? ""
      : `--data-binary '${(typeof body === "string" ? body : body instanceof Uint8Array ? Buffer.from(body).toString() : JSON.stringify(body)).slice(0, 2000)}'`
  return `curl -X ${operation.method.toUpperCase()} "$URL${encodedUrl(operation, request)}" ${flags.join(" ")} ${text}`
}

/** What is wrong with an answer, whatever was asked. */
const faults = (operation: Operation, answer: Answer, actor: Actor): ReadonlyArray<string> => {
  const { headers, status } = answer
  const wrong: Array<string> = []
  if (status >= 500) wrong.push(`${status} ${answer.text}`)
  if (headers["x-request-id"] === undefined) wrong.push("no x-request-id")
  if (/^\/(?:client-data|platform)\//.test(operation.path)) {
    if (headers["cache-control"]?.startsWith("private") !== true)
      wrong.push(`cache-control is ${headers["cache-control"]}`)
    if (headers["vary"]?.includes("orgid") !== true) wrong.push(`vary is ${headers["vary"]}`)
  }
  // What is replayed is what was answered then, its request id included.
  if (status >= 400 && headers["idempotency-replayed"] === undefined) {
    try {
      assertProblem(answer, status, answer.json?.code)
    } catch (error) {
      wrong.push(`not a problem: ${String(error)}`)
    }
  }
  const content = operation.operation["responses"][status]?.content ?? {}
  const isBytes =
    status < 300 &&
    ["application/octet-stream", "text/event-stream", "text/calendar"].some((type) => content[type] !== undefined)
  // A path that names nothing that could be is not there at all.
  if (!isBytes && answer.json?.code !== "not_found") wrong.push(...deviations(operation.method, operation.path, answer))
  wrong.push(...trespassesIn(actor.customer, answer).map((whose) => `shows what is of ${whose}`))
  return wrong
}

const total = { valid: 0, invalid: 0, other: 0, statuses: new Map<number, number>(), milliseconds: 0 }

const fuzz = Effect.fnUntraced(function* (operation: Operation, recipe: Recipe, own: number) {
  const { call } = yield* App
  const sql = yield* SqlClient.SqlClient
  const places = placesOf(operation.operation)
  const wrong: Array<string> = []
  const { security } = operation.operation as { readonly security: ReadonlyArray<Json> }

  const send = Effect.fnUntraced(function* (
    actor: Actor,
    name: string,
    request: Case,
    check: (answer: Answer) => string | false
  ) {
    const who = security[0] === undefined ? undefined : "bearer" in security[0] ? actor.customer : actor.platform
    const started = performance.now()
    const answer = yield* call(who, operation.method.toUpperCase(), encodedUrl(operation, request), optionsOf(request))
    total.milliseconds += performance.now() - started
    total.statuses.set(answer.status, (total.statuses.get(answer.status) ?? 0) + 1)
    const checked = check(answer)
    const found = [...faults(operation, answer, actor), ...(checked === false ? [] : [checked])]
    if (found.length > 0) wrong.push(`${name}: ${found.join("; ")}\n  ${curlOf(operation, request)}`)
  })

  for (let done = 0; done < own; done += batch) {
    const random = randomFrom(seed + done * 7919 + operations.indexOf(operation) * 104_729)
    const actor = yield* aLoner
    const examples = yield* Effect.forEach([1, 2, 3], () => recipe.make(actor))
    yield* sql`DELETE FROM shared_limits`
    const name = (n: number) => `${operation.operation["operationId"]}, FUZZ_SEED=${seed}, request ${done + n}`
    const cases = Array.from({ length: batch / 2 }, () => validCase(random, operation, pick(random, examples), places))

    const before = yield* fingerprints
    const bad = cases.map((valid) => spoiledCase(random, operation, valid))
    yield* Effect.forEach(
      bad.filter(([, isInvalid]) => isInvalid),
      ([request], n) =>
        send(
          actor,
          name(n),
          request,
          ({ status, text }) =>
            (status < 400 || [401, 403, 409, 412].includes(status)) &&
            `what the document does not take is answered ${status} ${text.slice(0, 200)}`
        ).pipe(Effect.andThen(Effect.sync(() => total.invalid++))),
      { concurrency: 8 }
    )
    // Of those who came before, payments may still be settled with their provider.
    const changed = changedBetween(
      before,
      yield* fingerprints,
      (orgId, _, table) => table === "payment_customers" && orgId !== actor.customer.orgId
    )
    if (changed.length > 0) wrong.push(`${name(0)}: what is invalid has changed ${changed.join()}`)

    yield* Effect.forEach(
      cases,
      (request, n) =>
        send(
          actor,
          name(n),
          request,
          ({ status, text }) =>
            [400, 413, 415].includes(status) &&
            security.length > 0 &&
            !beyondTheSchema.some((known) => known.test(text)) &&
            `what the document takes is answered ${status} ${text.slice(0, 500)}`
        ).pipe(Effect.andThen(Effect.sync(() => total.valid++))),
      { concurrency: 8 }
    )
    yield* Effect.forEach(
      bad.filter(([, isInvalid]) => !isInvalid),
      ([request], n) =>
        send(actor, name(n), request, () => false).pipe(Effect.andThen(Effect.sync(() => total.other++))),
      { concurrency: 8 }
    )
  }
  return wrong
})

layer(WholeApp.layer, { excludeTestServices: true })("Whatever is sent to", (it) => {
  for (const operation of operations) {
    const id = operation.operation["operationId"] as string
    it.effect(
      `${id} is answered as the document says`,
      () =>
        Effect.gen(function* () {
          const recipes = recipesOf(id)
          assert.isNotEmpty(recipes, `no recipe in test/support/Recipes.ts for ${id}`)
          const wrong: Array<string> = []
          for (const recipe of recipes)
            wrong.push(...(yield* fuzz(operation, recipe, Math.ceil(each / recipes.length))))
          assert.strictEqual(wrong.length, 0, `${wrong.length} of them are not:\n${wrong.slice(0, 5).join("\n")}`)
        }),
      Math.max(30_000, wanted * 10)
    )
  }

  it.effect("all of them leaves nobody's text in the log, nor in another's rows", () =>
    Effect.gen(function* () {
      const { logs } = yield* App
      assert.deepStrictEqual(spilled(logs), [])
      assert.deepStrictEqual(yield* misplaced, [])
      const { invalid, other, statuses, valid } = total
      const seen = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status} × ${count}`)
      console.info(`Fuzz: ${valid} valid, ${invalid} invalid, ${other} odd requests: ${seen.join(", ")}`)
    })
  )
})

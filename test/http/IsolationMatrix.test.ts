import { assert, describe, it as test, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { traits } from "../support/Answers.ts"
import { type Answer, App } from "../support/App.ts"
import { misplaced, spilled, trespassesIn } from "../support/Canaries.ts"
import { form } from "../support/Forms.ts"
import { type Json, operations, type Operation, resolve } from "../support/OpenApiDocument.ts"
import { nextNumber } from "../support/People.ts"
import type { Kitchen, Recipe } from "../support/Recipe.ts"
import { recipesOf } from "../support/Recipes.ts"
import { missingLike, placesOf, type Request, urlOf, valueAt, withValueAt } from "../support/References.ts"
import { tellAll } from "../support/Notifying.ts"
import * as WholeApp from "../support/WholeApp.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { guards } from "../support/TestServices.ts"
import { type Actor, changedBetween, fingerprints, orgWide, tokenWith, world, type World } from "../support/World.ts"

/** How an operation is asked for: with a customer's token, with a platform's key, or by anybody. */
const sideOf = ({ operation: { security } }: Operation): "bearer" | "apiKey" | "open" =>
  security.length === 0 ? "open" : "bearer" in security[0] ? "bearer" : "apiKey"

const takes = ({ operation }: Operation, parameter: string) =>
  operation["parameters"].some(({ $ref = "" }: Json) => $ref.endsWith(`/${parameter}`))

/** Its keys and the types of its values, whatever they are. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== "object" || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
}
const outlineOf = ({ headers, json, status }: Answer) => ({ status, names: Object.keys(headers), body: shapeOf(json) })

/** What a list names its rows by. */
const rowsOf = ({ json }: Answer): ReadonlyArray<string> =>
  (Array.isArray(json?.data) ? json.data : []).map((row: Json) => row["id"] ?? row["path"] ?? row["productId"])

/** What of an answer is only what its asker has sent. */
const namesIn = (value: string, { path = {} }: Request) =>
  [value, ...Object.values(path)].flatMap((name) => [name, encodeURIComponent(name)])

const sizes = { operations: new Set<string>(), places: 0, cells: new Map<string, number>() }

/** Fills in the cells of one operation: whatever is wrong, by cell. */
const matrixOf = Effect.fnUntraced(function* (
  operation: Operation,
  recipe: Recipe,
  places: ReadonlyArray<string>,
  people: World,
  isWhole: boolean
) {
  const { call } = yield* App
  const sql = yield* SqlClient.SqlClient
  const side = sideOf(operation)
  const method = operation.method.toUpperCase()
  const isWrite = method !== "GET"
  const owner = side === "apiKey" ? people.eve : people.ada
  const strangers =
    side === "apiKey"
      ? { mallory: people.mallory }
      : { eve: people.eve, grace: people.grace, mallory: people.mallory, namesake: people.namesake }
  const wrong: Array<string> = []

  const cell = (kind: string, name: string, problem: string | false | undefined) => {
    sizes.cells.set(kind, (sizes.cells.get(kind) ?? 0) + 1)
    if (problem !== false && problem !== undefined)
      wrong.push(`${operation.operation["operationId"]} · ${name}: ${problem}`)
  }
  const send = Effect.fnUntraced(function* (
    who: Parameters<typeof call>[0],
    reader: Parameters<typeof trespassesIn>[0],
    request: Request,
    headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>> = {}
  ) {
    const sent = request.form === undefined ? { body: request.body } : form(request.form)
    const answer = yield* call(who, method, urlOf(operation.path, request), {
      ...sent,
      headers: { ...sent.headers, ...request.headers, ...headers }
    })
    const seen = trespassesIn(reader, answer)
    if (seen.length > 0) wrong.push(`${method} ${urlOf(operation.path, request)} shows what is of ${seen.join()}`)
    if (answer.status >= 500) wrong.push(`${method} ${urlOf(operation.path, request)} answers ${answer.text}`)
    return answer
  })
  const as = (actor: Actor, request: Request, headers: Parameters<typeof send>[3] = {}) =>
    side === "bearer"
      ? send(actor.customer, actor.customer, request, headers)
      : side === "apiKey"
        ? send(actor.platform, { orgId: actor.customer.orgId }, request, headers)
        : send(undefined, actor.customer, request, headers)

  /** Runs what nobody else's rows may change by. */
  const harmless = Effect.fnUntraced(function* (
    name: string,
    actors: ReadonlyArray<Actor>,
    cells: Effect.Effect<void, never, Kitchen>
  ) {
    // What was accepted before is told before: nobody works in the background, so all that changes now is the cells' doing.
    yield* tellAll
    const before = yield* fingerprints
    yield* cells
    yield* tellAll
    const changed = changedBetween(before, yield* fingerprints, (orgId, customerId, table) =>
      actors.some(
        ({ customer }) =>
          customer.orgId === orgId &&
          (side === "apiKey" || customer.customerId === customerId || (customerId === "*" && orgWide.includes(table)))
      )
    )
    cell(
      "bystanders",
      name,
      recipe.moves?.includes(name) !== true && changed.length > 0 && `changes ${changed.join(", ")}`
    )
  })

  yield* sql`DELETE FROM shared_limits`
  const theirs = yield* recipe.make(owner)
  const unique = () => `key-${nextNumber()}`

  // Who is not let in is told so, whatever the request is about.
  const refused = Effect.fnUntraced(function* (
    name: string,
    code: string,
    who: Parameters<typeof call>[0],
    headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  ) {
    const answer = yield* send(who, undefined, theirs, headers)
    const key = { ...headers, ...(takes(operation, "IdempotencyKey") && { "idempotency-key": unique() }) }
    const keyed = yield* send(who, undefined, theirs, key)
    const same = JSON.stringify(traits(keyed)) === JSON.stringify(traits(answer))
    cell(
      "identity",
      name,
      answer.json?.code !== code ? `${answer.status} ${answer.text}` : !same && "differs with a key"
    )
  })
  const { customer, platform } = owner
  if (isWhole)
    yield* harmless(
      "whoever is not let in",
      [],
      Effect.gen(function* () {
        if (side === "bearer") {
          const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
          const now = Math.floor(Date.now() / 1000)
          const expired = tokenWith(customer, { claims: { iat: now - 7200, exp: now - 3600 } })
          yield* refused("no token", "missing_authorization_header", customer, { authorization: undefined })
          yield* refused("not a token", "invalid_token", customer, bearer("none"))
          yield* refused(
            "a token of another issuer",
            "invalid_token",
            customer,
            bearer(tokenWith(customer, { key: "x" }))
          )
          yield* refused(
            "an unsigned token",
            "invalid_token",
            customer,
            bearer(`${tokenWith(customer, { header: { alg: "none" } }).replace(/[^.]+$/, "")}`)
          )
          yield* refused("an expired token", "token_expired", customer, bearer(expired))
          yield* refused("a platform's key", "missing_authorization_header", platform, {})
          yield* refused("an erased customer", "invalid_token", people.zoe, {})
          yield* refused("a user without a record", "no_customer_record", people.trent, {})
          yield* refused("a token of another org", "org_mismatch", people.mallory.customer, { orgid: customer.orgId })
          yield* refused("a namesake's token", "org_mismatch", people.namesake.customer, { orgid: customer.orgId })
          yield* refused("another org", "org_mismatch", customer, { orgid: people.mallory.customer.orgId })
          yield* refused("an org that is not", "org_mismatch", customer, { orgid: "none" })
          yield* refused("no org", "missing_orgid", customer, { orgid: undefined })
          yield* refused("two orgs", "invalid_request", customer, {
            orgid: [customer.orgId, people.mallory.customer.orgId]
          })
        } else if (side === "apiKey") {
          const other = people.mallory.platform
          yield* refused("no key", "invalid_api_key", platform, { "x-api-key": undefined })
          yield* refused("not a key", "invalid_api_key", platform, { "x-api-key": "none" })
          yield* refused("a customer's token", "invalid_api_key", customer, {})
          yield* refused("a key of another org", "invalid_api_key", other, { orgid: platform.orgId })
          yield* refused("another org", "invalid_api_key", platform, { orgid: other.orgId })
          yield* refused("an org that is not", "invalid_api_key", platform, { orgid: "none" })
          yield* refused("no org", "missing_orgid", platform, { orgid: undefined })
          yield* refused("two orgs", "invalid_request", platform, { orgid: [platform.orgId, other.orgId] })
        }
        for (const [n, request] of (recipe.forged?.(theirs) ?? []).entries()) {
          const answer = yield* send(undefined, undefined, request)
          cell(
            "identity",
            `forgery ${n}`,
            (answer.status < 400 || answer.status > 404) && `${answer.status} ${answer.text}`
          )
        }

        // Nobody names whose it is in a body.
        const schema = operation.operation["requestBody"]?.content["application/json"]?.schema
        if (schema === undefined || recipe.forged !== undefined) return
        const known = new Set(JSON.stringify(resolve(schema)).match(/"\w+"(?=:)/g))
        for (const key of ["customerId", "orgId", "org_id", "userId", "owner", "createdBy", "erasedAt", "__proto__"]) {
          if (known.has(`"${key}"`)) continue
          const body = JSON.parse(
            JSON.stringify(theirs.body)
              .replace(/\}$/, `,${JSON.stringify(key)}:"ada-00001"}`)
              .replace("{,", "{")
          )
          const answer = yield* as(owner, { ...theirs, body })
          cell("named owners", key, answer.status !== 400 && `${answer.status} ${answer.text}`)
        }
      }).pipe(Effect.orDie)
    )

  // What is somebody else's is answered as if it were not there.
  for (const place of places) {
    const foreignValue = valueAt(theirs, place)
    if (foreignValue === undefined || side === "open") continue
    const isOwn = recipe.own?.includes(place) === true
    const told = recipe.told?.[place]
    const expected = recipe.answers?.[place] ?? told ?? 404
    const apart = Object.entries(strangers).filter(
      ([, { customer }]) =>
        recipe[customer.orgId === owner.customer.orgId ? "shared" : "local"]?.includes(place) !== true
    )
    yield* harmless(
      place,
      apart.map(([, actor]) => actor),
      Effect.gen(function* () {
        for (const [name, stranger] of apart) {
          const chosen = isOwn ? [yield* recipe.make(stranger), yield* recipe.make(stranger)] : undefined
          for (const headers of [
            {},
            ...(isWhole && takes(operation, "IfMatch") ? [{ "if-match": '"1"' }] : []),
            ...(isWhole && takes(operation, "IfNoneMatch") ? [{ "if-none-match": '"1"' }] : [])
          ]) {
            const mine = chosen?.[0] ?? (yield* recipe.make(stranger))
            const foreign = yield* as(stranger, withValueAt(mine, place, foreignValue), headers)
            // Made anew, so that what the first one may have used up or counted is as before.
            const again = chosen?.[1] ?? (yield* recipe.make(stranger))
            const missingValue = isOwn ? valueAt(again, place)! : missingLike(foreignValue)
            const missing = yield* as(stranger, withValueAt(again, place, missingValue), headers)
            const at = `${place} by ${name}${Object.keys(headers)
              .map((header) => ` with ${header}`)
              .join("")}`
            if (isOwn || expected < 300) {
              const same = JSON.stringify(outlineOf(foreign)) === JSON.stringify(outlineOf(missing))
              const status = isOwn
                ? foreign.status < 300 || Object.keys(headers).length > 0
                : foreign.status === expected
              cell(
                "references",
                at,
                !(same && status) && `${foreign.status} ${foreign.text} for ${missing.status} ${missing.text}`
              )
            } else {
              const [a, b] = [
                traits(foreign, ...namesIn(foreignValue, mine)),
                traits(missing, ...namesIn(missingValue, again))
              ].map((seen) => JSON.stringify(seen))
              cell(
                "references",
                at,
                foreign.status !== expected
                  ? `${foreign.status} ${foreign.text}`
                  : told === undefined && a !== b && `${a} for ${b}`
              )
            }
          }
        }
      }).pipe(Effect.orDie)
    )
  }

  // The owner's own request succeeds, without which none of the above has shown anything, and is about nobody else.
  const key = unique()
  const named = takes(operation, "IdempotencyKey") ? { "idempotency-key": key } : {}
  let owned!: Answer
  const asked = Effect.map(as(owner, theirs, named), (answer) => void (owned = answer))
  // What has moved to a stranger above comes back.
  const touched = recipe.moves === undefined ? [owner] : [owner, ...Object.values(strangers)]
  yield* isWrite && side !== "open" ? harmless("the owner's own request", touched, asked) : asked
  cell("positive controls", "the owner's own request", owned.status >= 300 && `${owned.status} ${owned.text}`)

  const owns = recipe.catalogue === true || isWrite ? [] : rowsOf(owned)

  // Nor does anything beside the identifiers widen what somebody sees or changes.
  if (side === "open") return wrong
  yield* harmless(
    "beside the identifiers",
    Object.values(strangers),
    Effect.gen(function* () {
      for (const [name, stranger] of Object.entries(strangers)) {
        if (isWrite) {
          const answer = yield* as(stranger, yield* recipe.make(stranger), named)
          const replayed = answer.headers["idempotency-replayed"] !== undefined
          cell(
            "keys",
            `${name} with the owner's key`,
            (replayed || answer.status >= 300) && `${answer.status} ${answer.text}`
          )
        }
        const { customerId } = owner.customer
        const mine = yield* recipe.make(stranger)
        const widened = {
          ...mine,
          query: {
            or: "true",
            filterOperator: "OR",
            include: "customer",
            "filter[customerId]": customerId,
            customer_id: customerId,
            ...(side === "bearer" && { customerId }),
            orgId: owner.customer.orgId,
            ...mine.query
          }
        }
        const overrides = {
          "x-customer-id": customerId,
          "x-user-id": customerId,
          "x-org-id": owner.customer.orgId,
          "x-forwarded-user": customerId,
          "x-http-method-override": "GET",
          "x-original-url": "/client-data/profile",
          cookie: `customerId=${customerId}`
        }
        const answer = yield* as(stranger, widened, overrides)
        const common = rowsOf(answer).filter((row) => owns.includes(row))
        cell(
          "overrides",
          name,
          answer.status >= 300 ? `${answer.status} ${answer.text}` : common.length > 0 && `shows ${common.join()}`
        )
        if (takes(operation, "Cursor") && recipe.single !== true) {
          const page = yield* as(owner, { ...theirs, query: { ...theirs.query, ps: "1" } })
          const cursor = page.json?.nextCursor
          const theirCursor = yield* as(stranger, {
            ...mine,
            query: { ...mine.query, ps: "1", cursor: String(cursor) }
          })
          const shared = rowsOf(theirCursor).filter((row) => owns.includes(row))
          cell(
            "cursors",
            name,
            typeof cursor !== "string" ? "the owner has no second page" : shared.length > 0 && `shows ${shared}`
          )
        }
      }
    }).pipe(Effect.orDie)
  )
  return wrong
})

describe("The isolation matrix", () => {
  test("has a row for every operation of the document", () => {
    const documented = operations.map(({ operation }) => operation["operationId"] as string)
    const missing = documented.filter((id) => recipesOf(id).length === 0)
    assert.deepStrictEqual(missing, [], `no recipe in test/support/Recipes.ts for ${missing.join(", ")}`)
  })
})

layer(WholeApp.layer, { excludeTestServices: true })("A stranger in", (it) => {
  for (const operation of operations) {
    const id = operation.operation["operationId"] as string
    for (const [guard, guarded] of guards) {
      it.effect(`${id} finds nothing and changes nothing, by ${guard}`, () =>
        Effect.gen(function* () {
          // Every row of every table is compared again and again: let there be few.
          yield* TestDatabase.truncate
          const people = yield* world
          yield* guarded
          const places = placesOf(operation.operation)
          const filled = new Set<string>()
          const wrong: Array<string> = []
          for (const recipe of recipesOf(id)) {
            const example = yield* recipe.make(people.bystander)
            for (const place of places) if (valueAt(example, place) !== undefined) filled.add(place)
            wrong.push(...(yield* matrixOf(operation, recipe, places, people, guard === "row security")))
          }
          const empty = places.filter((place) => !filled.has(place))
          assert.deepStrictEqual(empty, [], `the recipe of ${id} in test/support/Recipes.ts leaves out an identifier`)
          sizes.operations.add(id)
          if (guard === "row security") sizes.places += places.length
          assert.deepStrictEqual(wrong, [])
          assert.deepStrictEqual(yield* misplaced, [], "text of a customer's in another's rows")
        }).pipe(Effect.scoped)
      )
    }
  }

  it.effect("all of it has left no text of a customer's in the log", () =>
    Effect.gen(function* () {
      const { logs } = yield* App
      assert.deepStrictEqual(spilled(logs), [])
      const kinds = [...sizes.cells].map(([kind, count]) => `${kind} ${count}`)
      const total = [...sizes.cells.values()].reduce((sum, count) => sum + count, 0)
      console.info(
        `Isolation matrix: ${sizes.operations.size} operations, ${sizes.places} places, ${total} cells (${kinds.join(", ")})`
      )
    })
  )
})

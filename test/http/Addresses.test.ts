import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { fingerprint, people } from "../support/People.ts"

const path = "/client-data/addresses"
const home = { street1: "12 St James's Square", city: "London", zip: "SW1Y 4JH", country: "GB" }
const none = "01a20847-b918-76b3-9278-f5660aeae07f"

layer(TestApp.layer, { excludeTestServices: true })((it) => {
  describe("Over HTTP an address", () => {
    it.effect("is made once, found where the answer says, and changed in place", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const once = { body: home, headers: { "idempotency-key": "one-address" } }

        const made = yield* call(ada, "POST", path, once)
        const repeated = yield* call(ada, "POST", path, once)
        const found = yield* call(ada, "GET", made.headers["location"]!)
        const known = yield* call(ada, "GET", made.headers["location"]!, { headers: { "if-none-match": '"1"' } })
        const changed = yield* call(ada, "POST", path, { body: { id: made.json.id, name: "Ada", zip: "SW1Y 4LB" } })
        const list = yield* call(ada, "GET", path)

        assert.deepStrictEqual([made.status, repeated.status, found.status, known.status], [201, 201, 200, 304])
        assert.deepStrictEqual([made.headers["etag"], found.headers["etag"]], ['"1"', '"1"'])
        assert.strictEqual(made.headers["location"], `${path}/${made.json.id}`)
        assert.deepStrictEqual(repeated.bytes, made.bytes)
        assert.strictEqual(repeated.headers["idempotency-replayed"], "true")
        assert.deepStrictEqual(found.json, made.json)
        assert.deepStrictEqual(Object.keys(made.json).join(), fields)
        assert.deepStrictEqual([changed.status, changed.headers["etag"]], [200, '"2"'])
        assert.isUndefined(changed.headers["location"])
        assert.deepStrictEqual(list.json, {
          data: [changed.json],
          total: 1,
          hasNext: false,
          page: 1,
          pageSize: 50,
          totalPages: 1,
          nextCursor: null
        })
      })
    )

    it.effect("is deleted once, and by no one who has not seen its last change", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const { json } = yield* call(ada, "POST", path, { body: home })
        const own = `${path}/${json.id}`

        assertProblem(yield* call(ada, "DELETE", own, { headers: { "if-match": '"7"' } }), 412, "version_mismatch")
        const body = { id: json.id, name: "Ada" }
        assertProblem(yield* call(ada, "POST", path, { body, headers: { "if-match": '"7"' } }), 412, "version_mismatch")
        const deleted = yield* call(ada, "DELETE", own, { headers: { "if-match": '"1"' } })
        assert.deepStrictEqual([deleted.status, deleted.bytes.length], [204, 0])
        assertProblem(yield* call(ada, "DELETE", own), 404, "address_not_found")
      })
    )

    it.effect("is refused with what is wrong with it, and where", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        const { json } = yield* call(ada, "POST", path, { body: home })
        const before = yield* fingerprint
        const refused = (body: unknown, ...pointers: Array<string>) =>
          Effect.map(call(ada, "POST", path, { body }), (answer) => assertInvalid(answer, ...pointers))

        yield* refused({}, "/body/street1", "/body/city", "/body/country")
        yield* refused({ ...home, country: "UK" }, "/body/country")
        yield* refused({ ...home, country: "gb" }, "/body/country")
        yield* refused({ ...home, zip: "12345" }, "/body/zip")
        yield* refused({ ...home, zip: null }, "/body/zip")
        yield* refused({ ...home, street1: "  ", city: null }, "/body/street1", "/body/city")
        yield* refused({ ...home, street1: "x".repeat(201) }, "/body/street1")
        yield* refused({ ...home, phone: "020 7946 0958" }, "/body/phone")
        yield* refused({ ...home, type: "castle", primary: null }, "/body/type", "/body/primary")
        yield* refused({ ...home, latitude: 91, longitude: "0" }, "/body/latitude", "/body/longitude")
        yield* refused('{"street1":"x","city":"x","country":"AE","latitude":1e999}', "/body/latitude")
        yield* refused({ ...home, name: "nul\u0000" }, "/body/name")
        yield* refused({ ...home, customerId: "eve", version: 9 }, "/body/customerId", "/body/version")
        yield* refused({ id: json.id, country: "DE" }, "/body/zip")
        yield* refused({ id: "", city: "London" }, "/body/id")
        yield* refused([home], "/body")
        assertInvalid(yield* call(ada, "GET", `${path}?s=street2`), "/query/s")
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("of somebody else answers as one that is not there", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada, eve, grace, mallory, namesake } = yield* people
        const { json } = yield* call(ada, "POST", path, { body: home })
        const before = yield* fingerprint

        for (const stranger of [eve, grace, mallory, namesake]) {
          for (const [method, options] of [
            ["GET", {}],
            ["DELETE", {}],
            ["DELETE", { headers: { "if-match": '"1"' } }]
          ] as const) {
            const foreign = yield* call(stranger, method, `${path}/${json.id}`, options)
            const missing = yield* call(stranger, method, `${path}/${none}`, options)
            assertProblem(foreign, 404, "address_not_found")
            assert.deepStrictEqual(traits(foreign, json.id), traits(missing, none))
          }
          const foreign = yield* call(stranger, "POST", path, { body: { id: json.id, city: "x", zip: "1" } })
          const missing = yield* call(stranger, "POST", path, { body: { id: none, city: "x", zip: "1" } })
          assertProblem(foreign, 404, "address_not_found")
          assert.deepStrictEqual(traits(foreign), traits(missing))
        }
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })

  describe("Autocomplete", () => {
    it.effect("leads from a few letters to an address that can be posted as it is", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people

        const guess = yield* call(ada, "POST", `${path}/autocomplete`, {
          body: { input: "99 baker st", country: "GB" }
        })
        const { placeId } = guess.json.predictions[0]
        const place = yield* call(ada, "GET", `${path}/place/${placeId}?sessionToken=${guess.json.sessionToken}`)
        const made = yield* call(ada, "POST", path, { body: place.json })

        assert.deepStrictEqual([guess.status, place.status, made.status], [200, 200, 201])
        assert.strictEqual(
          Object.keys(place.json).join(),
          "placeId,street1,street2,city,state,zip,country,latitude,longitude,formatted"
        )
        const { formatted: _, ...posted } = place.json
        assert.deepInclude(made.json, { ...posted, street1: "99 Baker Street", primary: true })
      })
    )

    it.effect("is refused what is no typing, and finds nothing where there is no place", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada } = yield* people
        for (const [body, pointer] of [
          [{ input: "b" }, "/body/input"],
          [{ input: "b".repeat(201) }, "/body/input"],
          [{ input: "baker", country: "XX" }, "/body/country"],
          [{ input: "baker", language: "klingon!" }, "/body/language"],
          [{ input: "baker", sessionToken: "../x" }, "/body/sessionToken"],
          [{ input: "baker", locationBias: {} }, "/body/locationBias"]
        ] as const) {
          assertInvalid(yield* call(ada, "POST", `${path}/autocomplete`, { body }), pointer)
        }
        for (const id of ["nowhere", "..%2Fx%3Fy=", "%2e%2e", "a%20b", "%C3%A9", "a".repeat(600)]) {
          assertProblem(yield* call(ada, "GET", `${path}/place/${id}`), 404, "place_not_found")
        }
        assertInvalid(yield* call(ada, "GET", `${path}/place/nowhere?sessionToken=a%20b`), "/query/sessionToken")
      })
    )

    it.effect("is for 60 letters a minute, for each customer apart", () =>
      Effect.gen(function* () {
        const { call } = yield* App
        const { ada, eve } = yield* people
        const type = (n: number) =>
          call(ada, "POST", `${path}/autocomplete`, {
            body: { input: `baker ${n}` },
            headers: { "idempotency-key": `${n}` }
          })

        const answers = yield* Effect.forEach(
          Array.from({ length: 61 }, (_, n) => n),
          type,
          { concurrency: 8 }
        )

        const [refused, ...others] = answers.filter(({ status }) => status !== 200)
        assertProblem(refused!, 429, "rate_limited")
        assert.isEmpty(others)
        assert.strictEqual((yield* call(eve, "POST", `${path}/autocomplete`, { body: { input: "baker" } })).status, 200)
      })
    )
  })
})

const fields =
  "id,name,company,phone,street1,street2,city,state,zip,country,type,primary,mailing,placeId,latitude,longitude," +
  "version,createdAt,updatedAt"

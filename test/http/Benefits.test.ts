import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { assertInvalid, assertProblem, traits } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import * as Hostile from "../support/Hostile.ts"
import { fingerprint, people } from "../support/People.ts"
import { upload } from "../support/Uploading.ts"

const benefits = "/client-data/benefits"
const enrollments = `${benefits}/enrollments`
const student = {
  name: "student",
  title: "Student discount",
  requiresApproval: true,
  legalAgreement: "I am a student.",
  perks: { discountType: "percentage", discount: 10, freeShipping: false },
  validity: { duration: 1, unit: "years" }
}
const shipping = {
  name: "employer",
  title: "Employer shipping",
  requiresApproval: false,
  perks: { discountType: "fixed", discount: 0, freeShipping: true }
}
const usd = (amount: number) => ({ amount, currency: "USD" })
const basket = {
  customerId: "ada",
  items: [{ productId: "slide-rule", quantity: 1, unitPrice: usd(8995) }],
  shipping: usd(900)
}

layer(TestApp.layer, { excludeTestServices: true })("Benefits", (it) => {
  it.effect("are offered, applied for, approved, change a price, and are withdrawn from over HTTP", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)
      yield* upload(ada, "card.txt")
      const pushed = yield* call(staff, "PUT", "/platform/benefits/student", { body: student })
      yield* call(staff, "PUT", "/platform/benefits/employer", { body: shipping })
      assert.deepStrictEqual([pushed.status, pushed.headers["etag"], pushed.json.active], [200, '"1"', true])
      const read = yield* call(staff, "GET", "/platform/benefits/student")
      assert.deepStrictEqual([read.json, read.headers["etag"]], [pushed.json, '"1"'])
      const offered = yield* call(ada, "GET", `${benefits}?s=name`)
      assert.deepStrictEqual(
        offered.json.data.map(({ enrollment, id }: { enrollment: unknown; id: string }) => [id, enrollment]),
        [
          ["student", null],
          ["employer", null]
        ]
      )

      const body = { benefitId: "student", formData: { year: 3 }, documents: ["card.txt"], agreementAccepted: true }
      assertProblem(
        yield* call(ada, "POST", `${benefits}/enroll`, { body: { ...body, agreementAccepted: false } }),
        422,
        "agreement_required"
      )
      const made = yield* call(ada, "POST", `${benefits}/enroll`, { body })
      const at = made.headers["location"]!
      assert.deepStrictEqual([made.status, at, made.headers["etag"]], [201, `${enrollments}/${made.json.id}`, '"1"'])
      assert.deepStrictEqual([made.json.status, made.json.formData], ["pending", { year: 3 }])
      assert.notProperty(made.json, "customerId")
      assertProblem(yield* call(ada, "POST", `${benefits}/enroll`, { body }), 409, "already_enrolled")
      const before = yield* call(staff, "POST", "/platform/pricing", { body: basket })
      assert.deepStrictEqual(
        [before.status, before.json],
        [200, { subtotal: usd(8995), discount: usd(0), shipping: usd(900), total: usd(9895), applied: [] }]
      )

      const waiting = yield* call(staff, "GET", "/platform/enrollments?status=pending&benefitId=student&customerId=ada")
      assert.deepStrictEqual([waiting.json.total, waiting.json.data[0].customerId], [1, "ada"])
      const evidence = yield* call(undefined, "GET", new URL(waiting.json.data[0].documents[0].url).pathname)
      assert.deepStrictEqual([evidence.status, evidence.text], [200, "hello"])
      const decision = `/platform/enrollments/${made.json.id}/decision`
      const approve = { body: { status: "approved" }, headers: { "if-match": '"1"' } }
      const approved = yield* call(staff, "PUT", decision, approve)
      assert.deepStrictEqual([approved.status, approved.json.status, approved.json.version], [200, "active", 2])
      assertProblem(yield* call(staff, "PUT", decision, approve), 412, "version_mismatch")
      assertProblem(
        yield* call(staff, "PUT", decision, { body: { status: "rejected", reason: "Late" } }),
        409,
        "action_not_allowed"
      )
      const direct = yield* call(ada, "POST", `${benefits}/enroll`, { body: { benefitId: "employer" } })
      assert.deepStrictEqual([direct.status, direct.json.status], [201, "active"])
      const after = yield* call(staff, "POST", "/platform/pricing", { body: basket })
      assert.deepStrictEqual(after.json, {
        subtotal: usd(8995),
        discount: usd(900),
        shipping: usd(0),
        total: usd(8095),
        applied: [
          { benefitId: "student", amount: usd(900), reason: "Student discount: 10% off the items" },
          { benefitId: "employer", amount: usd(900), reason: "Employer shipping: free shipping" }
        ]
      })

      assert.strictEqual((yield* call(ada, "GET", at, { headers: { "if-none-match": '"2"' } })).status, 304)
      assertProblem(yield* call(ada, "DELETE", at, { headers: { "if-match": '"1"' } }), 412, "version_mismatch")
      const withdrawn = yield* call(ada, "DELETE", at)
      assert.deepStrictEqual(
        [withdrawn.status, withdrawn.json.status, withdrawn.headers["etag"]],
        [200, "cancelled", '"3"']
      )
      assertProblem(yield* call(ada, "DELETE", at), 409, "action_not_allowed")
      assertProblem(yield* call(ada, "DELETE", "/client-data/files/card.txt"), 409, "action_not_allowed")
      const listed = yield* call(ada, "GET", `${enrollments}?status=cancelled&status=rejected`)
      assert.deepStrictEqual([listed.json.total, listed.json.data[0].history], [1, withdrawn.json.history])
      const again = yield* call(ada, "POST", `${benefits}/enroll`, { body })
      assert.strictEqual(again.status, 201)
    })
  )

  it.effect("are the same 404 to a stranger as what does not exist", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, eve, mallory, namesake, other } = yield* people
      const [staff, theirs] = [yield* platformOf(acme), yield* platformOf(other)]
      yield* call(staff, "PUT", "/platform/benefits/student", { body: { ...student, legalAgreement: null } })
      yield* upload(eve, "eves.txt")
      const { json } = yield* call(ada, "POST", `${benefits}/enroll`, { body: { benefitId: "student" } })
      const none = "0198f3b2-6c1b-7a3e-9c55-2b1d2f3a4b5d"
      const before = yield* fingerprint

      for (const stranger of [eve, mallory, namesake]) {
        for (const method of ["GET", "DELETE"]) {
          for (const headers of [{}, { "if-match": '"1"' }]) {
            const foreign = yield* call(stranger, method, `${enrollments}/${json.id}`, { headers })
            const missing = yield* call(stranger, method, `${enrollments}/${none}`, { headers })
            assertProblem(foreign, 404, "enrollment_not_found")
            assert.deepStrictEqual(traits(foreign, json.id), traits(missing, none))
          }
        }
      }
      const body = { status: "approved" }
      for (const [method, path, options] of [
        ["GET", "", {}],
        ["PUT", "/decision", { body }]
      ] as const) {
        const foreign = yield* call(theirs, method, `/platform/enrollments/${json.id}${path}`, options)
        const missing = yield* call(theirs, method, `/platform/enrollments/${none}${path}`, options)
        assertProblem(foreign, 404, "enrollment_not_found")
        assert.deepStrictEqual(traits(foreign, json.id), traits(missing, none))
      }
      assertProblem(yield* call(theirs, "GET", "/platform/benefits/student"), 404, "benefit_not_found")
      const entered = yield* call(mallory, "POST", `${benefits}/enroll`, { body: { benefitId: "student" } })
      assertProblem(entered, 404, "benefit_not_found")
      const stolen = yield* call(namesake, "POST", "/client-data/benefits/enroll", {
        body: { benefitId: "student", documents: ["eves.txt"] }
      })
      assertProblem(stolen, 404, "benefit_not_found")
      yield* call(ada, "DELETE", `${enrollments}/${json.id}`)
      const withTheirs = yield* call(ada, "POST", `${benefits}/enroll`, {
        body: { benefitId: "student", documents: ["eves.txt"] }
      })
      assertProblem(withTheirs, 404, "file_not_found")
      const priced = yield* call(theirs, "POST", "/platform/pricing", { body: { ...basket, customerId: "eve" } })
      assertProblem(priced, 404, "customer_not_found")
      yield* call(ada, "POST", `${benefits}/enroll`, { body: { benefitId: "student" } })
      assert.notDeepEqual(yield* fingerprint, before)
    })
  )

  it.effect("are enrolled in once by fifty requests at once, and a key answers its repeats", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, eve } = yield* people
      yield* call(yield* platformOf(acme), "PUT", "/platform/benefits/employer", { body: shipping })
      const body = { benefitId: "employer" }

      const answers = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => call(ada, "POST", `${benefits}/enroll`, { body }),
        { concurrency: "unbounded" }
      )
      const keyed = { body, headers: { "idempotency-key": "k-1" } }
      const first = yield* call(eve, "POST", `${benefits}/enroll`, keyed)
      const second = yield* call(eve, "POST", `${benefits}/enroll`, keyed)

      const lost = answers.filter(({ status }) => status !== 201)
      assert.strictEqual(lost.length, 49)
      for (const answer of lost) assertProblem(answer, 409, "already_enrolled")
      assert.deepStrictEqual([second.status, second.text], [201, first.text])
      assert.strictEqual((yield* call(ada, "GET", enrollments)).json.total, 1)
    })
  )

  it.effect("refuse what they cannot keep or reckon with, by name, and nothing changes", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)
      yield* call(staff, "PUT", "/platform/benefits/student", { body: student })
      const before = yield* fingerprint
      const put = (more: object) => call(staff, "PUT", "/platform/benefits/student", { body: { ...student, ...more } })
      const price = (more: object) => call(staff, "POST", "/platform/pricing", { body: { ...basket, ...more } })
      const enroll = (more: object) => call(ada, "POST", `${benefits}/enroll`, { body: { benefitId: "x", ...more } })
      const item = basket.items[0]!

      for (const [answer, pointer] of [
        [yield* put({ perks: { ...student.perks, discount: 101 } }), "/body/perks/discount"],
        [yield* put({ perks: { ...student.perks, discount: 0.001 } }), "/body/perks/discount"],
        [yield* put({ perks: { ...shipping.perks, discount: 1.5 } }), "/body/perks/discount"],
        [yield* put({ perks: { ...student.perks, discountType: "half" } }), "/body/perks/discountType"],
        [yield* put({ validity: { duration: 0, unit: "days" } }), "/body/validity/duration"],
        [yield* put({ validity: { duration: 101, unit: "years" } }), "/body/validity"],
        [yield* put({ price: 5 }), "/body/price"],
        [yield* price({ items: [] }), "/body/items"],
        [yield* price({ items: [{ ...item, quantity: 1.5 }] }), "/body/items/0/quantity"],
        [yield* price({ items: [{ ...item, unitPrice: usd(-1) }] }), "/body/items/0/unitPrice/amount"],
        [yield* price({ shipping: { amount: 1, currency: "EUR" } }), "/body"],
        [yield* price({ items: [{ ...item, unitPrice: usd(2 ** 52), quantity: 3 }] }), "/body"],
        [yield* price({ discount: 5 }), "/body/discount"],
        [yield* enroll({ formData: { a: "\u0000" } }), "/body/formData/a"],
        [yield* enroll({ formData: { a: [[[[[1]]]]] } }), "/body/formData/a"],
        [yield* enroll({ formData: { a: "x".repeat(16_384) } }), "/body/formData"],
        [yield* enroll({ formData: [] }), "/body/formData"],
        [yield* enroll({ documents: Array.from({ length: 11 }, () => "a.txt") }), "/body/documents"],
        [yield* enroll({ status: "active" }), "/body/status"],
        [yield* enroll({ customerId: "eve" }), "/body/customerId"],
        [yield* call(staff, "PUT", "/platform/enrollments/x/decision", { body: { status: "active" } }), "/body/status"]
      ] as const) {
        assertInvalid(answer, pointer)
      }
      assert.deepStrictEqual(yield* fingerprint, before)
    })
  )

  it.effect("keep any form as it was filled in, or refuse it", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      yield* call(yield* platformOf(acme), "PUT", "/platform/benefits/employer", { body: shipping })

      for (const json of [...Hostile.values, ...Hostile.strings.map((text) => JSON.stringify(text))]) {
        const form = json.startsWith('"') ? `{${json}:${json}}` : `{"a":${json}}`
        const made = yield* call(ada, "POST", `${benefits}/enroll`, {
          body: `{"benefitId":"employer","formData":${form}}`
        })
        if (made.status !== 201) {
          assertProblem(made, 400, "invalid_request")
          continue
        }
        // JSON writes the negative zero as any other.
        assert.deepEqual(made.json.formData, JSON.parse(JSON.stringify(JSON.parse(form))), form)
        assert.strictEqual((yield* call(ada, "DELETE", made.headers["location"]!)).status, 200)
      }
      const deep = `{"benefitId":"employer","formData":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`
      assertProblem(yield* call(ada, "POST", `${benefits}/enroll`, { body: deep }), 400, "invalid_request")
    })
  )

  it.effect("answer whatever the platform sends soundly, and stay readable", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)
      const everyValue = [...Hostile.values, ...Hostile.strings.map((text) => JSON.stringify(text))]
      const marked = (document: object) => JSON.stringify(document)
      const item = { ...basket.items[0]!, unitPrice: usd(1) }

      for (const [method, path, document] of [
        ...["name", "legalAgreement", "perks", "validity"].map(
          (key) => ["PUT", "/platform/benefits/b", marked({ ...student, [key]: "MARK" })] as const
        ),
        ["PUT", "/platform/benefits/b", marked({ ...student, perks: { ...student.perks, discount: "MARK" } })],
        ["PUT", "/platform/benefits/b", marked({ ...student, validity: { duration: "MARK", unit: "months" } })],
        ["POST", "/platform/pricing", marked({ ...basket, items: [{ ...item, quantity: "MARK" }] })],
        ["POST", "/platform/pricing", marked({ ...basket, items: [{ ...item, unitPrice: "MARK" }] })],
        ["POST", "/platform/pricing", marked({ ...basket, shipping: { amount: "MARK", currency: "USD" } })],
        ["POST", "/platform/pricing", marked({ ...basket, customerId: "MARK" })],
        ["PUT", "/platform/enrollments/1001/decision", marked({ status: "rejected", reason: "MARK" })]
      ] as const) {
        yield* Effect.forEach(
          everyValue,
          (json) =>
            Effect.map(call(staff, method, path, { body: document.replace('"MARK"', () => json) }), (answer) =>
              assert.include([200, 400, 404], answer.status, `${method} ${path} ${json} ${answer.text}`)
            ),
          { concurrency: 8 }
        )
        const read = yield* call(ada, "GET", benefits)
        assert.strictEqual(read.status, 200)
      }
      for (const value of Hostile.strings.map(Hostile.encoded).filter(({ length }) => length < 4000)) {
        for (const [who, method, path] of [
          [ada, "GET", `${enrollments}/${value}`],
          [ada, "DELETE", `${enrollments}/${value}`],
          [ada, "GET", `${enrollments}?status=${value}`],
          [staff, "GET", `/platform/enrollments/${value}`],
          [staff, "GET", `/platform/enrollments?benefitId=${value}`],
          [staff, "GET", `/platform/benefits/${value}`]
        ] as const) {
          assert.isBelow((yield* call(who, method, path)).status, 500, `${method} ${path}`)
        }
      }
    })
  )

  // The last one: customers' tokens do not live as long.
  it.effect("run out: then the same request has another answer, and another tag", () =>
    Effect.gen(function* () {
      const { advance, call, platformOf } = yield* App
      const { acme, ada } = yield* people
      const staff = yield* platformOf(acme)
      yield* call(staff, "PUT", "/platform/benefits/employer", {
        body: { ...shipping, validity: { duration: 1, unit: "years" } }
      })
      const { json } = yield* call(ada, "POST", `${benefits}/enroll`, { body: { benefitId: "employer" } })
      const at = `/platform/enrollments/${json.id}`
      const headers = { "if-none-match": '"1"' }
      const shippingIn = ({ json }: { readonly json: { readonly shipping: unknown } }) => json.shipping

      yield* advance("364 days")
      assert.strictEqual((yield* call(staff, "GET", at, { headers })).status, 304)
      assert.deepStrictEqual(shippingIn(yield* call(staff, "POST", "/platform/pricing", { body: basket })), usd(0))
      yield* advance("3 days")
      const over = yield* call(staff, "GET", at, { headers })
      assert.deepStrictEqual([over.status, over.json.status, over.headers["etag"]], [200, "expired", '"2"'])
      assert.deepStrictEqual(shippingIn(yield* call(staff, "POST", "/platform/pricing", { body: basket })), usd(900))
      const late = yield* call(staff, "PUT", `${at}/decision`, { body: { status: "under_review" } })
      assertProblem(late, 409, "action_not_allowed")
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as MailLocal from "../../src/layers/MailLocal.ts"
import * as SmsLocal from "../../src/layers/SmsLocal.ts"
import type { OrgId } from "../../src/domain/Ids.ts"
import { Mail } from "../../src/services/Mail.ts"
import { Sms } from "../../src/services/Sms.ts"
import { assertInvalid, assertProblem } from "../support/Answers.ts"
import * as TestApp from "../support/App.ts"
import { App } from "../support/App.ts"
import { type Customer, people } from "../support/People.ts"
import * as QuietConsole from "../support/QuietConsole.ts"
import { aMail, anSms } from "../support/Sending.ts"

const outbox = "/platform/outbox"

const send = ({ customerId, orgId }: Customer & { readonly orgId: OrgId }, id: string) =>
  Effect.gen(function* () {
    const mail = yield* Mail
    const sms = yield* Sms
    yield* mail.send({ ...aMail, orgId, customerId, id: `${id}-mail` })
    yield* Effect.sleep("5 millis")
    const { code: _, ...plain } = anSms
    yield* sms.send({ ...plain, orgId, customerId, id: `${id}-sms` })
    yield* Effect.sleep("5 millis")
  }).pipe(Effect.provide([MailLocal.layer, SmsLocal.layer]), Effect.provide(QuietConsole.layer), Effect.orDie)

layer(TestApp.layer, { excludeTestServices: true })("The outbox", (it) => {
  it.effect("shows the platform what a customer was sent in local mode, newest first", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, eve } = yield* people
      const staff = yield* platformOf(acme)
      yield* send(ada, "ada")
      yield* send(eve, "eve")

      const { json, status } = yield* call(staff, "GET", `${outbox}?customerId=ada`)

      assert.deepStrictEqual([status, json.total, json.data.length], [200, 2, 2])
      const [sms, mail] = json.data
      const { createdAt, ...shown } = mail
      assert.match(createdAt, /^\d{4}-.+\.\d{3}Z$/)
      assert.deepStrictEqual(shown, {
        id: "ada-mail",
        customerId: "ada",
        channel: "email",
        to: aMail.to,
        subject: aMail.subject,
        text: aMail.text,
        code: "204816"
      })
      assert.deepStrictEqual([sms.channel, sms.subject, sms.code], ["sms", null, null])
    })
  )

  it.effect("is paged like every other list", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, eve } = yield* people
      const staff = yield* platformOf(acme)
      yield* send(ada, "ada")
      yield* send(eve, "eve")

      const first = yield* call(staff, "GET", `${outbox}?ps=3`)
      const rest = yield* call(staff, "GET", `${outbox}?ps=3&cursor=${first.json.nextCursor}`)
      const byChannel = yield* call(staff, "GET", `${outbox}?s=channel&st=asc`)
      const wrong = yield* call(staff, "GET", `${outbox}?s=code`)

      const ids = [...first.json.data, ...rest.json.data].map(({ id }) => id)
      assert.deepStrictEqual(ids, ["eve-sms", "eve-mail", "ada-sms", "ada-mail"])
      assert.deepStrictEqual(
        byChannel.json.data.map(({ channel }: { readonly channel: string }) => channel),
        ["email", "email", "sms", "sms"]
      )
      assertInvalid(wrong, "/query/s")
    })
  )

  it.effect("is nobody's but the org's platform's", () =>
    Effect.gen(function* () {
      const { call, platformOf } = yield* App
      const { acme, ada, namesake, other } = yield* people
      yield* send(ada, "ada")
      const [staff, strangers] = [yield* platformOf(acme), yield* platformOf(other)]

      const foreign = yield* call(strangers, "GET", `${outbox}?customerId=ada`)
      const all = yield* call(strangers, "GET", outbox)
      const borrowed = yield* call({ ...strangers, orgId: acme }, "GET", outbox)
      const customer = yield* call(namesake, "GET", outbox)
      const own = yield* call(staff, "GET", outbox)

      assert.deepStrictEqual([foreign.json.total, all.json.total, own.json.total], [0, 0, 2])
      assertProblem(borrowed, 401, "invalid_api_key")
      assert.strictEqual(customer.status, 401)
    })
  )
})

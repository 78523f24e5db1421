import { assert, describe, layer } from "@effect/vitest"
import { Console, Context, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import { OrgId } from "../../src/domain/Ids.ts"
import { kept } from "../../src/layers/LocalOutbox.ts"
import * as MailLocal from "../../src/layers/MailLocal.ts"
import * as MailOff from "../../src/layers/MailOff.ts"
import * as MailSmtp from "../../src/layers/MailSmtp.ts"
import * as PushChannels from "../../src/layers/PushChannels.ts"
import * as PushLocal from "../../src/layers/PushLocal.ts"
import * as PushOff from "../../src/layers/PushOff.ts"
import * as SmsLocal from "../../src/layers/SmsLocal.ts"
import * as SmsOff from "../../src/layers/SmsOff.ts"
import * as SmsTwilio from "../../src/layers/SmsTwilio.ts"
import { Mail } from "../../src/services/Mail.ts"
import { Outbox } from "../../src/services/Outbox.ts"
import { Push } from "../../src/services/Push.ts"
import { Sms } from "../../src/services/Sms.ts"
import * as ApnsStandIn from "../support/ApnsStandIn.ts"
import * as FcmStandIn from "../support/FcmStandIn.ts"
import { asPlatform } from "../support/People.ts"
import { consoleOf } from "../support/QuietConsole.ts"
import { aMail, anSms, aPush, attempt } from "../support/Sending.ts"
import * as SmtpStandIn from "../support/SmtpStandIn.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { guards } from "../support/TestServices.ts"
import * as TwilioStandIn from "../support/TwilioStandIn.ts"

type Channels = Mail | Sms | Push

const local = Effect.gen(function* () {
  const lines: Array<string> = []
  const channels = yield* Layer.build(Layer.mergeAll(MailLocal.layer, SmsLocal.layer, PushLocal.layer)).pipe(
    Effect.provideService(Console.Console, consoleOf(lines))
  )
  return { channels, lines }
})

const off = Layer.build(Layer.mergeAll(MailOff.layer, SmsOff.layer, PushOff.layer))

const live = Effect.gen(function* () {
  const smtp = yield* SmtpStandIn.listen()
  const twilio = yield* TwilioStandIn.listen()
  const fcm = yield* FcmStandIn.listen()
  const apns = yield* ApnsStandIn.listen()
  const mail = MailSmtp.layer({
    host: "127.0.0.1",
    port: smtp.port,
    secure: false,
    requireTls: true,
    account: undefined,
    from: { name: "", address: "no-reply@acme.example" },
    ca: SmtpStandIn.certificate.ca
  })
  const sms = SmsTwilio.layer({
    accountSid: TwilioStandIn.accountSid,
    authToken: Redacted.make(TwilioStandIn.authToken),
    from: "+14155552671",
    baseUrl: new URL(twilio.baseUrl)
  })
  const push = PushChannels.layer({
    fcm: {
      projectId: FcmStandIn.projectId,
      clientEmail: FcmStandIn.clientEmail,
      privateKey: Redacted.make(FcmStandIn.privateKey),
      tokenUri: `${fcm.baseUrl}/token`,
      connection: { host: "127.0.0.1", port: fcm.port, ca: fcm.ca }
    },
    apns: {
      key: Redacted.make(ApnsStandIn.key),
      keyId: ApnsStandIn.keyId,
      teamId: ApnsStandIn.teamId,
      topic: ApnsStandIn.topic,
      baseUrl: new URL(apns.baseUrl)
    }
  })
  return yield* Layer.build(Layer.mergeAll(mail, sms, push).pipe(Layer.provide(FetchHttpClient.layer)))
})

const sendAll = (channels: Context.Context<Channels>, more: { readonly id?: string; readonly orgId?: OrgId } = {}) =>
  Effect.forEach(
    [
      Context.get(channels, Mail).send({ ...aMail, ...more }),
      Context.get(channels, Sms).send({ ...anSms, ...more }),
      Context.get(channels, Push).send({ ...aPush, ...more }),
      Context.get(channels, Push).send({ ...aPush, ...more, id: `${more.id ?? aPush.id}-apns`, provider: "apns" })
    ],
    (sending) => Effect.map(attempt(sending, []), ({ seen }) => seen)
  )

const rowsOf = (orgId: OrgId) =>
  SqlClient.SqlClient.use((sql) => sql`SELECT * FROM outbox WHERE org_id = ${orgId} ORDER BY created_at, id, channel`)

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("Channels", () => {
    for (const [name, build] of [
      ["live", live],
      ["local", Effect.map(local, ({ channels }) => channels)]
    ] as const) {
      it.effect(`that are ${name} say that they are set up, and take a message as often as it is sent`, () =>
        Effect.gen(function* () {
          const channels = yield* build

          assert.isTrue(Context.get(channels, Mail).configured)
          assert.isTrue(Context.get(channels, Sms).configured)
          assert.deepStrictEqual(Context.get(channels, Push).configured, { fcm: true, apns: true })
          for (let time = 0; time < 2; time++) {
            assert.deepStrictEqual(yield* sendAll(channels), ["sent", "sent", "sent", "sent"])
          }
        })
      )
    }

    it.effect("that are off say so, and take nothing", () =>
      Effect.gen(function* () {
        const channels = yield* off

        assert.isFalse(Context.get(channels, Mail).configured || Context.get(channels, Sms).configured)
        assert.deepStrictEqual(Context.get(channels, Push).configured, { fcm: false, apns: false })
        assert.deepStrictEqual(yield* sendAll(channels), ["off", "off", "off", "off"])
      })
    )
  })

  describe("Local mode", () => {
    it.effect("keeps each message once and says it once on the console, codes there and in no log", () =>
      Effect.gen(function* () {
        const { channels, lines } = yield* local
        const orgId = OrgId.make("once")

        yield* sendAll(channels, { orgId, id: "one" })
        yield* sendAll(channels, { orgId, id: "one" })

        const rows = yield* rowsOf(orgId)
        // Those of one millisecond have no order.
        assert.sameDeepMembers(
          rows.map(({ channel, code, recipient, subject, text }) => [channel, recipient, subject, text, code]),
          [
            ["email", aMail.to, aMail.subject, aMail.text, aMail.code],
            ["sms", anSms.to, null, anSms.text, anSms.code],
            ["push", `fcm:${aPush.token}`, aPush.title, aPush.body, null],
            ["push", `apns:${aPush.token}`, aPush.title, aPush.body, null]
          ]
        )
        assert.strictEqual(lines.length, 4)
        assert.strictEqual(
          lines[0],
          "email to ada.lovelace@customers.example (ada of once) | Your code | 204816 is your code. | code 204816"
        )
      })
    )

    it.effect("writes a line that is one line, and tells the terminal nothing", () =>
      Effect.gen(function* () {
        const { channels, lines } = yield* local
        const text = "Hello\u0000\r\n\u001b[2J\u001b]0;title\u0007 \u202etxet"

        yield* Context.get(channels, Sms).send({ ...anSms, id: "odd", orgId: OrgId.make("odd"), text })

        assert.match(lines[0]!, /^[ -~]+$/)
        assert.strictEqual((yield* rowsOf(OrgId.make("odd"))).length, 1)
      })
    )

    it.effect(`keeps about the last ${kept} messages of an org, and all of another's`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const { channels } = yield* local
        const [full, other] = [OrgId.make("full"), OrgId.make("other")]
        yield* sql`
          INSERT INTO outbox (org_id, customer_id, id, channel, recipient, text, created_at)
          SELECT org, 'ada', 'old-' || n, 'sms', '+1', '', now() - interval '1 day' + n * interval '1 ms'
          FROM generate_series(1, ${kept}) AS n, unnest(ARRAY['full', 'other']) AS org`

        for (let index = 0; index < 100; index++) {
          yield* Context.get(channels, Sms).send({ ...anSms, orgId: full, id: `new-${index}` })
        }

        const rows = yield* rowsOf(full)
        assert.deepStrictEqual([rows.length, rows[0]!["id"], rows.at(-1)!["id"]], [kept, "old-101", "new-99"])
        assert.strictEqual((yield* rowsOf(other)).length, kept)
      })
    )
  })

  describe("The outbox", () => {
    const outboxOf = (channels: Context.Context<Channels>) =>
      Effect.map(Layer.build(Outbox.layer.pipe(Layer.provide(Layer.succeedContext(channels)))), (context) =>
        Context.get(context, Outbox)
      )

    for (const [name, guard] of guards) {
      it.effect(`shows an org what is its own, by ${name}`, () =>
        Effect.gen(function* () {
          const { channels } = yield* local
          const [mine, theirs] = [OrgId.make(`mine ${name}`.replaceAll(" ", "-")), OrgId.make("theirs")]
          yield* sendAll(channels, { orgId: mine, id: name })
          const outbox = yield* outboxOf(channels)
          yield* guard

          const own = yield* outbox.list({}).pipe(asPlatform(mine))
          const foreign = yield* outbox.list({ customerId: aMail.customerId }).pipe(asPlatform(theirs))

          assert.deepStrictEqual([own.total, foreign.total, foreign.data], [4, 0, []])
        })
      )
    }

    it.effect("is not set up where every channel is live or off, whatever was kept before", () =>
      Effect.gen(function* () {
        const { channels } = yield* local
        const orgId = OrgId.make("moved")
        yield* sendAll(channels, { orgId, id: "before" })

        for (const others of [yield* off, yield* live]) {
          const outbox = yield* outboxOf(others)
          const error = yield* Effect.flip(outbox.list({}).pipe(asPlatform(orgId)))
          assert.strictEqual(error._tag, "IntegrationNotConfigured")
        }
      })
    )
  })
})

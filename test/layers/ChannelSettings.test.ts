import { assert, describe, it } from "@effect/vitest"
import { type Config, ConfigProvider, Context, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import * as MailSettings from "../../src/layers/MailSettings.ts"
import { Providers } from "../../src/layers/Providers.ts"
import * as PushSettings from "../../src/layers/PushSettings.ts"
import * as Settings from "../../src/layers/Settings.ts"
import * as SmsSettings from "../../src/layers/SmsSettings.ts"
import { Mail } from "../../src/services/Mail.ts"
import { Push } from "../../src/services/Push.ts"
import { Sms } from "../../src/services/Sms.ts"
import * as ApnsStandIn from "../support/ApnsStandIn.ts"
import * as FcmStandIn from "../support/FcmStandIn.ts"
import { aMail, anSms, aPush } from "../support/Sending.ts"
import * as SmtpStandIn from "../support/SmtpStandIn.ts"
import * as TwilioStandIn from "../support/TwilioStandIn.ts"

const mail = { SMTP_URL: "smtp://portico:p%40ss@smtp.example.com", MAIL_FROM: "Acme <no-reply@acme.example>" }
const sms = {
  TWILIO_ACCOUNT_SID: TwilioStandIn.accountSid,
  TWILIO_AUTH_TOKEN: TwilioStandIn.authToken,
  TWILIO_FROM: "+14155552671"
}
const account = {
  type: "service_account",
  project_id: FcmStandIn.projectId,
  client_email: FcmStandIn.clientEmail,
  private_key: FcmStandIn.privateKey
}
const fcm = { FCM_SERVICE_ACCOUNT: JSON.stringify(account) }
const apns = {
  APNS_KEY: ApnsStandIn.key,
  APNS_KEY_ID: ApnsStandIn.keyId,
  APNS_TEAM_ID: ApnsStandIn.teamId,
  APNS_TOPIC: ApnsStandIn.topic
}
const production = { APP_ENV: "production" }
const allOff = { MAIL: "off", SMS: "off", PUSH: "off" }
const from = (env: Record<string, string>) => Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
const read = <A>(config: Config.Config<A>, env: Record<string, string>) =>
  Effect.gen(function* () {
    return yield* config
  }).pipe(from(env))
const wrongIn = (config: Config.Config<unknown>, env: Record<string, string>) =>
  Effect.map(Effect.flip(read(config, env)), ({ cause }) => cause.message.split("\n"))

describe("Who takes mail, text messages and push", () => {
  for (const [name, env, chosen] of [
    ["nobody's configuration: the outbox", {}, "Local"],
    ["credentials: the providers", { ...mail, ...sms, ...fcm, ...apns }, "Live"],
    ["credentials in production: the providers", { ...mail, ...sms, ...fcm, ...production }, "Live"],
    ["off: nobody", allOff, "Off"],
    ["off with credentials: nobody", { ...mail, ...sms, ...fcm, ...allOff }, "Off"],
    ["off in production: nobody", { ...allOff, ...production }, "Off"],
    ["variables that nobody filled in: the outbox", { SMTP_URL: "", TWILIO_FROM: " ", APNS_KEY: "", PUSH: "" }, "Local"]
  ] as const) {
    it.effect(`is said by ${name}`, () =>
      Effect.gen(function* () {
        const choices = [
          yield* read(MailSettings.choose, env),
          yield* read(SmsSettings.choose, env),
          yield* read(PushSettings.choose, env)
        ]

        assert.deepStrictEqual(
          choices.map(({ _tag }) => _tag),
          [chosen, chosen, chosen]
        )
      })
    )
  }

  it.effect("has to be said in production, and what is wrong is named without its value", () =>
    Effect.gen(function* () {
      const wrong = [
        yield* wrongIn(MailSettings.choose, production),
        yield* wrongIn(MailSettings.choose, { MAIL: "maybe" }),
        yield* wrongIn(MailSettings.choose, { SMTP_URL: mail.SMTP_URL }),
        yield* wrongIn(MailSettings.choose, { SMTP_URL: "https://evil-1", MAIL_FROM: "evil-2" }),
        yield* wrongIn(SmsSettings.choose, production),
        yield* wrongIn(SmsSettings.choose, { ...sms, TWILIO_ACCOUNT_SID: "evil-3", TWILIO_FROM: "evil/4" }),
        yield* wrongIn(SmsSettings.baseUrl, { TWILIO_BASE_URL: "https://evil-5/path" }),
        yield* wrongIn(PushSettings.choose, production),
        yield* wrongIn(PushSettings.choose, { PUSH: "on" }),
        yield* wrongIn(PushSettings.choose, { FCM_SERVICE_ACCOUNT: '{"project_id":"evil-6"}' }),
        yield* wrongIn(PushSettings.choose, { ...apns, APNS_KEY: FcmStandIn.privateKey, APNS_KEY_ID: "evil-7" }),
        yield* wrongIn(PushSettings.choose, { APNS_TOPIC: ApnsStandIn.topic })
      ].flat()

      assert.deepStrictEqual(
        wrong.map((line) => line.split(": ").slice(0, 2).join(": ").slice(0, 60)),
        [
          "SMTP_URL, MAIL_FROM: required in production, or MAIL=off",
          "MAIL: expected off, or nothing",
          "MAIL_FROM: required",
          "SMTP_URL: expected smtp://user:password@host:587 or smtps://",
          "MAIL_FROM: expected an address, or a name and an address as ",
          "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM: required",
          "TWILIO_ACCOUNT_SID: expected AC and 32 hexadecimal digits",
          "TWILIO_FROM: expected a number as +14155552671, a messaging ",
          "TWILIO_BASE_URL: expected an http or https URL without a pat",
          "FCM_SERVICE_ACCOUNT or APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID, ",
          "PUSH: expected off, or nothing",
          "FCM_SERVICE_ACCOUNT: expected the JSON of a service account'",
          "APNS_KEY: expected the text of a .p8 key, or the path of a f",
          "APNS_KEY_ID: expected 10 letters and digits",
          "APNS_KEY: expected the text of a .p8 key, or the path of a f",
          "APNS_KEY_ID: expected 10 letters and digits",
          "APNS_TEAM_ID: expected 10 letters and digits"
        ]
      )
      assert.notMatch(wrong.join("\n"), /evil|BEGIN/)
    })
  )

  it.effect("is checked with everything else, before anything starts", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(Settings.load).pipe(from({ ...production, APNS_BASE_URL: "here" }))

      const named = problems.map((problem) => problem.split(":")[0]!)
      for (const name of ["SMTP_URL", "TWILIO_ACCOUNT_SID", "FCM_SERVICE_ACCOUNT", "APNS_BASE_URL"]) {
        assert.isTrue(
          named.some((line) => line.startsWith(name)),
          name
        )
      }
    })
  )

  it.effect("hears of mail encrypted, but for a catcher that knows neither accounts nor TLS", () =>
    Effect.gen(function* () {
      const seen = yield* Effect.forEach(
        [
          "smtp://portico:p%40ss@smtp.example.com",
          "smtps://portico:p%40ss@smtp.example.com",
          "smtp://smtp.example.com:465",
          "smtp://portico:p%40ss@smtp.example.com:2525",
          "smtp://mail:1025",
          "smtp://[::1]:587"
        ],
        (SMTP_URL) => read(MailSettings.choose, { ...mail, SMTP_URL })
      )

      assert.deepStrictEqual(
        seen.map((choice) => {
          if (choice._tag !== "Live") return choice
          const { account, host, port, requireTls, secure } = choice.smtp
          return [host, port, secure, requireTls, account && Redacted.value(account.password)]
        }),
        [
          ["smtp.example.com", 587, false, true, "p@ss"],
          ["smtp.example.com", 465, true, false, "p@ss"],
          ["smtp.example.com", 465, true, false, undefined],
          ["smtp.example.com", 2525, false, true, "p@ss"],
          ["mail", 1025, false, false, undefined],
          ["::1", 587, false, true, undefined]
        ]
      )
    })
  )

  it.effect("is from one address, with a name or without", () =>
    Effect.gen(function* () {
      const senders = yield* Effect.forEach(["no-reply@acme.example", "Acme, Inc. <no-reply@acme.example>"], (line) =>
        read(MailSettings.choose, { ...mail, MAIL_FROM: line })
      )
      const two = yield* wrongIn(MailSettings.choose, { ...mail, MAIL_FROM: "a@acme.example, b@acme.example" })
      const injected = yield* wrongIn(MailSettings.choose, { ...mail, MAIL_FROM: "A\r\nBcc: b <a@acme.example>" })

      assert.deepStrictEqual(
        senders.map((choice) => (choice._tag === "Live" ? choice.smtp.from : undefined)),
        [
          { name: "", address: "no-reply@acme.example" },
          { name: "Acme, Inc.", address: "no-reply@acme.example" }
        ]
      )
      assert.deepStrictEqual([two.length, injected.length], [1, 1])
    })
  )

  it.effect("is known by keys that stand in the variable or in a file", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(path.join(tmpdir(), "portico-keys-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
      writeFileSync(path.join(folder, "account.json"), fcm.FCM_SERVICE_ACCOUNT)
      writeFileSync(path.join(folder, "key.p8"), apns.APNS_KEY)

      const inFiles = yield* read(PushSettings.choose, {
        ...apns,
        FCM_SERVICE_ACCOUNT: path.join(folder, "account.json"),
        APNS_KEY: path.join(folder, "key.p8")
      })
      const inVariables = yield* read(PushSettings.choose, {
        ...apns,
        ...fcm,
        APNS_KEY: apns.APNS_KEY.replaceAll("\n", "\\n")
      })
      const absent = yield* wrongIn(PushSettings.choose, { FCM_SERVICE_ACCOUNT: path.join(folder, "none.json") })

      assert.deepStrictEqual(inFiles, inVariables)
      assert.deepInclude(inFiles, { _tag: "Live" })
      assert.strictEqual(absent.length, 1)
    })
  )

  it.live("is whom the configuration says", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpStandIn.listen({ accounts: false, plain: true })
      const twilio = yield* TwilioStandIn.listen()
      const apple = yield* ApnsStandIn.listen()
      const send = (env: Record<string, string>) =>
        Effect.gen(function* () {
          const channels = yield* Layer.build(Providers.pipe(Layer.provide([FetchHttpClient.layer, noDatabase])))
          const push = Context.get(channels, Push)
          return yield* Effect.forEach(
            [
              Context.get(channels, Mail).send(aMail),
              Context.get(channels, Sms).send(anSms),
              push.send({ ...aPush, provider: "apns" }),
              push.send(aPush)
            ],
            Effect.match({ onSuccess: () => "sent", onFailure: ({ reason }) => reason })
          )
        }).pipe(from(env))

      const off = yield* send(allOff)
      const live = yield* send({
        ...sms,
        ...apns,
        SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
        MAIL_FROM: mail.MAIL_FROM,
        TWILIO_BASE_URL: twilio.baseUrl,
        APNS_BASE_URL: apple.baseUrl
      })

      assert.deepStrictEqual(off, ["off", "off", "off", "off"])
      assert.deepStrictEqual(live, ["sent", "sent", "sent", "off"])
      assert.deepStrictEqual([smtp.mails.length, twilio.messages.length, apple.pushed.length], [1, 1, 1])
    })
  )
})

/** Only the stand-ins of local mode would ask it for anything. */
const noDatabase = Layer.succeed(SqlClient.SqlClient, undefined as never)

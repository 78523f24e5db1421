import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Redacted } from "effect"
import * as MailSmtp from "../../src/layers/MailSmtp.ts"
import { Mail } from "../../src/services/Mail.ts"
import { freePort } from "../support/Process.ts"
import { aMail, attempt, type Seen } from "../support/Sending.ts"
import * as SmtpStandIn from "../support/SmtpStandIn.ts"
import { replying, type Smtp } from "../support/SmtpStandIn.ts"

const { account, certificate } = SmtpStandIn
const secrets = [account.password, account.user]

const options = (port: number, more: Partial<MailSmtp.Options> = {}): MailSmtp.Options => ({
  host: "127.0.0.1",
  port,
  secure: false,
  requireTls: true,
  account: undefined,
  from: { name: "Acme, Inc.", address: "no-reply@acme.example" },
  ca: certificate.ca,
  deadline: "3 seconds",
  ...more
})

const mailer = (options: MailSmtp.Options) =>
  Effect.map(Layer.build(MailSmtp.layer(options)), (context) => Context.get(context, Mail))
const signedIn = { account: { user: account.user, password: Redacted.make(account.password) } }

/** What the server does, what becomes of the mail, and how many mails and connections the server has seen. */
const cases: ReadonlyArray<
  readonly [name: string, mishaps: Smtp["mishaps"], seen: Seen, mails: number, connections: number]
> = [
  ["takes it", {}, "sent", 1, 1],
  [
    "has no account of that name",
    { auth: replying("535 5.7.8 ada.lovelace@customers.example?") },
    "misconfigured",
    0,
    1
  ],
  ["cannot look accounts up for now", { auth: replying("454 4.7.0 Later") }, "throttled", 0, 1],
  ["does not let us write as ourselves", { from: replying("550 5.7.1 Not your domain") }, "misconfigured", 0, 1],
  ["does not know the address", { to: replying("550 5.1.1 <ada.lovelace@customers.example>?") }, "refused", 0, 1],
  ["wants it later (greylisting)", { to: replying("450 4.7.1 Greylisted") }, "throttled", 0, 1],
  [
    "finds the mailbox full for now",
    { to: replying("452 4.2.2 Full: ada.lovelace@customers.example") },
    "unavailable",
    0,
    1
  ],
  ["does not like what it says", { data: replying("554 5.7.1 Spam: 204816") }, "refused", 0, 1],
  ["has no room for now", { data: replying("451 4.3.0 204816 has to wait") }, "unavailable", 0, 1],
  ["lets nobody in for now", { connect: replying("421 4.3.2 Closing") }, "unavailable", 0, 1],
  ["lets us not in at all", { connect: replying("554 5.3.2 Go away") }, "unavailable", 0, 1],
  ["hangs up on us", { from: "reset" }, "unavailable, maybe sent", 0, 1],
  ["hangs up once it has it all", { data: "reset" }, "unavailable, maybe sent", 0, 1],
  ["never says whether it has it", { data: "hang" }, "unavailable, maybe sent", 0, 1],
  ["never answers", { to: "hang" }, "unavailable, maybe sent", 0, 1]
]

describe("A mail, when the server", () => {
  for (const [name, mishaps, seen, mails, connections] of cases) {
    it.live(`${name}: ${seen}`, () =>
      Effect.gen(function* () {
        const smtp = yield* SmtpStandIn.listen({ accounts: true })
        smtp.mishaps = mishaps
        const mail = yield* mailer(options(smtp.port, { ...signedIn, deadline: "1 second" }))

        const sent = yield* attempt(mail.send(aMail), secrets)
        yield* Effect.sleep("200 millis")

        assert.strictEqual(sent.seen, seen)
        assert.deepStrictEqual([smtp.mails.length, smtp.reached.connect], [mails, connections])
      })
    )
  }

  for (const [name, greeting, seen] of [
    ["is no mail server", "HTTP/1.1 400 Bad Request\r\n\r\n", "unavailable, maybe sent"],
    ["accepts and says nothing", undefined, "unavailable"]
  ] as const) {
    it.live(`${name}: ${seen}`, () =>
      Effect.gen(function* () {
        const { port, sockets } = yield* SmtpStandIn.listenRaw(greeting)
        const mail = yield* mailer(options(port, { deadline: "1 second" }))

        assert.strictEqual((yield* attempt(mail.send(aMail), secrets)).seen, seen)
        assert.strictEqual(sockets.size, 1)
      })
    )
  }

  it.live("is not there: unavailable, after three tries", () =>
    Effect.gen(function* () {
      const port = yield* Effect.promise(freePort)
      const mail = yield* mailer(options(port))

      const [duration, { error, seen }] = yield* Effect.timed(attempt(mail.send(aMail), secrets))

      assert.deepStrictEqual([seen, error?.detail], ["unavailable", "ECONNREFUSED"])
      assert.isAbove(Duration.toMillis(duration), 250)
    })
  )

  it.live("does not encrypt, or has a certificate of nobody's: misconfigured, and no word of the mail is said", () =>
    Effect.gen(function* () {
      const plain = yield* SmtpStandIn.listen({ plain: true })
      const known = yield* SmtpStandIn.listen({ accounts: true })
      const { ca: _, ...unknown } = options(known.port, signedIn)

      const clear = yield* attempt((yield* mailer(options(plain.port))).send(aMail), secrets)
      const distrusted = yield* attempt((yield* mailer(unknown)).send(aMail), secrets)

      assert.deepStrictEqual([clear.seen, distrusted.seen], ["misconfigured", "misconfigured"])
      assert.deepStrictEqual([plain.reached.from, known.reached.auth], [0, 0])
    })
  )

  it.live("is down for long: nobody is sent there for a while", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpStandIn.listen()
      smtp.mishaps = { from: replying("451 4.3.0 Later") }
      const mail = yield* mailer(options(smtp.port))
      for (let index = 0; index < 20; index++) yield* attempt(mail.send(aMail), secrets)
      const asked = smtp.reached.from

      const { error } = yield* attempt(mail.send(aMail), secrets)

      assert.deepStrictEqual([error?.reason, smtp.reached.from], ["unavailable", asked])
      assert.isAtLeast(error?.retryAfter ?? 0, 1)
    })
  )
})

describe("A mail", () => {
  it.live("arrives as text and as HTML, in its language, under a Message-ID that is the same on every try", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpStandIn.listen({ accounts: true })
      const mail = yield* mailer(options(smtp.port, signedIn))

      yield* mail.send({ ...aMail, subject: "Ihr Schlüssel", text: "Grüße", html: "<p>Grüße</p>", language: "de" })
      yield* mail.send(aMail)

      const [first, second] = smtp.mails
      assert.deepInclude(first, { from: "no-reply@acme.example", to: [aMail.to], encrypted: true })
      for (const part of [
        `Message-ID: <${aMail.id}@acme.example>`,
        'From: "Acme, Inc." <no-reply@acme.example>',
        "Content-Language: de",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative"
      ]) {
        assert.include(first!.source, part)
      }
      assert.include(second!.source, `Message-ID: <${aMail.id}@acme.example>`)
      assert.strictEqual(smtp.reached.connect, 1)
    })
  )

  it.live("goes over TLS from the first byte where the port is for that", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpStandIn.listen({ implicitTls: true, accounts: true })
      const mail = yield* mailer(options(smtp.port, { ...signedIn, secure: true, requireTls: false }))

      yield* mail.send(aMail)

      assert.isTrue(smtp.mails[0]!.encrypted)
    })
  )

  for (const to of [
    "ada.lovelace@customers.example, evil@example.com",
    "ada.lovelace@customers.example\r\nRCPT TO:<evil@example.com>",
    "<ada.lovelace@customers.example> evil@example.com",
    '"a b"@customers.example',
    "ada.lovelace@customers.example\u0000",
    "Ada <ada.lovelace@customers.example>",
    "@customers.example",
    ""
  ]) {
    it.live(`is for one address: ${JSON.stringify(to)} never leaves`, () =>
      Effect.gen(function* () {
        const smtp = yield* SmtpStandIn.listen()
        const mail = yield* mailer(options(smtp.port))

        const { seen } = yield* attempt(mail.send({ ...aMail, to }), secrets)

        assert.deepStrictEqual([seen, smtp.reached.connect], ["refused", 0])
      })
    )
  }

  it.live("has no more headers and recipients than ours, whatever its subject and language say", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpStandIn.listen()
      const mail = yield* mailer(options(smtp.port))

      yield* mail.send({
        ...aMail,
        subject: "Hello\r\nBcc: evil@example.com\r\n\r\nBody",
        language: "en\r\nX-Evil: yes",
        text: "\r\n.\r\nMAIL FROM:<evil@example.com>\r\n"
      })

      const [head] = smtp.mails[0]!.source.split("\r\n\r\n")
      assert.deepStrictEqual([smtp.mails.length, smtp.mails[0]!.to], [1, [aMail.to]])
      assert.notMatch(head!, /^(?:Bcc|X-Evil):/im)
    })
  )

  it.live("names no file and no address of the server's that it would send along", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpStandIn.listen()
      const mail = yield* mailer(options(smtp.port))
      const html = '<img src="/etc/passwd"><img src="http://127.0.0.1:1/">'

      yield* mail.send({ ...aMail, html })

      assert.notInclude(smtp.mails[0]!.source, "root:")
    })
  )

  it.live("leaves beside a hundred others, over a few connections, each once", () =>
    Effect.gen(function* () {
      const smtp = yield* SmtpStandIn.listen({ accounts: true })
      const mail = yield* mailer(options(smtp.port, { ...signedIn, deadline: "10 seconds" }))
      const ids = Array.from({ length: 100 }, (_, index) => `delivery-${index}`)

      yield* Effect.forEach(ids, (id) => mail.send({ ...aMail, id }), { concurrency: 20 })

      const arrived = smtp.mails.map(({ source }) => /^Message-ID: <(.*)@/im.exec(source)![1])
      assert.sameMembers(arrived, ids)
      assert.isAtMost(smtp.reached.connect, 5)
    })
  )
})

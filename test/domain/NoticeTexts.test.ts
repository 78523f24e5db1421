import { assert, describe, it } from "@effect/vitest"
import type { Facts, Notice, Template } from "../../src/domain/Notice.ts"
import { said } from "../../src/domain/NoticeTexts.ts"
import { mailOf } from "../../src/services/NoticeMail.ts"

const booking = { title: "Repair", start: new Date("2027-03-28T06:30:00.000Z"), timezone: "Europe/Berlin" }
const facts: Facts = {
  orderPlaced: { number: "1001" },
  orderStatus: { number: "1001", status: "shipped" },
  ticketReply: { number: "1042", title: "Stuck keys", author: "Charles" },
  ticketStatus: { number: "1042", title: "Stuck keys", status: "pending" },
  message: { from: "Charles", text: "Good morning" },
  reservationConfirmed: booking,
  reservationChanged: booking,
  reservationCancelled: booking,
  reservationReminder: booking,
  benefitApproved: { name: "Student" },
  benefitRejected: { name: "Student", reason: "The card is of last year." },
  benefitExpired: { name: "Student" },
  cardExpiring: { last4: "4242", month: 12, year: 2026 },
  exportReady: { path: "exports/account-2026-11-24.json" }
}
const templates = Object.keys(facts) as Array<Template>
const say = (template: Template, tag: string | null) =>
  said({ template, facts: facts[template] } as Pick<Notice, "facts" | "template">, tag)

describe("Notices", () => {
  it("are written in English, German, French, Spanish and Portuguese, each in words of its own", () => {
    for (const template of templates) {
      const all = ["en", "de", "fr", "es", "pt"].map((tag) => say(template, tag))
      for (const [title, body] of all) {
        assert.notMatch(`${title} ${body}`, /undefined|null|\$\{|Invalid/)
        assert.isNotEmpty(body)
      }
      assert.strictEqual(new Set(all.map(([title]) => title)).size, 5, template)
    }
  })

  it("are in the language of a region's tag, and in English where there are no texts", () => {
    for (const [tag, language] of [
      ["de-AT", "de"],
      ["DE-ch", "de"],
      ["pt-BR", "pt"],
      ["fr-CA", "fr"],
      ["es-419", "es"],
      ["en-GB", "en"],
      ["ja", "en"],
      ["del", "en"],
      [null, "en"]
    ] as const) {
      assert.deepStrictEqual(say("orderStatus", tag), say("orderStatus", language))
    }
    assert.deepStrictEqual(say("orderStatus", "de-AT"), [
      "Bestellung 1001: versandt",
      "Ihre Bestellung 1001 ist jetzt: versandt."
    ])
  })

  it("say when something takes place by the clock of that place, after a change of it as well", () => {
    assert.include(say("reservationReminder", "de-AT")[1], "Sonntag, 28. März 2027")
    assert.match(say("reservationReminder", "de-AT")[1], /08:30/)
    assert.match(say("reservationReminder", "ja")[1], /Sunday, March 28, 2027 at 8:30/)
    assert.match(say("reservationReminder", "en-GB")[1], /Sunday,? 28 March 2027/)
  })
})

describe("A mail", () => {
  it("shows texts as they are, and never as HTML or as another header", () => {
    const { html, subject, text } = mailOf(
      { title: "Hi\r\nBcc: eve@example.com <b>", body: `<img src=x onerror="alert('1')">\n& more`, link: null },
      "de"
    )
    assert.strictEqual(subject, "Hi Bcc: eve@example.com <b>")
    assert.include(text, "<img src=x")
    assert.include(text, "In Ihrem Konto")
    assert.notMatch(html, /<img|<b>/)
    assert.include(html, "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;<br>&amp; more")
  })

  it("links to addresses, and not to paths of a portal that it does not know", () => {
    const link = 'https://shop.example/a?b=1&c="2"'
    assert.include(
      mailOf({ title: "A", body: "B", link }, null).html,
      'href="https://shop.example/a?b=1&amp;c=&quot;2&quot;"'
    )
    assert.notInclude(mailOf({ title: "A", body: "B", link: "/orders/1" }, null).html, "href")
  })
})

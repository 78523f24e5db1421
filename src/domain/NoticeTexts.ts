import type { Facts, Language, Notice, Said, Template, Words } from "./Notice.ts"
import { english } from "./NoticesEnglish.ts"
import { french } from "./NoticesFrench.ts"
import { german } from "./NoticesGerman.ts"
import { portuguese } from "./NoticesPortuguese.ts"
import { spanish } from "./NoticesSpanish.ts"

const languages: Readonly<Record<string, Language>> = {
  en: english,
  de: german,
  fr: french,
  es: spanish,
  pt: portuguese
}

/** The texts for a BCP 47 tag: those of its language, whatever the region; English where there are none. */
export const languageOf = (tag: string | null): Language =>
  languages[(tag ?? "en").split("-")[0]!.toLowerCase()] ?? english

/** The tag to write dates by: the profile's own where there are texts in its language. */
const localeOf = (tag: string | null) =>
  tag !== null && languageOf(tag) !== english ? tag : isEnglish(tag) ? tag : "en"

const isEnglish = (tag: string | null): tag is string => tag !== null && /^en(?:-|$)/i.test(tag)

/** What a notice says in the language of a profile. */
export const said = ({ facts, template }: Pick<Notice, "facts" | "template">, tag: string | null): Said => {
  const language = languageOf(tag)
  const words: Words = {
    when: ({ start, timezone }) =>
      new Intl.DateTimeFormat(localeOf(tag), { dateStyle: "full", timeStyle: "short", timeZone: timezone }).format(
        start
      ),
    orderStatus: (status) => language.orderStatus[status],
    ticketStatus: (status) => language.ticketStatus[status]
  }
  // Facts and template belong together, which the compiler has seen where the notice was made.
  const say = language.says[template] as (facts: Facts[Template], words: Words) => Said
  return say(facts, words)
}

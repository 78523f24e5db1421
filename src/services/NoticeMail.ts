import { languageOf } from "../domain/NoticeTexts.ts"

interface Said {
  readonly title: string
  readonly body: string
  readonly link: string | null
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character]!)

const paragraph = (text: string) => `<p>${escaped(text).replaceAll("\n", "<br>")}</p>`

/** A path of the portal leads nowhere from a mail. */
export const addressIn = (link: string | null) => (link?.startsWith("http") === true ? link : undefined)

/** A notification as a mail, plain and as HTML: no image, nothing that would be fetched, nothing of its texts unescaped. */
export const mailOf = ({ body, link, title }: Said, tag: string | null) => {
  const { footer } = languageOf(tag)
  const address = addressIn(link)
  const linked = address === undefined ? "" : `<p><a href="${escaped(address)}">${escaped(address)}</a></p>`
  return {
    // One line: what else could it be in a list of mails.
    subject: title.replace(/\s+/g, " ").trim(),
    text: [body, ...(address === undefined ? [] : [address]), `-- \n${footer}`].join("\n\n"),
    html:
      `<!doctype html><html lang="${escaped(tag ?? "en")}"><head><meta charset="utf-8"><title>${escaped(title)}</title></head>` +
      `<body style="font-family:sans-serif;max-width:40em;margin:0 auto;padding:1em"><h1 style="font-size:1.2em">${escaped(title)}</h1>` +
      `${paragraph(body)}${linked}<p style="color:#666;font-size:.85em">${escaped(footer)}</p></body></html>`
  }
}

import { officeTypeOf, openDocumentTypeOf } from "./ZipContent.ts"

const headBytes = 1024
// Where a zip says what is in it; a directory that is longer than this is no office document's.
const tailBytes = 256 * 1024

// A TextDecoder's "latin1" is windows-1252, where a byte may be another character than that of its number.
const ascii = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")

const images: ReadonlyArray<readonly [RegExp, string]> = [
  [/^\x89PNG\r\n\x1a\n/, "image/png"],
  [/^\xff\xd8\xff/, "image/jpeg"],
  [/^GIF8[79]a/, "image/gif"],
  [/^RIFF[^]{4}WEBPVP8/, "image/webp"],
  [/^[^]{4}ftypavi[fs]/, "image/avif"],
  [/^[^]{4}ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)/, "image/heic"],
  [/^%PDF-\d/, "application/pdf"]
]

// UTF-16, as the directory of an OLE file names its streams.
const wide = (text: string) => text.replace(/[^]/g, "$&\0")
const oleTypes: ReadonlyArray<readonly [string, string]> = [
  [wide("WordDocument"), "application/msword"],
  [wide("Workbook"), "application/vnd.ms-excel"],
  [wide("PowerPoint Document"), "application/vnd.ms-powerpoint"]
]
const macros = wide("_VBA_PROJECT")

const markup = /<(?:!doctype|html|head|body|script|style|svg|iframe|object|embed|img|meta|link|form|\?xml|!--)/i
const controls = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]/

/** Tells a file's type while its content goes by; false and undefined mean that it is none of those that we take. */
export interface FileType {
  readonly write: (chunk: Uint8Array) => boolean
  readonly end: () => string | undefined
}

/** The name only says which kind of text a text is. */
export const fileTypeOf = (name: string): FileType => {
  let head = new Uint8Array()
  let reader: FileType | undefined

  const choose = (): FileType | undefined => {
    const start = ascii(head)
    const image = images.find(([magic]) => magic.test(start))
    if (image !== undefined) return { write: () => true, end: () => image[1] }
    if (/^PK(?:\x03\x04|\x05\x06)/.test(start)) return zip(start)
    if (start.startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) return ole()
    return text(start, name)
  }

  const begin = () => {
    reader = choose()
    return reader?.write(head) ?? false
  }

  return {
    write: (chunk) => {
      if (reader !== undefined) return reader.write(chunk)
      head = joined(head, chunk)
      return head.length < headBytes || begin()
    },
    end: () => (reader !== undefined || begin() ? reader?.end() : undefined)
  }
}

const joined = (a: Uint8Array, b: Uint8Array) => {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

const zip = (start: string): FileType => {
  let tail = new Uint8Array()
  return {
    write: (chunk) => {
      tail = joined(tail, chunk)
      if (tail.length > tailBytes) tail = tail.slice(-tailBytes)
      return true
    },
    end: () => openDocumentTypeOf(start) ?? officeTypeOf(tail)
  }
}

const ole = (): FileType => {
  const found = new Set<string>()
  let last = ""
  return {
    write: (chunk) => {
      const seen = last + ascii(chunk)
      last = seen.slice(-64)
      for (const [marker, type] of oleTypes) if (seen.includes(marker)) found.add(type)
      return !seen.includes(macros)
    },
    end: () => [...found][0]
  }
}

const text = (start: string, name: string): FileType | undefined => {
  const bare = start.replace(/^\xef\xbb\xbf/, "").trimStart()
  if (bare.startsWith("<") || markup.test(bare)) return undefined
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const isText = (chunk?: Uint8Array) => {
    try {
      return !controls.test(chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true }))
    } catch {
      return false
    }
  }
  const type = /\.csv$/i.test(name)
    ? "text/csv"
    : /\.json$/i.test(name) && /^[[{"\d]/.test(bare)
      ? "application/json"
      : "text/plain"
  return { write: isText, end: () => (isText() ? type : undefined) }
}

const extensions: Readonly<Record<string, string>> = {
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/gif": ".gif",
  "image/webp": ".webp",
  "image/avif": ".avif",
  "image/heic": ".heic",
  "application/pdf": ".pdf",
  "application/zip": ".zip"
}

// Extensions by which a computer would run a file, or a browser read it as a page.
const active =
  /\.(?:x?html?|xht|mhtml?|shtml|svgz?|xml|xslt?|m?js|jsx?|ts|vbs?|vbe|wsf?|wsh|hta|htc|bat|cmd|com|exe|scr|pif|msi|msp|dll|ps1|psm1|sh|command|app|jar|jnlp|lnk|url|reg|inf|chm|cpl|php\d?|phtml|asp|aspx|jsp|docm|dotm|xlsm|xltm|xlam|pptm|potm|swf|apk|iso|dmg)$/i

/** A name whose extension would have a computer take the file for what it is not gets the true one behind it. */
export const nameAs = (name: string, type: string): string =>
  active.test(name) ? `${name}${extensions[type] ?? (type.startsWith("text/") ? ".txt" : ".bin")}` : name

import { deflateRawSync } from "node:zlib"

const text = (content: string) => Buffer.from(content)

/** A zip as any archiver writes it. */
export const zip = (entries: Readonly<Record<string, Uint8Array | string>>, options = { stored: false }): Buffer => {
  const locals: Array<Buffer> = []
  const directory: Array<Buffer> = []
  let at = 0
  for (const [name, content] of Object.entries(entries)) {
    const plain = Buffer.from(content)
    const packed = options.stored ? plain : deflateRawSync(plain)
    const head = Buffer.alloc(26)
    head.writeUInt16LE(20, 0)
    head.writeUInt16LE(options.stored ? 0 : 8, 4)
    head.writeUInt32LE(packed.length, 14)
    head.writeUInt32LE(plain.length, 18)
    head.writeUInt16LE(Buffer.byteLength(name), 22)
    locals.push(text("PK\x03\x04"), head, text(name), packed)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(at, 10)
    directory.push(text("PK\x01\x02"), Buffer.from([20, 0]), head, tail, text(name))
    at += 30 + Buffer.byteLength(name) + packed.length
  }
  const end = Buffer.alloc(18)
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  end.writeUInt16LE(Object.keys(entries).length, 4)
  end.writeUInt16LE(Object.keys(entries).length, 6)
  end.writeUInt32LE(size, 8)
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...locals, ...directory, text("PK\x05\x06"), end])
}

const office = (part: string, more: Record<string, string> = {}) =>
  zip({ "[Content_Types].xml": "<Types/>", "_rels/.rels": "<Relationships/>", [part]: "<document/>", ...more })
const openDocument = (kind: string) =>
  zip({ mimetype: `application/vnd.oasis.opendocument.${kind}`, "content.xml": "<content/>" }, { stored: true })
const ole = (...streams: ReadonlyArray<string>) =>
  Buffer.concat([
    Buffer.from("d0cf11e0a1b11ae1", "hex"),
    Buffer.alloc(100_001),
    ...streams.map((name) => Buffer.from(name, "utf16le"))
  ])

export const png = Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), Buffer.alloc(64)])
export const pdf = text("%PDF-1.7\n1 0 obj <</OpenAction <</JS (app.alert(1))>>>> endobj\n")
export const docx = office("word/document.xml")

/** One of each type that is taken. */
export const taken: ReadonlyArray<readonly [string, Buffer, string]> = [
  ["a.png", png, "image/png"],
  ["a.jpg", Buffer.concat([Buffer.from("ffd8ffe000104a464946", "hex"), Buffer.alloc(20)]), "image/jpeg"],
  ["a.gif", text("GIF89a\x01\x00"), "image/gif"],
  ["a.webp", text("RIFF\x24\x00\x00\x00WEBPVP8 "), "image/webp"],
  ["a.avif", Buffer.concat([Buffer.from([0, 0, 0, 32]), text("ftypavif")]), "image/avif"],
  ["a.heic", Buffer.concat([Buffer.from([0, 0, 0, 32]), text("ftypheic")]), "image/heic"],
  ["a.pdf", pdf, "application/pdf"],
  ["a.txt", text("Grüße, \u{1f44b}\r\n\tend"), "text/plain"],
  ["a.csv", text("a;b\n1;2\n"), "text/csv"],
  ["a.json", text('{"a": [1, 2]}'), "application/json"],
  ["a.docx", docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["a.xlsx", office("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  [
    "a.pptx",
    office("ppt/presentation.xml"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation"
  ],
  ["a.odt", openDocument("text"), "application/vnd.oasis.opendocument.text"],
  ["a.ods", openDocument("spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"],
  ["a.doc", ole("WordDocument"), "application/msword"],
  ["a.xls", ole("Workbook"), "application/vnd.ms-excel"],
  ["a.ppt", ole("PowerPoint Document"), "application/vnd.ms-powerpoint"],
  ["a.zip", zip({ "notes.txt": "hello" }), "application/zip"],
  ["empty.zip", zip({}), "application/zip"],
  ["zips.zip", zip({ "inner.zip": zip({ "a.docx": docx }), "b.docx": docx }, { stored: true }), "application/zip"]
]

/** What is not taken, whatever it is called. */
export const refused: ReadonlyArray<readonly [string, Buffer]> = [
  ["html.png", text("<!DOCTYPE html><script>alert(1)</script>")],
  ["html.txt", text("\ufeff  \n<html><body>hello")],
  ["late-html.txt", text("A harmless line.\n<script>alert(1)</script>")],
  ["svg.png", text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
  ["xml.csv", text('<?xml version="1.0"?><a/>')],
  ["program.exe", Buffer.concat([text("MZ"), Buffer.from("90000300000004000000ffff", "hex"), Buffer.alloc(50)])],
  ["elf.txt", Buffer.from("7f454c460201010000000000", "hex")],
  ["utf16.txt", Buffer.from("\ufeffhello", "utf16le")],
  ["latin1.txt", Buffer.from("Gr\xfc\xdfe", "latin1")],
  ["half-a-character.txt", Buffer.from("€").subarray(0, 2)],
  ["late-nul.txt", Buffer.concat([Buffer.alloc(5000, "a"), Buffer.from([0])])],
  ["macros.docx", office("word/document.xml", { "word/vbaProject.bin": "macro" })],
  ["macros.doc", ole("WordDocument", "_VBA_PROJECT")],
  ["other.msi", ole("SummaryInformation")],
  ["cut.zip", zip({ "notes.txt": "hello" }).subarray(0, -30)],
  ["headless.zip", text(`PK\x03\x04${"a".repeat(100)}`)],
  ["gzip.gz", Buffer.from("1f8b0800000000000003", "hex")],
  ["video.mp4", Buffer.concat([Buffer.from([0, 0, 0, 32]), text("ftypisom")])]
]

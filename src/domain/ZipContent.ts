const office: ReadonlyArray<readonly [string, string]> = [
  ["word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"]
]

/** Of an OpenDocument, which keeps its type as the first entry, uncompressed. */
export const openDocumentTypeOf = (start: string): string | undefined =>
  /^PK\x03\x04[^]{26}mimetype[^]{0,64}?(application\/vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation))(?=PK|$)/.exec(
    start
  )?.[1]

/** Of a zip by what its directory at the end lists; undefined when it has none, or macros. */
export const officeTypeOf = (tail: Uint8Array): string | undefined => {
  const names = namesIn(tail)
  if (names === undefined) return undefined
  const is = (name: string) => names.includes(name)
  if (!is("[Content_Types].xml")) return "application/zip"
  if (names.some((name) => /vbaproject\.bin$/i.test(name))) return undefined
  return office.find(([name]) => is(name))?.[1] ?? "application/zip"
}

const endRecord = 22
const entryHead = 46

/** The entries of a zip; none when its directory begins before the bytes at hand. */
const namesIn = (tail: Uint8Array): ReadonlyArray<string> | undefined => {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  let end = tail.length - endRecord
  while (end >= 0 && end >= tail.length - endRecord - 0xffff && view.getUint32(end, true) !== 0x06054b50) end--
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) return undefined
  const names: Array<string> = []
  let at = end - view.getUint32(end + 12, true)
  if (at < 0) return names
  while (at < end) {
    if (at + entryHead > end || view.getUint32(at, true) !== 0x02014b50) return undefined
    const nameLength = view.getUint16(at + 28, true)
    names.push(new TextDecoder().decode(tail.subarray(at + entryHead, at + entryHead + nameLength)))
    at += entryHead + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return names
}

import { Schema } from "effect"
import { fileLimits } from "./StoredFile.ts"

const encoder = new TextEncoder()
const bytesIn = (text: string) => encoder.encode(text).length

// Characters that no one sees and that may reorder what one does see. Joiners stay: scripts and emoji need them.
const unseen = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Co}\uFFFD]|(?![\u200C\u200D])\p{Cf}/gu

// What file systems, shells and headers take for something else than a part of a name.
const special = /["<>:|?*]/g
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i

const cut = (text: string, most: number) => {
  let kept = ""
  let bytes = 0
  for (const character of text) {
    bytes += bytesIn(character)
    if (bytes > most) break
    kept += character
  }
  return kept
}

/** What a name that a client has sent becomes: one segment, of visible characters, that no system reads as a command. */
export const cleanName = (sent: string): string => {
  const name = sent
    .normalize()
    .replace(/^.*[/\\]/su, "")
    .replace(unseen, "")
    .replace(special, "_")
    .replace(/\s+/gu, " ")
    .replace(/^[. ]+|[. ]+$/gu, "")
    .replace(device, "_$&")
  if (name === "") return "file"
  const { base, extension } = partsOf(name)
  return cut(base, fileLimits.nameBytes - bytesIn(extension)).trimEnd() + extension
}

/** The dot belongs to the extension; what is longer than any extension is none. */
export const partsOf = (name: string): { readonly base: string; readonly extension: string } => {
  const extension = /(?<=.)\.[^. ]{1,16}$/u.exec(name)?.[0] ?? ""
  return { base: name.slice(0, name.length - extension.length), extension }
}

/** `receipts/2026`: what it is cleaned to would be a place that nobody has asked for, so it has to be clean. */
export const Folder = Schema.String.annotate({ description: "Where to put the files, such as `receipts/2026`" }).check(
  Schema.isMaxCodePoints(fileLimits.folderBytes, { message: `Expected at most ${fileLimits.folderBytes} characters` }),
  Schema.makeFilter(
    (folder) =>
      folder === "" ||
      (bytesIn(folder) <= fileLimits.folderBytes &&
        folder
          .replace(/^\/|\/$/g, "")
          .split("/")
          .every((segment) => segment.normalize() === cleanName(segment))) ||
      "Expected names with slashes between them, such as receipts/2026"
  )
)

export const pathIn = (folder: string, name: string): string => {
  const place = folder.normalize().replace(/^\/|\/$/g, "")
  return place === "" ? name : `${place}/${name}`
}

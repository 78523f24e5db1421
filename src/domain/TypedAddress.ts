import type { FoundPlace, PlaceAddress } from "./Place.ts"

const unitNames =
  "apartment|apartamento|appartement|apto?|app|unit|suite|ste|flat|floor|fl|room|rm|lot|wohnung|whg|top|interno|int|piso|" +
  "puerta|departamento|depto|byt|lgh"
const unit = new RegExp(
  `(?<![\\p{L}\\d])(?:(?:${unitNames})\\.?\\s*#?\\s*\\p{L}?\\d+\\p{L}?|(?:apartment|apt|unit|suite|flat)\\.?\\s+\\p{L}|#\\s*[\\p{L}\\d]+)(?![\\p{L}\\d])`,
  "giu"
)

// 12, 221b, 4/12, 12-14, 12 bis; but not the 5 of 5th.
const number = /(?<![\p{L}\d/-])\d{1,6}\p{L}?(?:[-–/]\d{1,6}\p{L}?)*(?:\s(?:bis|ter|quater)(?!\p{L}))?(?![\p{L}\d])/giu

const plain = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ß", "ss")
export const wordsOf = (text: string) => plain(text).match(/[\p{L}\d]+/gu) ?? []

const isPartOf = (words: ReadonlyArray<string>) => (word: string) =>
  words.some((known) => known === word || (word.length > 2 && /\p{L}/u.test(word) && known.startsWith(word)))

/**
 * A found place as an address, with the house number and unit that the customer typed where the provider knows the street
 * but not the door. `typed` may be of another place, when somebody types in two windows at once: then it counts for
 * nothing.
 */
export const addressOf = (found: FoundPlace, typed: string | undefined): PlaceAddress => {
  const { houseNumber: _, lines: known, street: __, unit: unitKnown, ...same } = found
  const meant = typed !== undefined && wordsOf(typed).some(isPartOf(wordsOf([found.formatted, ...known].join(" "))))
  const units = meant && unitKnown === null ? [...typed.matchAll(unit)].map(([text]) => text.trim()) : []
  const [street1, ...others] = meant ? withNumber(found, withoutUnits(typed)) : known
  const street2 = [...units, ...others].join(", ")
  return { ...same, street1: street1 ?? null, street2: street2 === "" ? null : street2 }
}

export const withoutUnits = (typed: string) => typed.replace(unit, " ")

const withNumber = (found: FoundPlace, typed: string): ReadonlyArray<string> => {
  const { houseNumber, lines, street } = found
  if (street === null) return lines
  const all = lines.length === 0 ? [street] : lines
  const at = Math.max(
    0,
    all.findIndex((line) => plain(line).includes(plain(street)))
  )
  const line = all[at]!
  const door = doorIn(typed, found)
  if (door === undefined) return all
  if (houseNumber === null)
    return all.with(at, door.first ? `${door.text} ${line}` : `${line}${door.comma}${door.text}`)
  return isMoreThan(door.text, houseNumber) ? all.with(at, line.replace(houseNumber, door.text)) : all
}

/** The number that stands beside the street's name in what was typed, and on which side of it. */
const doorIn = (typed: string, { street, zip }: FoundPlace) => {
  const isStreet = isPartOf(wordsOf(street ?? ""))
  const elsewhere = new Set([...wordsOf(street ?? ""), plain(zip ?? ""), ...wordsOf(zip ?? "")])
  const parts = typed.split(",")
  for (const [index, part] of parts.entries()) {
    const alone = index > 0 && part.trim().match(number)?.[0] === part.trim()
    const beside = alone ? parts[index - 1]! : part
    if (!wordsOf(beside).some(isStreet)) continue
    for (const match of part.matchAll(number)) {
      if (elsewhere.has(plain(match[0]))) continue
      const first = !alone && !wordsOf(part.slice(0, match.index)).some(isStreet)
      return { text: match[0], first, comma: alone ? ", " : " " }
    }
  }
  return undefined
}

/** 4/12, 12-14 and 12a say more than 12. */
const isMoreThan = (typed: string, known: string) =>
  typed.length > known.length &&
  typed
    .split(/[-–/]/u)
    .some((part) => plain(part) === plain(known) || plain(part.replace(/\p{L}$/u, "")) === plain(known))

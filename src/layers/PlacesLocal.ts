import { Effect, Layer } from "effect"
import { readFileSync } from "node:fs"
import { type FoundPlace, PlaceId, PlaceNotFound } from "../domain/Place.ts"
import { withoutUnits, wordsOf } from "../domain/TypedAddress.ts"
import { Places } from "../services/Places.ts"

const orNull = (text: string | undefined) => (text === undefined || text === "" ? null : text)

const placeOf = (city: ReadonlyArray<string>, place: string, index: number): FoundPlace => {
  const [country, town, state, latitude, longitude] = city
  const [text, zip] = place.split("|")
  const line = text!.replace(/[{}]/g, "")
  const zipped = orNull(zip)
  // Somewhere in town, and there again the next time.
  const near = (at: string | undefined, step: number) => Math.round((Number(at) + step * 0.0025) * 1e4) / 1e4
  return {
    placeId: PlaceId.make(
      wordsOf(`${country} ${town} ${line}`)
        .join("-")
        .replace(/[^a-z0-9-]/g, "")
    ),
    formatted: [line, [town, state].filter(Boolean).join(", ") + (zipped === null ? "" : ` ${zipped}`), country].join(
      ", "
    ),
    lines: [line],
    street: text!.replace(/,?\s*\{.*\}\s*/, "").trim(),
    houseNumber: /\{(.*)\}/.exec(text!)?.[1] ?? null,
    unit: null,
    city: town!,
    state: orNull(state),
    zip: zipped,
    country: country!,
    latitude: near(latitude, (index % 5) - 2),
    longitude: near(longitude, (index % 7) - 3)
  }
}

/** Every place there is without a provider. */
export const gazetteer: ReadonlyArray<FoundPlace> = readFileSync(new URL("PlacesLocal.txt", import.meta.url), "utf8")
  .split(/\n(?=[A-Z]{2}\|)/)
  .slice(1)
  .flatMap((block) => {
    const [city, ...places] = block.trim().split("\n")
    return places.map((place, index) => placeOf(city!.split("|"), place, index))
  })

const full: Readonly<Record<string, string>> = {
  rd: "road",
  blvd: "boulevard",
  sq: "square",
  av: "avenue",
  ave: "avenue"
}

const index = gazetteer.map((place) => ({
  place,
  street: wordsOf(place.lines[0]!),
  words: wordsOf(place.formatted)
}))

/** The places that have every word somewhere, as words begin; a number may be that of a house on a street. */
const matching = (input: string, country: string | undefined): ReadonlyArray<FoundPlace> => {
  const typed = wordsOf(withoutUnits(input)).map((word) => full[word] ?? word)
  const named = typed.filter((word) => !/\d/.test(word))
  if (named.length === 0) return []
  const has = (words: ReadonlyArray<string>, word: string) => words.some((known) => known.startsWith(word))
  return index
    .filter(({ place, words }) => {
      const asked = place.houseNumber === null ? named : typed
      return (country === undefined || place.country === country) && asked.every((word) => has(words, word))
    })
    .sort((a, b) => Number(has(b.street, named[0]!)) - Number(has(a.street, named[0]!)))
    .slice(0, 5)
    .map(({ place }) => place)
}

/** Makes autocomplete do something without a key, and nothing else: it knows a few streets of a few cities. */
export const layer = Layer.succeed(
  Places,
  Places.of({
    dailyLimit: undefined,
    predict: ({ country, input }) =>
      Effect.sync(() =>
        matching(input, country).map(({ city, country, lines, placeId, state }) => {
          const mainText = lines.join(", ")
          const secondaryText = [city, state, country].filter((part) => part !== null).join(", ")
          return { placeId, description: `${mainText}, ${secondaryText}`, mainText, secondaryText }
        })
      ),
    find: (placeId) => {
      const place = gazetteer.find((known) => known.placeId === placeId)
      return place === undefined ? Effect.fail(new PlaceNotFound()) : Effect.succeed(place)
    }
  })
)

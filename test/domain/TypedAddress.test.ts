import { assert, describe, it } from "vitest"
import { type FoundPlace, PlaceId } from "../../src/domain/Place.ts"
import { addressOf } from "../../src/domain/TypedAddress.ts"

const place = (more: Partial<FoundPlace>): FoundPlace => ({
  placeId: PlaceId.make("somewhere"),
  formatted: [...(more.lines ?? []), more.zip, more.city ?? "Springfield"].filter(Boolean).join(", "),
  lines: [],
  street: null,
  houseNumber: null,
  unit: null,
  city: "Springfield",
  state: null,
  zip: null,
  country: null,
  latitude: null,
  longitude: null,
  ...more
})
const street = (name: string, more: Partial<FoundPlace> = {}) => place({ lines: [name], street: name, ...more })
const main = street("Main Street", { zip: "94016" })
const main12 = place({ lines: ["12 Main Street"], street: "Main Street", houseNumber: "12" })

/** The two lines of the address that comes of a place and of what was typed. */
const lines = (found: FoundPlace, typed?: string) => {
  const { street1, street2 } = addressOf(found, typed)
  return [street1, street2]
}

describe("The address of a place", () => {
  for (const [typed, found, street1, street2] of [
    ["12 main st", main, "12 Main Street", null],
    ["main street 12", main, "Main Street 12", null],
    ["hauptstr 12", street("Hauptstraße"), "Hauptstraße 12", null],
    ["Rua Augusta, 1508", street("Rua Augusta"), "Rua Augusta, 1508", null],
    ["12 bis rue de rivoli", street("Rue de Rivoli"), "12 bis Rue de Rivoli", null],
    ["221b baker", street("Baker Street"), "221b Baker Street", null],
    ["350 5th ave", street("5th Avenue"), "350 5th Avenue", null],
    ["1200 route 66", street("Route 66"), "1200 Route 66", null],
    ["Straße des 17 Juni 135", street("Straße des 17. Juni"), "Straße des 17. Juni 135", null],
    [
      "12 main street",
      place({ lines: ["The Oaks", "Main Street"], street: "Main Street" }),
      "The Oaks",
      "12 Main Street"
    ]
  ] as const) {
    it(`keeps the house number of "${typed}" on the side where it was typed`, () => {
      assert.deepEqual(lines(found, typed), [street1, street2])
    })
  }

  for (const [typed, found, street1] of [
    ["4/12 main street", main12, "4/12 Main Street"],
    ["12a main", main12, "12a Main Street"],
    ["12-14 main st", main12, "12-14 Main Street"],
    ["14 main", main12, "12 Main Street"],
    ["112 main", main12, "12 Main Street"]
  ] as const) {
    it(`takes "${typed}" over ${found.lines[0]} only where it says more`, () => {
      assert.deepEqual(lines(found, typed), [street1, null])
    })
  }

  for (const [typed, found, street1, street2] of [
    ["12 main st apt 4b", main, "12 Main Street", "apt 4b"],
    ["Flat C, 12 Main", main12, "12 Main Street", "Flat C"],
    ["#4b 12 main", main, "12 Main Street", "#4b"],
    ["floor 3, suite 200, 12 main", main12, "12 Main Street", "floor 3, suite 200"],
    ["1600 k st nw ste 200", street("K Street Northwest"), "1600 K Street Northwest", "ste 200"],
    ["flat 3 springfield", place({}), null, "flat 3"]
  ] as const) {
    it(`keeps the unit of "${typed}"`, () => {
      assert.deepEqual(lines(found, typed), [street1, street2])
    })
  }

  it("does not repeat a unit that the provider knows", () => {
    const known = place({ lines: ["12 Main Street Apt 4B"], street: "Main Street", houseNumber: "12", unit: "4B" })

    assert.deepEqual(lines(known, "12 main st apt 4b"), ["12 Main Street Apt 4B", null])
  })

  for (const [why, typed, found, street1] of [
    ["nothing was typed", undefined, main, "Main Street"],
    ["no number was", "main street", main, "Main Street"],
    ["it is the postcode's", "main street, 94016 springfield", main, "Main Street"],
    ["it stands elsewhere", "main street, 94017 springfield", main, "Main Street"],
    ["it is part of the name", "5th avenue", street("5th Avenue"), "5th Avenue"],
    [
      "it is of another street",
      "12 main st apt 4",
      street("Oak Avenue", { city: null, formatted: "Oak Avenue" }),
      "Oak Avenue"
    ]
  ] as const) {
    it(`is as the provider says where ${why}`, () => {
      assert.deepEqual(lines(found, typed), [street1, null])
    })
  }

  it("is found in time, whatever was typed", () => {
    const started = performance.now()
    for (const typed of ["1".repeat(200), "apt ".repeat(50), "1-".repeat(100), "a1/".repeat(66), ", ".repeat(100)]) {
      addressOf(main, typed)
      addressOf(main12, `main ${typed.slice(5)}`)
    }

    assert.isBelow(performance.now() - started, 500)
  })
})

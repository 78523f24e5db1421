import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { Country, postcodeProblem } from "../../src/domain/Country.ts"

/** The largest countries by people or by trade: a code of theirs as it is written, and one that is not. */
const largest = {
  IN: ["110 001", "1100"],
  CN: ["100000", "10000"],
  US: ["94016-1234", "9401"],
  ID: ["10220", "1022"],
  PK: ["44000", "4400A"],
  NG: ["101001", "1010"],
  BR: ["01310-200", "01310-20"],
  BD: ["1205", "12055"],
  RU: ["125009", "12500"],
  MX: ["06500", "6500"],
  JP: ["150-0001", "150-001"],
  PH: ["1226", "12266"],
  EG: ["11511", "1151"],
  ET: ["1000", "10000"],
  VN: ["11018", "1101"],
  TR: ["34433", "3443"],
  IR: ["11369-14811", "11369"],
  TH: ["10110", "1011"],
  DE: ["10117", "1011"],
  GB: ["SW1A 2AA", "SW1A 2A"],
  FR: ["75008", "7500"],
  IT: ["00186", "186"],
  ES: ["28013", "2801"],
  KR: ["04519", "0451"],
  CA: ["K1A 0B1", "K1A 0B"],
  AU: ["2000", "200"],
  ZA: ["8001", "80011"],
  NL: ["1012 LG", "1012"],
  PL: ["00-950", "00-95"],
  SE: ["111 51", "111 5"],
  CH: ["8001", "80011"],
  AR: ["C1084AAB", "C1084A"],
  PT: ["1250-096", "1250"],
  SA: ["12271", "1227"],
  IE: ["D02 VF25", "D02"]
}

describe("A postcode", () => {
  for (const [country, [right, wrong]] of Object.entries(largest)) {
    it(`of ${country} is taken as people write it, and refused when it cannot be one`, () => {
      assert.isUndefined(postcodeProblem(country, right))
      assert.isUndefined(postcodeProblem(country, ` ${right!.toLowerCase().replace(/[ -]/g, "")} `))
      assert.strictEqual(postcodeProblem(country, wrong), `Expected a postcode of ${country}`)
    })
  }

  it("is needed where nothing arrives without one, and left out elsewhere", () => {
    for (const country of ["US", "GB", "DE", "IN", "BR", "JP", "FR", "AU", "CA"]) {
      for (const none of [null, undefined, "", "  "]) assert.isString(postcodeProblem(country, none), country)
    }
    for (const country of ["AE", "HK", "IE", "NG", "EG", "VN", "ID", "PK"]) {
      assert.isUndefined(postcodeProblem(country, null), country)
    }
  })

  it("may be written as on an envelope from abroad, or in full-width digits", () => {
    for (const [country, zip] of [
      ["DE", "D-10115"],
      ["FR", "F-75001"],
      ["SE", "SE-113 45"],
      ["LV", "LV-1010"],
      ["AZ", "AZ 1000"],
      ["JP", "１５０－０００１"]
    ] as const) {
      assert.isUndefined(postcodeProblem(country, zip), zip)
    }
  })

  it("of a country without a rule may be anything", () => {
    for (const country of ["AE", "QA", "BS", "ZZ"]) assert.isUndefined(postcodeProblem(country, "P.O. Box 7"))
  })
})

describe("A country", () => {
  it("is one of the 249 of ISO 3166-1, or Kosovo", () => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    const is = Schema.is(Country)
    const countries = letters.flatMap((a) => letters.map((b) => a + b)).filter(is)

    assert.strictEqual(countries.length, 250)
    for (const code of ["UK", "EU", "ZZ", "XX", "AN", "SU", "us", "USA", "U", "", " US", "U\u0405"]) {
      assert.isFalse(is(code), code)
    }
    for (const code of Object.keys(largest)) assert.include(countries, code)
  })
})

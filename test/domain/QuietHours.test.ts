import { assert, describe, it } from "@effect/vitest"
import { quietUntil } from "../../src/domain/QuietHours.ts"

const until = (start: string, end: string, zone: string | null, now: string) =>
  quietUntil({ start, end }, zone, Date.parse(now))?.toISOString()

describe("Quiet hours", () => {
  it("last from their start until their end, by the clock on the customer's wall", () => {
    assert.strictEqual(until("13:00", "15:00", "Europe/Berlin", "2026-06-10T10:59:59.999Z"), undefined)
    assert.strictEqual(until("13:00", "15:00", "Europe/Berlin", "2026-06-10T11:00:00.000Z"), "2026-06-10T13:00:00.000Z")
    assert.strictEqual(until("13:00", "15:00", "Europe/Berlin", "2026-06-10T12:59:59.999Z"), "2026-06-10T13:00:00.000Z")
    assert.strictEqual(until("13:00", "15:00", "Europe/Berlin", "2026-06-10T13:00:00.000Z"), undefined)
    assert.strictEqual(until("13:00", "15:00", null, "2026-06-10T13:30:00.000Z"), "2026-06-10T15:00:00.000Z")
  })

  it("go over midnight where the end comes first, and over the end of a month and a year", () => {
    assert.strictEqual(until("22:00", "07:00", "UTC", "2026-12-31T22:30:00.000Z"), "2027-01-01T07:00:00.000Z")
    assert.strictEqual(until("22:00", "07:00", "UTC", "2027-01-01T06:59:00.000Z"), "2027-01-01T07:00:00.000Z")
    assert.strictEqual(until("22:00", "07:00", "UTC", "2027-01-01T07:00:00.000Z"), undefined)
    assert.strictEqual(until("22:00", "07:00", "UTC", "2028-02-28T23:00:00.000Z"), "2028-02-29T07:00:00.000Z")
    assert.strictEqual(
      until("22:00", "07:00", "Pacific/Auckland", "2026-11-24T12:00:00.000Z"),
      "2026-11-24T18:00:00.000Z"
    )
  })

  it("end at the same time of day on the nights in which the clock is changed", () => {
    // Spring: the night of 28 March 2027 has 8 hours, of which 7:00 is the end all the same.
    assert.strictEqual(until("22:00", "07:00", "Europe/Berlin", "2027-03-27T21:30:00.000Z"), "2027-03-28T05:00:00.000Z")
    // Autumn: that of 31 October 2027 has ten.
    assert.strictEqual(until("22:00", "07:00", "Europe/Berlin", "2027-10-30T20:30:00.000Z"), "2027-10-31T06:00:00.000Z")
    assert.strictEqual(
      until("22:00", "07:00", "America/New_York", "2027-11-07T03:00:00.000Z"),
      "2027-11-07T12:00:00.000Z"
    )
  })

  it("whose end the clock skips end after it, and whose end comes twice end the first time", () => {
    assert.strictEqual(until("22:00", "02:30", "Europe/Berlin", "2027-03-28T00:45:00.000Z"), "2027-03-28T01:30:00.000Z")
    assert.strictEqual(until("22:00", "02:30", "Europe/Berlin", "2027-10-31T00:15:00.000Z"), "2027-10-31T00:30:00.000Z")
    // The wall says 2:15 once more.
    assert.strictEqual(until("22:00", "02:30", "Europe/Berlin", "2027-10-31T01:15:00.000Z"), "2027-10-31T01:30:00.000Z")
  })
})
